"""The vocabulary in which a KPI domain is declared: Domain, and the six kinds of measure.

A kind decides how a figure pools over days and over workspaces; a measure adds direction, unit,
thresholds and words. Nothing else in the program knows any of this (kpis, section 1).

Figures are evaluated on *facts*: arrays of scopes by spans, one a fact, so that a thousand workspaces
are one sum.
Over the days of a span a FLOW and a DISTRIBUTION have been summed and a LEVEL is that of the last
snapshot; over workspaces a FLOW and a DISTRIBUTION are summed and a LEVEL follows its ``over``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aggregators import effects
from aggregators.effects import Array, Effects

if TYPE_CHECKING:
    from aggregators.listing import Listing


class Better(StrEnum):
    """The direction in which a figure improves."""

    HIGHER = "higher"
    LOWER = "lower"


class Unit(StrEnum):
    """What a value counts. Durations are seconds; formats belong to ``aggregators.words``."""

    COUNT = "count"
    RATIO = "ratio"
    SECONDS = "seconds"
    PER_DAY = "per_day"
    BURN = "burn"
    DAYS = "days"


class Status(StrEnum):
    """How a value stands against its thresholds."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"
    NO_DATA = "no_data"


class Nature(StrEnum):
    """How a fact, one column of the snapshot, pools over days and over workspaces."""

    FLOW = "flow"
    DISTRIBUTION = "distribution"
    LEVEL_SUM = "level_sum"
    LEVEL_MAX = "level_max"
    LEVEL_MIN = "level_min"


HIGHER, LOWER = Better.HIGHER, Better.LOWER
COUNT, RATIO, SECONDS = Unit.COUNT, Unit.RATIO, Unit.SECONDS
PER_DAY, BURN, DAYS = Unit.PER_DAY, Unit.BURN, Unit.DAYS
LEVEL_SUM, LEVEL_MAX, LEVEL_MIN = Nature.LEVEL_SUM, Nature.LEVEL_MAX, Nature.LEVEL_MIN

LOW_SAMPLE_RATIO, LOW_SAMPLE_MEAN = 10, 3


def trailing_quantile(distribution: str, q: float, window: int) -> str:
    """The snapshot's column with a quantile of the ``window`` days that end with the row's:
    "lead_time_p50_7"."""
    return f"{distribution}_p{round(q * 100)}_{window}"


DAYS_SEEN = "days_seen"
"""The fact that counts the snapshot days behind each row and span."""


Days = tuple[float, float]
"""Days seen now and before."""


class Distribution(Protocol):
    """The durations behind each row and span: a ``sketch.Histogram``, or quantiles known already."""

    @property
    def n(self) -> Array:
        """How many durations; NaN where there is no data."""

    def quantile(self, q: float) -> Array:
        """The q-quantile in seconds; NaN where there is none."""


Facts = Mapping[str, Any]
"""Facts by name, DAYS_SEEN among them: float arrays of one shape, NaN where there is no data; a
distribution is a ``Distribution`` of that shape."""
QUANTILES = (0.5, 0.9)
"""Those that the snapshot keeps for the trailing windows."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One measure over facts: arrays of their shape, NaN where there is no data.

    ``n`` is the number of events behind the value (NaN when the kind has none).
    """

    value: Array
    numerator: Array
    denominator: Array
    n: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One benchmark band: it holds up to ``limit`` (in the measure's unit, included)."""

    name: str
    limit: float


@dataclass(frozen=True)
class Measure:
    """What every kind has: key, words, direction, unit, thresholds.

    ``watch`` and ``bad`` are the first values (in the direction of worse) that deserve the status;
    a measure without thresholds has nothing to flag. ``only_where`` names a level fact that must be
    above 0, else there is no data ("not tracked"). ``named_by`` is the label column that says which
    object holds a maximum or minimum. ``beside`` are keys shown next to this figure.
    """

    key: str
    title: str
    better: Better = field(kw_only=True)
    unit: Unit = field(default=COUNT, kw_only=True)
    definition: str = field(kw_only=True)
    why: str = field(default="", kw_only=True)
    watch: float | None = field(default=None, kw_only=True)
    bad: float | None = field(default=None, kw_only=True)
    only_where: str | None = field(default=None, kw_only=True)
    named_by: str | None = field(default=None, kw_only=True)
    beside: tuple[str, ...] = field(default=(), kw_only=True)
    bands: tuple[Band, ...] = field(default=(), kw_only=True)
    of_total: str | None = field(default=None, kw_only=True)

    kind = "measure"
    low_sample_below = 0
    trailing = True
    """Points of the series pool ``Period.window`` days; a count or a level is of its step alone."""

    def natures(self) -> dict[str, Nature]:
        """The facts that it reads, and how each pools."""
        return {self.only_where: LEVEL_SUM} if self.only_where else {}

    def evaluate(self, facts: Facts) -> Evaluation:
        """Its value wherever there are facts; no data where no day was seen or not tracked."""
        raw = self._evaluate(facts)
        known = facts[DAYS_SEEN] > 0
        if self.only_where:
            known = known & (facts[self.only_where] > 0)
        return replace(raw, value=np.where(known, raw.value, np.nan))

    def _evaluate(self, facts: Facts) -> Evaluation:
        raise TypeError(f"{type(self).__name__} is no kind of measure")

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        """What each workspace contributes to the change of the pooled value, which has data in both
        periods. The facts are a workspace an element, in the same order, a distribution as a list of
        sketches; ``days`` are the days that the organisation saw, now and before."""
        raise TypeError(f"{type(self).__name__} is no kind of measure")

    def status(self, value: float | None) -> Status:
        """How ``value`` stands against the thresholds."""
        if value is None:
            return Status.NO_DATA
        sign = 1 if self.better is LOWER else -1
        for limit, status in ((self.bad, Status.BAD), (self.watch, Status.WATCH)):
            if limit is not None and sign * value >= sign * limit:
                return status
        return Status.GOOD

    def badness(self, value: float) -> float:
        """A number that grows as the value gets worse; what worst first sorts by."""
        return value if self.better is LOWER else -value

    def band(self, value: float | None) -> str | None:
        """The name of the benchmark band that holds ``value``."""
        if value is None or not self.bands:
            return None
        sign = 1 if self.better is LOWER else -1
        return next((b.name for b in self.bands if sign * value <= sign * b.limit), None)

    def is_low_sample(self, n: float | None) -> bool:
        """Too few events behind the figure to rank it among the others."""
        return n is not None and 0 < n < self.low_sample_below


def _nothing(facts: Facts) -> Array:
    return np.full_like(facts[DAYS_SEEN], np.nan)


def _total(facts: Facts, columns: tuple[str, ...]) -> Array:
    """The sum of what is known; NaN where nothing is."""
    if len(columns) == 1:
        return np.asarray(facts[columns[0]])
    each = np.stack([facts[column] for column in columns])
    unknown = np.isnan(each)
    return np.where(unknown.all(axis=0), np.nan, np.where(unknown, 0.0, each).sum(axis=0))


def _quotient(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _pooled(now: Facts, before: Facts, part: tuple[str, ...], whole: tuple[str, ...]) -> Effects:
    parts, wholes = ((_total(now, c), _total(before, c)) for c in (part, whole))
    return effects.midpoint(parts, wholes)


@dataclass(frozen=True)
class Count(Measure):
    """A flow: summed over days, summed over workspaces."""

    of: str = field(kw_only=True)

    kind = "count"
    trailing = False

    def natures(self) -> dict[str, Nature]:
        return super().natures() | {self.of: Nature.FLOW}

    def _evaluate(self, facts: Facts) -> Evaluation:
        count = facts[self.of]
        return Evaluation(count, count, _nothing(facts), count)

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        return effects.difference(now[self.of], before[self.of])


CHANGED = {
    LEVEL_SUM: effects.difference,
    LEVEL_MAX: effects.highest,
    LEVEL_MIN: effects.lowest,
}
"""How the change of a level falls to the workspaces, by how it pools over them."""


@dataclass(frozen=True)
class Level(Measure):
    """A gauge: the last snapshot within the period; the facts ``of`` are added up on each row."""

    of: tuple[str, ...] = field(kw_only=True)
    over: Nature = field(default=LEVEL_SUM, kw_only=True)

    kind = "level"
    trailing = False

    def __post_init__(self) -> None:
        if self.over is not LEVEL_SUM and len(self.of) != 1:
            raise ValueError(f"{self.key}: a maximum or minimum is of one fact")

    def natures(self) -> dict[str, Nature]:
        return super().natures() | dict.fromkeys(self.of, self.over)

    def _evaluate(self, facts: Facts) -> Evaluation:
        level = _total(facts, self.of)
        numerator = level if self.over is LEVEL_SUM else _nothing(facts)
        return Evaluation(level, numerator, _nothing(facts), _nothing(facts))

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        return CHANGED[self.over](*(_total(facts, self.of) for facts in (now, before)))


@dataclass(frozen=True)
class Rate(Measure):
    """A flow per day seen."""

    of: str = field(kw_only=True)
    unit: Unit = field(default=PER_DAY, kw_only=True)

    kind = "rate"

    def natures(self) -> dict[str, Nature]:
        return super().natures() | {self.of: Nature.FLOW}

    def _evaluate(self, facts: Facts) -> Evaluation:
        count, days = facts[self.of], facts[DAYS_SEEN]
        return Evaluation(_quotient(count, days), count, days, count)

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        counts = (facts[self.of] for facts in (now, before))
        return effects.difference(*(c / seen for c, seen in zip(counts, days, strict=True)))


@dataclass(frozen=True)
class Ratio(Measure):
    """Numerators over denominators, pooled; of flows, or ``at_end`` of levels (a census, no sample)."""

    part: tuple[str, ...] = field(kw_only=True)
    whole: tuple[str, ...] = field(kw_only=True)
    at_end: bool = field(default=False, kw_only=True)
    unit: Unit = field(default=RATIO, kw_only=True)

    kind = "ratio"

    @property
    def low_sample_below(self) -> int:  # type: ignore[override]
        """Ten events; a census of objectives, controls or vendors is complete whatever its size."""
        return 0 if self.at_end else LOW_SAMPLE_RATIO

    @property
    def trailing(self) -> bool:  # type: ignore[override]
        """A level has no days to pool."""
        return not self.at_end

    def natures(self) -> dict[str, Nature]:
        nature = LEVEL_SUM if self.at_end else Nature.FLOW
        return super().natures() | dict.fromkeys(self.part + self.whole, nature)

    def _evaluate(self, facts: Facts) -> Evaluation:
        part, whole = _total(facts, self.part), _total(facts, self.whole)
        return Evaluation(_quotient(part, whole), part, whole, whole)

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        return _pooled(now, before, self.part, self.whole)


@dataclass(frozen=True)
class Mean(Measure):
    """A sum over a count, pooled: never an average of averages."""

    total: str = field(kw_only=True)
    count: str = field(kw_only=True)
    unit: Unit = field(default=SECONDS, kw_only=True)

    kind = "mean"
    low_sample_below = LOW_SAMPLE_MEAN

    def natures(self) -> dict[str, Nature]:
        return super().natures() | dict.fromkeys((self.total, self.count), Nature.FLOW)

    def _evaluate(self, facts: Facts) -> Evaluation:
        total, count = facts[self.total], facts[self.count]
        return Evaluation(_quotient(total, count), total, count, count)

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        return _pooled(now, before, (self.total,), (self.count,))


@dataclass(frozen=True)
class Quantile(Measure):
    """A quantile of the merged distributions, within 2 % of the exact one over the raw records."""

    of: str = field(kw_only=True)
    q: float = field(kw_only=True)
    unit: Unit = field(default=SECONDS, kw_only=True)

    kind = "quantile"
    low_sample_below = LOW_SAMPLE_MEAN

    def __post_init__(self) -> None:
        if self.q not in QUANTILES:
            raise ValueError(f"{self.key}: the snapshot keeps no {self.q}-quantile")

    def natures(self) -> dict[str, Nature]:
        return super().natures() | {self.of: Nature.DISTRIBUTION}

    def _evaluate(self, facts: Facts) -> Evaluation:
        found: Distribution = facts[self.of]
        return Evaluation(found.quantile(self.q), _nothing(facts), found.n, found.n)

    def effects(self, now: Facts, before: Facts, days: Days) -> Effects:
        return effects.quantile(now[self.of], before[self.of], self.q)


USAGE, COMPLIANCE = "workspace_usage_snapshot", "compliance_snapshot_history"


@dataclass(frozen=True, kw_only=True)
class Domain:
    """One KPI domain: everything that the tile, cards, API, PDF and documentation derive from.

    ``headline`` is the tile's figure and the default ranking; ``supporting`` the measures beneath
    it; ``ties`` the measures that decide between equal headlines; ``worst_by`` the measure by which
    the tile names its worst workspace (the headline when None). ``table`` holds the facts, ``by``
    its group column when the domain has one figure per group and never pools across groups.
    ``picture`` names the layout of the expansion: cards, matrix or bars. ``page_query`` is added to
    links into ``workspace_page``. ``records`` is what the workspace page lists beneath the figures.
    """

    key: str
    title: str
    order: int
    headline: str
    workspace_page: str
    measures: tuple[Measure, ...]
    supporting: tuple[str, ...]
    ties: tuple[str, ...] = ()
    worst_by: str | None = None
    table: str = USAGE
    by: str | None = None
    picture: str = "cards"
    empty: str = "No data in this period."
    columns: tuple[str, ...] = ()
    cell_queries: Mapping[str, str] = field(default_factory=dict)
    drop_alert: float | None = None
    target: float | None = None
    records: Listing | None = None

    def __post_init__(self) -> None:
        keys = [m.key for m in self.measures]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{self.key}: a measure key stands twice")
        named = {self.headline, *self.supporting, *self.ties, *self.columns, *self.cell_queries}
        named |= {self.worst_by} - {None}  # type: ignore[arg-type]
        named |= {b for m in self.measures for b in m.beside}
        if unknown := named - set(keys):
            raise ValueError(f"{self.key}: no measure {', '.join(sorted(unknown))}")
        self.natures()

    def measure(self, key: str) -> Measure:
        """The measure with that key. Raises KeyError."""
        for measure in self.measures:
            if measure.key == key:
                return measure
        raise KeyError(key)

    def natures(self) -> dict[str, Nature]:
        """Every fact that its measures read. Raises ValueError when two disagree on one."""
        found: dict[str, Nature] = {}
        for measure in self.measures:
            for fact, nature in measure.natures().items():
                if found.setdefault(fact, nature) is not nature:
                    raise ValueError(f"{self.key}: {fact} is both {found[fact]} and {nature}")
        return found

    def labels(self) -> set[str]:
        """The label columns that its measures are named by."""
        return {m.named_by for m in self.measures if m.named_by}

    def page(self, slug: str) -> str:
        """The path of its page in a workspace."""
        return self.workspace_page.format(slug=slug)
