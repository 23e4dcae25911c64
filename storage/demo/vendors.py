"""Vendors and the reviews of them. Pure."""

from __future__ import annotations

import random
from datetime import timedelta

from storage.demo.stories import Team
from storage.demo.window import Row, Rows, Window

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


def rows(team: Team, window: Window, rng: random.Random) -> Rows:
    """Vendors and reviews by table. The first ones are tier 1; the story's lead the list."""
    vendors: list[Row] = []
    reviews: list[Row] = []
    names = rng.sample(NAMES, min(team.vendors, len(NAMES)))
    for n, name in enumerate(names):
        key = f"VEN-{n + 1:03d}"
        is_critical = n < min(TIER_1, 1 + team.vendors // 3)
        tier = 1 if is_critical else rng.choice((2, 2, 3, 3, 4))
        active = is_critical or rng.random() < 0.85
        never = n < team.never_reviewed
        overdue = not never and n < team.never_reviewed + team.overdue
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
    found: list[Row] = []
    ago = cadence - due
    while not found or ago < known:
        completed = window.ago(ago)
        found.append(
            {
                "vendor": key,
                "completed_on": completed,
                "next_due_on": completed + timedelta(days=cadence),
            }
        )
        ago += cadence - AHEAD
    return found
