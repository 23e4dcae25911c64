"""A made-up Dashboard for tests of the page and the pack, without a database. Deterministic."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

from aggregators.domains import DOMAINS
from aggregators.figures import (
    Answer,
    Card,
    Dashboard,
    Evidence,
    Figure,
    Scope,
    Scorecard,
    Series,
)
from aggregators.measure import Domain, Measure, Unit
from aggregators.period import Period, Span, rolling

AS_OF = date(2026, 11, 22)
NAMES = (
    "Payments",
    "Search",
    "Edge CDN",
    "IoT Gateway",
    "Data Lake",
    "HR Platform",
    "Łódź Logistics",
    "Checkout",
    "Mobile",
    "Identity",
    "Notifications",
    "Analytics",
)
RANGES = {
    Unit.RATIO: (0.02, 0.98),
    Unit.COUNT: (0, 12),
    Unit.SECONDS: (60, 400_000),
    Unit.PER_DAY: (0.1, 9),
    Unit.BURN: (0, 8),
    Unit.DAYS: (1, 90),
}


def dashboard(workspaces: int = 12, preset: int = 28, seed: int = 7) -> Dashboard:
    """A whole dashboard: every domain, gaps, low samples and missing data included."""
    rng = random.Random(seed)
    period = rolling(preset, AS_OF)
    names = [NAMES[i % 12] + (f" {i // 12 + 1}" if i >= 12 else "") for i in range(workspaces)]
    slugs = [f"ws-{i:04d}" for i in range(workspaces)]
    at = datetime(2026, 11, 23, 0, 10, 11, tzinfo=UTC)
    scorecards = tuple(_scorecard(d, slugs, names, period, rng, at) for d in DOMAINS)
    scope = Scope(
        tuple(slugs),
        dict(zip(slugs, names, strict=True)),
        {"inactive": ("Old Portal",), "other_region": ("Sydney Hub", "Osaka Hub")},
    )
    return Dashboard(
        "Northwind Group",
        "UTC",
        AS_OF,
        at,
        period,
        scope,
        scorecards,
        _answers(slugs, names),
        "v1",
        datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    )


def figure(
    measure: Measure, period: Period, rng: random.Random, group: str | None = None
) -> Figure:
    """One made-up figure of a measure."""
    low, high = RANGES[measure.unit]

    def draw() -> float:
        amount = rng.uniform(low, high)
        return float(round(amount)) if measure.unit in (Unit.COUNT, Unit.DAYS) else amount

    if rng.random() < 0.05:
        return Figure(
            measure, evidence=Evidence(days_seen=0, days_expected=period.days), group=group
        )
    value = draw()
    n = rng.randint(3, 300)
    ratio = measure.unit is Unit.RATIO
    return Figure(
        measure,
        value,
        draw(),
        comparable=rng.random() > 0.1,
        low_sample=rng.random() < 0.1,
        evidence=Evidence(
            float(round(value * n)) if ratio else value,
            float(n) if ratio else None,
            float(n),
            period.days - (rng.random() < 0.2) * 2,
            period.days,
            "checkout-latency" if measure.named_by else None,
        ),
        series=_series(period, period.span, draw, rng),
        previous_series=_series(period, period.previous, draw, rng),
        group=group,
    )


def _series(period: Period, span: Span, draw, rng) -> Series:
    return tuple((d, None if rng.random() < 0.05 else draw()) for d in period.points(span))


def _figures(domain: Domain, period: Period, rng: random.Random) -> dict[str, Figure]:
    if domain.by is None:
        return {m.key: figure(m, period, rng) for m in domain.measures}
    groups = ("HIPAA", "ISO27001", "SOC2")[: rng.randint(1, 3)]
    found = {}
    for measure in domain.measures:
        by = {g: figure(measure, period, rng, g) for g in groups}
        known = [f for f in by.values() if f.value is not None] or list(by.values())
        worst = max(known, key=lambda f: measure.badness(f.value or 0.0))
        found[measure.key] = Figure(
            measure,
            worst.value,
            worst.previous,
            worst.comparable,
            worst.low_sample,
            evidence=worst.evidence,
            series=worst.series,
            previous_series=worst.previous_series,
            group=worst.group,
            by=by,
        )
    return found


def _scorecard(domain, slugs, names, period, rng, at) -> Scorecard:
    figures = [(s, n, _figures(domain, period, rng)) for s, n in zip(slugs, names, strict=True)]
    head = domain.measure(domain.headline)

    def order(item):
        value = item[2][domain.headline].value
        return (value is None, -head.badness(value or 0.0), item[1])

    cards = tuple(
        Card(slug, name, rank, f"{domain.page(slug)}?{period.query}", found)
        for rank, (slug, name, found) in enumerate(sorted(figures, key=order), 1)
    )
    return Scorecard(domain, _figures(domain, period, rng), cards, at, at, AS_OF)


def _answers(slugs, names) -> tuple[Answer, ...]:
    return (
        Answer(
            "worst_change_failure_rate",
            "Worst change failure rate",
            f"{names[0]} has the highest change failure rate: 31.0 % of 42 deployments "
            "(95 % interval 19.1 % to 46.0 %), +9.4 pts.",
            True,
            "31.0 %",
            slugs[0],
            names[0],
            f"/ws/{slugs[0]}/analytics?period=28",
            {"failed": 13, "deployments": 42, "interval_low": 0.191, "interval_high": 0.46},
        ),
        Answer(
            "closest_to_lapse",
            "Closest control to lapse",
            f"{names[1]}: SOC2 CC6.1 lapses in 4 days.",
            True,
            "4 d",
            slugs[1],
            names[1],
            f"/ws/{slugs[1]}/governance/frameworks?period=28",
            {"framework": "SOC2", "control": "CC6.1", "days": 4},
        ),
        Answer(
            "expiring_certificates",
            "Most expiring certificates",
            f"{names[2]} holds 21 of the 25 certificates that expire within 30 days (84 %).",
            True,
            "84 %",
            slugs[2],
            names[2],
            f"/ws/{slugs[2]}/monitor/certs?within=30&status=expiring",
            {"held": 21, "total": 25},
        ),
        Answer(
            "mttr_climbing",
            "MTTR climbing",
            "No workspace's MTTR rose three sprints in a row; 9 had enough incidents to judge.",
            evidence={"judged": 9},
        ),
    )
