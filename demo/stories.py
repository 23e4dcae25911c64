"""Teams of the demo organisation, and what the page is to find about each of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from aggregators.records.demo import Team

HOME, AWAY = "eu-central", "us-east"
ELSEWHERE = (HOME, HOME, HOME, HOME, "eu-west", "us-east", "ap-south")
MOST = 10_000


def _team(
    slug: str,
    name: str,
    accent: str,
    region: str = HOME,
    is_active: bool = True,
    retired: int = 0,
    missing_days: tuple[int, ...] = (),
    **habits: object,
) -> Team:
    """A team whose habits are named by the fields of the domains' own."""
    return Team(slug, name, accent, region, is_active, retired, missing_days, habits)


HOARD = (2, 3, 3, 5, 6, 6, 7, 9, 11, 12, 14, 15, 17, 18, 20, 22, 24, 25, 26, 27, 28, 29)
"""A batch of device certificates, made by hand a year ago."""

STORIES = (
    # Change failure rate drifts upward over the last 90 days.
    _team("payments", "Payments", "#0B5CAD", deploys=3.8, failure_rate=0.09, drift=0.27,
          lead_hours=9, incidents=0.3, mttr_minutes=75, in_outage=True, objectives=6,
          open_incidents=((0, "p1"), (5, "p3")),
          passing={"SOC2": 0.91, "ISO27001": 0.88}, vendors=14),
    # Incident MTTR climbs three sprints in a row.
    _team("search", "Search", "#1B6B74", deploys=2.9, incidents=0.75, mttr_minutes=46, climb=1.3,
          open_incidents=((1, "p2"), (3, "p3"), (9, "p3")), passing={"SOC2": 0.94}, vendors=8),
    # A passing control lapses in four days.
    _team("identity", "Identity", "#6B4FA0", deploys=1.6, failure_rate=0.04, lead_hours=34,
          lapses_in=4, hoard=(26,), passing={"SOC2": 0.96, "ISO27001": 0.93}, vendors=9),
    # Most of the certificates about to expire, and two that did.
    _team("iot-gateway", "IoT gateway", "#946200", deploys=0.9, lead_hours=60, commits=0,
          hosts=8, hoard=HOARD, forgotten=2, passing={"SOC2": 0.87}, objectives=4),
    # SOC2 pass rate dropped by more than five points; twelve days of few deployments, which is no drift.
    _team("data-platform", "Data platform", "#2E7D4F", deploys=1.9, lead_hours=30, dropped=5, lull=(19, 8),
          open_incidents=((16, "p4"),), passing={"SOC2": 0.95, "HIPAA": 0.82}, objectives=6),
    # An error budget spent, evidence already expired, an incident that goes on for months.
    _team("edge-network", "Edge network", "#B0413E", deploys=2.6, is_exhausted=True, lapsed=2,
          in_outage=True, open_incidents=((113, "p3"), (22, "p3")), hoard=(18,), objectives=7,
          hosts=26, passing={"SOC2": 0.9, "ISO27001": 0.85}),
    # Another region; postmortems that nobody wrote.
    _team("checkout-us", "Checkout US", "#3D6FB6", region=AWAY, deploys=2.4, lead_hours=14,
          in_outage=True, postmortems=0.3, open_incidents=((1, "p3"),), vendors=12,
          passing={"SOC2": 0.95, "HIPAA": 0.9}),
    # No compliance framework; an objective without traffic.
    _team("mobile-apps", "Mobile apps", "#8A4B9E", deploys=0.9, lead_hours=90, commits=8,
          passing={}, is_silent=True, in_outage=True, vendors=11, open_incidents=((2, "p4"),)),
    # Three days without a snapshot.
    _team("notifications", "Notifications", "#5B6673", deploys=1.9, missing_days=(12, 11, 10),
          failure_rate=0.07, passing={"SOC2": 0.9}, objectives=4, vendors=7),
    # Too few deployments to judge, though half of them failed.
    _team("hr-platform", "HR platform", "#A0522D", fortnightly=True, botched=1, failure_rate=0.0,
          lead_hours=120, commits=0, incidents=0.16, mttr_minutes=200, objectives=3, overdue=1,
          passing={"SOC2": 0.84, "HIPAA": 0.78}, hosts=9),
    # Tier-1 vendors out of review.
    _team("lodz-logistics", "Łódź logistics", "#00707A", deploys=2.1, failure_rate=0.05, overdue=2,
          never_reviewed=1, hoard=(29,), open_incidents=((7, "p4"),), vendors=13,
          passing={"SOC2": 0.93, "ISO27001": 0.9}),
    # Inactive since two months.
    _team("legacy-portal", "Legacy portal", "#7A7A7A", is_active=False, retired=61, deploys=0.25,
          lead_hours=200, commits=0, incidents=0.12, objectives=2, hosts=5, vendors=4,
          passing={"SOC2": 0.7}),
)  # fmt: skip

PLACES = ("Nordic", "Iberia", "Alpine", "Baltic", "Benelux", "Gallia", "Adriatic", "Danube",
          "Celtic", "Aegean", "Rhine", "Levant", "Andes", "Pacific", "Atlantic", "Sahel", "Kanto",
          "Deccan", "Prairie", "Delta")  # fmt: skip
TRADES = ("pricing", "catalogue", "claims", "billing", "loyalty", "fulfilment", "messaging",
          "reporting", "onboarding", "risk", "media", "support", "warehouse", "treasury",
          "insights", "partners", "returns", "consent", "maps", "tickets", "orders", "invoices",
          "content", "telemetry", "scheduling", "voice", "ledger", "quality", "tenders",
          "contracts", "forecast", "assets", "vouchers", "reviews", "gateways", "archives",
          "learning", "travel", "energy", "fleet", "safety", "labs", "exports", "imports",
          "customs", "stores", "kiosks", "tariffs", "grants", "records")  # fmt: skip
SQUADS = ("", " web", " mobile", " platform", " data", " partner", " retail", " wholesale", " growth",
          " operations")  # fmt: skip
"""Ends of names: each place and trade has one team, above a thousand teams a second one, and so on."""


def teams(count: int, seed: int) -> tuple[Team, ...]:
    """The first ``count`` teams: those with a story, then healthy ones. ValueError outside 1..10000."""
    if not 1 <= count <= MOST:
        raise ValueError(f"The demo organisation has 1 to {MOST:,} workspaces.")
    healthy = islice(_names(seed), max(0, count - len(STORIES)))
    return (*STORIES[:count], *(_healthy(name, seed) for name in healthy))


def _names(seed: int) -> Iterator[str]:
    """Names of healthy teams, one squad after the other: a larger organisation has all of a smaller one."""
    for squad in SQUADS:
        names = [f"{region_name} {trade}{squad}" for region_name in PLACES for trade in TRADES]
        random.Random(f"{seed}:names{squad}").shuffle(names)  # noqa: S311 - no secret
        yield from names


def _healthy(name: str, seed: int) -> Team:
    """A team like many, drawn by its name and the seed."""
    rng = random.Random(f"{seed}:{name}")  # noqa: S311 - no secret
    passing = {"SOC2": rng.uniform(0.85, 0.98)}
    if rng.random() < 0.4:
        passing["ISO27001"] = rng.uniform(0.8, 0.97)
    return _team(
        name.lower().replace(" ", "-"),
        name,
        f"#{rng.randrange(0x30, 0xA0):02X}{rng.randrange(0x30, 0xA0):02X}{rng.randrange(0x50, 0xC0):02X}",
        region=rng.choice(ELSEWHERE),
        deploys=rng.uniform(1.1, 2.8),
        failure_rate=rng.uniform(0.02, 0.08),
        lead_hours=rng.uniform(8, 70),
        commits=rng.choice((0, 3, 4, 6)),
        incidents=rng.uniform(0.1, 0.5),
        mttr_minutes=rng.uniform(40, 180),
        postmortems=rng.uniform(0.75, 0.97),
        objectives=rng.randint(3, 6),
        passing=passing,
        hosts=rng.randint(6, 24),
        vendors=rng.randint(5, 14),
    )
