"""Made-up dashboards and figures for tests of the page and the pack, without a database. Deterministic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from aggregators.catalogue import DOMAINS
from aggregators.pooling import rollup
from aggregators.pooling.cards import ORG, Cards, WorkspaceLabel
from aggregators.pooling.changes import ChangeEvidence
from aggregators.pooling.dashboard import Answer, Dashboard, DashboardScope, Scorecard, SeenDays
from aggregators.pooling.facts import FactScope
from aggregators.pooling.figures import Figure, Series
from aggregators.pooling.measure_table import MeasureTable, with_no_row
from aggregators.signal.change import Sample
from aggregators.signal.series import series_of
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import Evaluation, Measure, Unit
from aggregators.vocabulary.period import Period, rolling

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


GROUPS = ("HIPAA", "ISO27001", "SOC2")
Number = float | None


def dashboard(
    workspaces: int = 12,
    preset: int = 28,
    seed: int = 7,
    *,
    period: Period | None = None,
    series: bool = True,
) -> Dashboard:
    """A whole dashboard: every domain, gaps, low samples and missing data included."""
    rng, period = np.random.default_rng(seed), period or rolling(preset, AS_OF)
    names = [NAMES[i % 12] + (f" {i // 12 + 1}" if i >= 12 else "") for i in range(workspaces)]
    labels = [WorkspaceLabel(f"ws-{i:04d}", name) for i, name in enumerate(names)]
    slugs = [label.slug for label in labels]
    at, seen = datetime(2026, 11, 23, 0, 10, 11, tzinfo=UTC), SeenDays(period.days, AS_OF)
    scorecards = tuple(
        Scorecard(domain, *_assembled(domain, labels, period, rng, series), at, AS_OF, seen=seen)
        for domain in DOMAINS
    )
    scope = DashboardScope(
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


def _assembled(
    domain: Domain,
    labels: Sequence[WorkspaceLabel],
    period: Period,
    rng: np.random.Generator,
    series: bool,
) -> rollup.Assembled:
    rows = [(ORG, group) for group in (GROUPS if domain.by else ("",))]
    for label in labels:
        own = GROUPS[: rng.integers(1, len(GROUPS) + 1)] if domain.by else ("",)
        rows += [(label.slug, group) for group in own]
    tables = {m.key: _table(m, rows, period, rng, series) for m in domain.measures}
    return rollup.assemble(domain, tables, rows, labels, period.query)


def _table(
    measure: Measure,
    rows: Sequence[FactScope],
    period: Period,
    rng: np.random.Generator,
    series: bool,
) -> MeasureTable:
    """Made-up figures of a measure, a row a scope: some without data, low samples, too few days before."""
    count, ratio = len(rows), measure.unit is Unit.RATIO
    value, before = (_drawn(measure, (count,), rng) for _ in range(2))
    n = rng.integers(3, 300, count).astype(float)
    few = rng.random(count) < 0.1
    n[few] = np.minimum(n[few], max(1, measure.low_sample_below - 1))
    seen = period.days - 2.0 * (rng.random(count) < 0.2)
    seen_before = np.where(rng.random(count) < 0.1, 0.0, period.days)
    nothing = np.isnan(value)
    seen[nothing] = 0.0
    numerator = np.where(nothing, np.nan, np.round(value * n) if ratio else value)
    whole, n = (np.where(nothing | absent, np.nan, n) for absent in (not ratio, False))
    days, earlier = (period.points(span) if series else () for span in (None, period.previous))
    return MeasureTable(
        measure,
        Evaluation(*map(with_no_row, (value, numerator, whole, n))),
        Evaluation(with_no_row(before), *[with_no_row(np.full(count, np.nan))] * 3),
        with_no_row(seen, 0.0),
        with_no_row(seen_before, 0.0),
        period.days,
        days,
        earlier,
        _drawn(measure, (count, len(days)), rng),
        _drawn(measure, (count, len(earlier)), rng),
        ["checkout-latency"] * count + [None] if measure.named_by else (),
    )


def _drawn(measure: Measure, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Values in the range of the measure's unit, one of twenty without data."""
    values = rng.uniform(*RANGES[measure.unit], shape)
    if measure.unit in (Unit.COUNT, Unit.DAYS):
        values = np.round(values)
    values[rng.random(shape) < 0.05] = np.nan
    return values


def figure(
    measure: Measure,
    value: Number = None,
    previous: Number = None,
    *,
    comparable: bool = True,
    numerator: Number = None,
    denominator: Number = None,
    n: Number = None,
    days_seen: int = 0,
    days: int = 28,
    series: Series = (),
    group: str | None = None,
    tested: tuple[float, float, float, float] | None = None,
) -> Figure:
    """A figure by itself, on a table of one row: over budget where the value is infinite. ``tested`` are
    what its change is tested on: so many of so many, before so many of so many."""
    told = (value, numerator, denominator, n)
    points = [[np.nan if value is None else value for _, value in series]]
    table = MeasureTable(
        measure,
        Evaluation(*(_row(number) for number in told)),
        Evaluation(_row(previous), *[_row(None)] * 3),
        with_no_row(np.array([float(days_seen)]), 0.0),
        with_no_row(np.array([float(days * comparable)]), 0.0),
        days,
        tuple(day for day, _ in series),
        (),
        np.array(points, float),
        np.empty((1, 0)),
        change=_change(measure, tested) if tested else None,
    )
    return Figure(table, 0, group)


def _change(measure: Measure, tested: tuple[float, float, float, float]) -> ChangeEvidence:
    series = series_of(measure)
    assert series is not None
    x, e, x_before, e_before = (_row(number) for number in tested)
    now, before = Sample.counted(x, e), Sample.counted(x_before, e_before)
    return ChangeEvidence(series, now, before, np.ones(2))


def _row(number: Number) -> Array:
    return with_no_row(np.array([np.nan if number is None else number]))


def cards(domain: Domain, values: Mapping[str, Mapping[str, Number]]) -> Cards:
    """Cards of a domain without groups: by slug, which is the name too, the values by measure key."""
    rows = [(slug, "") for slug in values]
    labels = [WorkspaceLabel(slug, slug) for slug in values]
    tables = {
        m.key: replace(
            MeasureTable.empty(m, 28),
            now=Evaluation(
                _column([own.get(m.key) for own in values.values()]),
                *[_column([None] * len(rows))] * 3,
            ),
            before=Evaluation(*[_column([None] * len(rows))] * 4),
            seen=np.full(len(rows) + 1, 28.0),
            seen_before=np.zeros(len(rows) + 1),
            series=np.empty((len(rows), 0)),
            series_before=np.empty((len(rows), 0)),
        )
        for m in domain.measures
    }
    return rollup.assemble(domain, tables, rows, labels, "period=28").cards


def _column(numbers: Sequence[Number]) -> Array:
    return with_no_row(
        np.array([np.nan if number is None else number for number in numbers], float)
    )


def only(dashboard: Dashboard, count: int) -> Dashboard:
    """The first workspaces of a dashboard alone."""
    slugs = dashboard.scope.slugs[:count]
    names = {slug: dashboard.scope.names[slug] for slug in slugs}
    scorecards = tuple(
        replace(s, cards=s.cards.where([w.slug in names for w in s.cards.workspaces]))
        for s in dashboard.scorecards
    )
    scope = replace(dashboard.scope, slugs=slugs, names=names)
    return replace(dashboard, scope=scope, scorecards=scorecards)


def renamed(cards: Cards, names: Mapping[str, str]) -> Cards:
    """Cards with other names of workspaces, by slug."""
    labels = [replace(w, name=names.get(w.slug, w.name)) for w in cards.grid.workspaces]
    grid = replace(cards.grid, workspaces=labels)
    return Cards(grid, cards.query, cards.members, cards.ranks)


def with_headline(
    scorecard: Scorecard,
    value: Number,
    previous: Number,
    values: Sequence[Number],
    *,
    comparable: bool = True,
) -> Scorecard:
    """The scorecard of as many workspaces as there are ``values``, its headline said to be so; of a domain
    without groups."""
    domain, cards = scorecard.domain, scorecard.cards[: len(values)]
    table = cards.grid.tables[domain.headline]
    now, before, seen = table.now.value.copy(), table.before.value.copy(), table.seen_before.copy()
    now[scorecard.headline.row] = np.nan if value is None else value
    before[scorecard.headline.row] = np.nan if previous is None else previous
    seen[scorecard.headline.row] = table.days * comparable
    now[cards.rows(domain.headline)] = values
    changed = replace(
        table,
        now=replace(table.now, value=now),
        before=replace(table.before, value=before),
        seen_before=seen,
    )
    return with_table(replace(scorecard, cards=cards), changed)


def with_table(scorecard: Scorecard, table: MeasureTable) -> Scorecard:
    """The scorecard with other figures of its headline; of a domain without groups."""
    key, cards = scorecard.domain.headline, scorecard.cards
    grid = replace(cards.grid, tables={**cards.grid.tables, key: table})
    figures = {**scorecard.figures, key: Figure(table, scorecard.headline.row)}
    return replace(
        scorecard, figures=figures, cards=Cards(grid, cards.query, cards.members, cards.ranks)
    )


def without_data(scorecard: Scorecard, days_seen: int = 0) -> Scorecard:
    """The domain of the scorecard as no workspace has any figure of it; on so many days was looked."""
    figures = {m.key: figure(m, days_seen=days_seen) for m in scorecard.domain.measures}
    cards = rollup.assemble_nothing(scorecard.domain, 28).cards
    return Scorecard(scorecard.domain, figures, cards, seen=SeenDays(days_seen, None))


def _answers(slugs, names) -> tuple[Answer, ...]:
    return (
        _answer(
            "worst_change_failure_rate",
            "Worst change failure rate",
            f"{names[0]}: 31.0 %, 13 of 42 deployments (95 % interval 19.1 to 46.0 %), +9.4 pts, "
            "likely worse.",
            "31.0 %",
            (slugs[0], names[0], "analytics?period=28"),
            {"failed": 13, "deployments": 42, "interval_low": 0.191, "interval_high": 0.46},
        ),
        _answer(
            "closest_to_lapse",
            "Closest control to lapse",
            f"{names[1]}: SOC2 CC6.1 lapses in 4 days.",
            "4 d",
            (slugs[1], names[1], "governance/frameworks?period=28"),
            {"framework": "SOC2", "control": "CC6.1", "days": 4},
        ),
        _answer(
            "expiring_certificates",
            "Most expiring certificates",
            f"{names[2]} holds 21 of the 25 certificates that expire within 30 days (84 %).",
            "84 %",
            (slugs[2], names[2], "monitor/certs?within=30&status=expiring"),
            {"held": 21, "total": 25},
        ),
        Answer(
            "mttr_climbing",
            "MTTR climbing",
            "No workspace's MTTR rose three sprints in a row; 9 had enough incidents to judge.",
            evidence={"judged": 9},
        ),
    )


def _answer(key, question, sentence, figure, workspace, evidence) -> Answer:
    """An answer that names a workspace, by slug, name and the page behind it."""
    slug, name, page = workspace
    return Answer(key, question, sentence, True, figure, slug, name, f"/ws/{slug}/{page}", evidence)
