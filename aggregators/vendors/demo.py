"""Vendors and the reviews of them. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from aggregators.records.demo import Cause, Row, Rows, Team, Window

NAMES = (
    "Cloudforge",
    "Mailbridge",
    "Paywise",
    "Dataharbour",
    "Signpost",
    "Keystone Identity",
    "Logbook",
    "Shiftplan",
    "Northstar Maps",
    "Tabular",
    "Brightline Support",
    "Vaultkeep",
    "Streamworks",
    "Quorum Backup",
    "Σίγμα Αποθήκες",
    "Żuraw Transport",
    "Façade Media",
    "Lantern Analytics",
)
CADENCE = {1: 365, 2: 365, 3: 730, 4: 730}
"""Days between reviews by tier."""
TIER_1 = 4
AHEAD = 20
"""Days before the due date at which a review is made."""


@dataclass(frozen=True, slots=True)
class VendorHabits:
    """Vendors of a team; of those of tier 1, how many were never reviewed and how many are overdue."""

    vendors: int = 10
    never_reviewed: int = 0
    overdue: int = 0


def rows(team: Team, window: Window, rng: random.Random, _causes: list[Cause]) -> Rows:
    """Vendors and reviews by table. The first ones are tier 1; the story's lead the list."""
    habits = team.habits_of(VendorHabits)
    vendors: list[Row] = []
    reviews: list[Row] = []
    names = rng.sample(NAMES, min(habits.vendors, len(NAMES)))
    for n, name in enumerate(names):
        key = f"VEN-{n + 1:03d}"
        is_critical = n < min(TIER_1, 1 + habits.vendors // 3)
        tier = 1 if is_critical else rng.choice((2, 2, 3, 3, 4))
        active = is_critical or rng.random() < 0.85
        never = n < habits.never_reviewed
        overdue = not never and n < habits.never_reviewed + habits.overdue
        due = -rng.randint(12, 75) if overdue else rng.randint(15, CADENCE[tier] - AHEAD - 5)
        known = rng.randint(50, 80) if never else rng.randint(420, 1400)
        vendors.append(
            {
                "key": key,
                "name": name,
                "tier": tier,
                "status": "active" if active else rng.choice(("suspended", "terminated")),
                "added_on": window.ago(known),
            }
        )
        reviews += [] if never else _reviews(key, window, known, due, CADENCE[tier])
    return {"vendor": vendors, "vendor_review": reviews}


def _reviews(key: str, window: Window, known: int, due: int, cadence: int) -> list[Row]:
    """Every review since the vendor was added; the next falls due in ``due`` days."""
    reviews: list[Row] = []
    ago = cadence - due
    while not reviews or ago < known:
        completed = window.ago(ago)
        reviews.append(
            {
                "vendor": key,
                "completed_on": completed,
                "next_due_on": completed + timedelta(days=cadence),
            }
        )
        ago += cadence - AHEAD
    return reviews
