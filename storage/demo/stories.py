"""Who is in the demo organisation, and what the page is to find about each of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

HOME, AWAY = "eu-central", "us-east"


@dataclass(frozen=True, slots=True)
class Team:
    """One workspace and its habits. Rates are per working day, durations in hours or minutes.

    ``failure_rate`` is of deployments, ``drift`` what it gains over the last 90 days;
    ``sprint_factors`` scale incident durations over the last four completed sprints, oldest first;
    ``lapses_in`` and ``lapsed`` move the evidence of passing SOC2 controls; ``soc2_drop`` controls
    stop passing within the last 20 days; ``open_incidents`` are (days ago,
    severity) of those not resolved yet; ``missing_days`` are days ago without a snapshot.
    """

    slug: str
    name: str
    accent: str
    region: str = HOME
    is_active: bool = True
    deploys: float = 1.6
    failure_rate: float = 0.07
    drift: float = 0.0
    lead_hours: float = 20.0
    commits: int = 3
    incidents: float = 0.28
    mttr_minutes: float = 90.0
    sprint_factors: tuple[float, float, float, float] = (1.3, 1.0, 1.2, 0.9)
    frameworks: Mapping[str, float] = field(default_factory=lambda: {"SOC2": 0.93})
    soc2_drop: int = 0
    lapses_in: int | None = None
    lapsed: int = 0
    certificates: int = 18
    expiring: tuple[int, ...] = ()
    objectives: int = 5
    exhausted: bool = False
    silent_objective: bool = False
    vendors: int = 9
    overdue: int = 0
    never_reviewed: int = 0
    open_incidents: tuple[tuple[int, str], ...] = ()
    old_incident: bool = False
    missing_days: tuple[int, ...] = ()


HOARD = (-9, -3, 1, 2, 2, 3, 4, 5, 6, 6, 7, 9, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 27, 28)

STORIES = (
    Team("payments", "Payments", "#0B5CAD", deploys=2.6, failure_rate=0.10, drift=0.22, lead_hours=9,
         frameworks={"SOC2": 0.91, "ISO27001": 0.88}, mttr_minutes=75,
         open_incidents=((0, "p1"), (5, "p3"))),
    Team("search", "Search", "#1B6B74", deploys=2.2, incidents=0.5, mttr_minutes=48,
         sprint_factors=(1.0, 1.3, 1.7, 2.2), frameworks={"SOC2": 0.94},
         open_incidents=((1, "p2"), (3, "p3"), (9, "p3"))),
    Team("identity", "Identity", "#6B4FA0", deploys=1.2, failure_rate=0.04, lead_hours=34,
         frameworks={"SOC2": 0.96, "ISO27001": 0.93}, lapses_in=4, expiring=(26,)),
    Team("iot-gateway", "IoT gateway", "#946200", deploys=0.8, lead_hours=60, certificates=30,
         expiring=HOARD, frameworks={"SOC2": 0.87}),
    Team("data-platform", "Data platform", "#2E7D4F", deploys=1.4, lead_hours=30, soc2_drop=4,
         frameworks={"SOC2": 0.92, "HIPAA": 0.82},
         open_incidents=((16, "p4"),)),
    Team("edge-network", "Edge network", "#B0413E", deploys=1.9, exhausted=True, old_incident=True,
         lapsed=2, open_incidents=((22, "p3"),), frameworks={"SOC2": 0.9, "ISO27001": 0.85},
         expiring=(18,)),
    Team("checkout-us", "Checkout US", "#3D6FB6", region=AWAY, deploys=2.0, lead_hours=14,
         frameworks={"SOC2": 0.95, "HIPAA": 0.9}),
    Team("mobile-apps", "Mobile apps", "#8A4B9E", deploys=0.9, lead_hours=90, commits=6,
         frameworks={}, silent_objective=True),
    Team("notifications", "Notifications", "#5B6673", deploys=1.5, missing_days=(12, 11, 10),
         frameworks={"SOC2": 0.9}),
    Team("hr-platform", "HR platform", "#A0522D", deploys=0.09, failure_rate=0.05, drift=0.9,
         lead_hours=120,
         commits=0, incidents=0.1, frameworks={"SOC2": 0.84, "HIPAA": 0.78}, overdue=1),
    Team("lodz-logistics", "Łódź logistics", "#00707A", deploys=1.7, failure_rate=0.05, overdue=2,
         never_reviewed=1, frameworks={"SOC2": 0.93, "ISO27001": 0.9}, expiring=(29,)),
    Team("legacy-portal", "Legacy portal", "#7A7A7A", is_active=False, deploys=0.1, incidents=0.05,
         frameworks={"SOC2": 0.7}),
)  # fmt: skip

PLACES = ("Nordic", "Iberia", "Alpine", "Baltic", "Benelux", "Gallia", "Adriatic", "Danube", "Celtic",
          "Aegean", "Rhine", "Levant", "Andes", "Pacific", "Atlantic", "Sahel", "Kanto", "Deccan",
          "Prairie", "Delta")  # fmt: skip
TRADES = ("pricing", "catalogue", "claims", "billing", "loyalty", "fulfilment", "messaging", "reporting",
          "onboarding", "risk", "media", "support", "warehouse", "treasury", "insights", "partners",
          "returns", "consent", "maps", "tickets", "orders", "invoices", "content", "telemetry",
          "scheduling", "voice", "ledger", "quality", "tenders", "contracts", "forecast", "assets",
          "vouchers", "reviews", "gateways", "archives", "learning", "travel", "energy", "fleet",
          "safety", "labs", "exports", "imports", "customs", "stores", "kiosks", "tariffs", "grants",
          "records")  # fmt: skip


def teams(count: int, seed: int) -> tuple[Team, ...]:
    """The first ``count`` teams: those with a story, then healthy ones with names of their own."""
    more = [_healthy(i, seed) for i in range(max(0, count - len(STORIES)))]
    return (*STORIES[:count], *more)


def _healthy(i: int, seed: int) -> Team:
    rng = random.Random(f"{seed}:team:{i}")  # noqa: S311 - no secret
    place, trade = PLACES[i // len(TRADES) % len(PLACES)], TRADES[i % len(TRADES)]
    frameworks = {"SOC2": rng.uniform(0.85, 0.98)}
    if rng.random() < 0.4:
        frameworks["ISO27001"] = rng.uniform(0.8, 0.97)
    return Team(
        f"{place}-{trade}".lower(),
        f"{place} {trade}",
        f"#{rng.randrange(0x303030, 0xA0A0A0):06X}",
        deploys=rng.uniform(0.6, 2.5),
        failure_rate=rng.uniform(0.03, 0.1),
        lead_hours=rng.uniform(8, 70),
        commits=rng.choice((0, 2, 3, 4)),
        incidents=rng.uniform(0.1, 0.4),
        mttr_minutes=rng.uniform(40, 180),
        frameworks=frameworks,
        certificates=rng.randint(6, 24),
        objectives=rng.randint(3, 6),
        vendors=rng.randint(4, 12),
    )
