"""Measures of any kind: direction, unit, thresholds, words; their facts, and how they are evaluated.

The six kinds, which decide how a figure pools over days and over workspaces, are in ``kinds``, and what a
domain declares of its measures in ``domain``. Nothing else in the program knows any of this.

Figures are evaluated on *facts*: arrays of scopes by spans, one a fact, so that a thousand workspaces
are one sum.
Over the days of a span a FLOW and a DISTRIBUTION have been summed and a LEVEL is that of the last
snapshot; over workspaces a FLOW and a DISTRIBUTION are summed and a LEVEL follows its ``over``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import numpy as np

from aggregators.vocabulary.effects import Array, Effects

Amount = TypeVar("Amount", float, Array)


class Better(StrEnum):
    """The direction in which a figure improves."""

    HIGHER = "higher"
    LOWER = "lower"


class Unit(StrEnum):
    """Unit of a value. Durations are seconds; ``formats`` writes them."""

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


STATUSES = tuple(Status)


class Origin(StrEnum):
    """Giver of a value that can be set: each is followed by those that go before it."""

    DECLARATION = "declaration"
    ENVIRONMENT = "environment"
    ORGANISATION = "organisation"
    WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class MeasureTarget:
    """Value that a figure is to reach, whose it is, and since which day (None: ever). A declared bound is
    missed by a figure at it, one that somebody has set by figures beyond it alone."""

    value: float
    is_met_at: bool = False
    origin: Origin = Origin.DECLARATION
    since: date | None = None


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

    @property
    def moments(self) -> Array:
        """Number of durations, sum of their logs and of the squared logs [3, ...]."""

    def quantile(self, q: float) -> Array:
        """The q-quantile in seconds; NaN where there is none."""


def or_zero(values: Array) -> Array:
    """Values with 0 where nothing is known; in a fifth of the time of numpy's own, which asks for infinite
    ones too."""
    return np.where(np.isnan(values), 0.0, values)


FactsByName = Mapping[str, Any]
"""Facts by name, DAYS_SEEN among them: float arrays of one shape, NaN where there is no data; a
distribution is a ``Distribution`` of that shape."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A measure over facts: arrays of their shape, NaN where there is no data.

    ``n`` is the number of events behind the value (NaN when the kind has none).
    """

    value: Array
    numerator: Array
    denominator: Array
    n: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A benchmark band: it holds up to ``limit`` (in the measure's unit, included)."""

    name: str
    limit: float


@dataclass(frozen=True)
class Measure:
    """A measure of any kind: key, words, direction, unit, thresholds.

    ``watch`` and ``bad`` are the first values (in the direction of worse) that deserve the status;
    a measure without thresholds has nothing to flag. ``target`` stands where it is not ``bad``.
    ``only_where`` names a level fact that must be above 0, else there is no data ("not tracked").
    ``named_by`` is the label column that says which object holds a maximum or minimum. ``beside`` are
    keys shown next to this figure.
    """

    key: str
    title: str
    better: Better = field(kw_only=True)
    unit: Unit = field(default=COUNT, kw_only=True)
    definition: str = field(kw_only=True)
    why: str = field(default="", kw_only=True)
    watch: float | None = field(default=None, kw_only=True)
    bad: float | None = field(default=None, kw_only=True)
    target: MeasureTarget | None = field(default=None, kw_only=True)
    only_where: str | None = field(default=None, kw_only=True)
    named_by: str | None = field(default=None, kw_only=True)
    beside: tuple[str, ...] = field(default=(), kw_only=True)
    bands: tuple[Band, ...] = field(default=(), kw_only=True)
    of_total: str | None = field(default=None, kw_only=True)

    kind = "measure"
    low_sample_below = 0
    prior = ""
    """Name of the prior that ``shrunken`` draws figures towards; empty where nothing is sampled."""
    trailing = True
    """Points of the series pool ``Period.window`` days; a count or a level is of its step alone."""

    def natures(self) -> dict[str, Nature]:
        """The facts that it reads, and how each pools."""
        return {self.only_where: LEVEL_SUM} if self.only_where else {}

    def evaluate(self, facts: FactsByName) -> Evaluation:
        """Evaluates wherever there are facts; no data where no day was seen or not tracked."""
        raw = self._evaluate(facts)
        known = facts[DAYS_SEEN] > 0
        if self.only_where:
            known = known & (facts[self.only_where] > 0)
        value = np.where(known, raw.value, np.nan)
        return Evaluation(value, raw.numerator, raw.denominator, raw.n)

    def _evaluate(self, facts: FactsByName) -> Evaluation:
        raise TypeError(f"{type(self).__name__} is no kind of measure")

    def effects(self, now: FactsByName, before: FactsByName, days: Days) -> Effects:
        """Contributions of each workspace to the change of the pooled value, which has data in both
        periods. The facts are a workspace an element, in the same order, a distribution as a list of
        sketches; ``days`` are the days that the organisation saw, now and before."""
        parts = self.parts(self._evaluate(now), self._evaluate(before), days)
        if parts is None:
            raise TypeError(f"{type(self).__name__} is no kind of measure")
        return parts

    def parts(self, now: Evaluation, before: Evaluation, days: Days) -> Effects | None:
        """Contributions as ``effects`` gives them, from evaluations [workspace] alone; None of a kind that
        needs its facts."""
        return None

    def shrunken(self, evaluation: Evaluation) -> Array:
        """Values to rank workspaces by, from their evaluations (all with data), in the same order: each
        drawn towards the others by as much as chance may have moved it. A count, a level and a census are
        what they are."""
        return evaluation.value

    def statuses(self, values: Array) -> list[Status]:
        """How each value stands against the thresholds; NaN is no data, an infinite one is bad."""
        sign, at = 1 if self.better is LOWER else -1, STATUSES.index
        standing = np.full(len(values), at(Status.GOOD))
        for limit, status in ((self.watch, Status.WATCH), (self.bad, Status.BAD)):
            if limit is not None:
                standing[sign * values >= sign * limit] = at(status)
        standing[np.isnan(values)] = at(Status.NO_DATA)
        standing[np.isinf(values)] = at(Status.BAD)
        return [STATUSES[code] for code in standing.tolist()]

    @property
    def aim(self) -> MeasureTarget | None:
        """The target: what was set, else the declared one, else the first bad value."""
        if self.target is None and self.bad is not None:
            return MeasureTarget(self.bad)
        return self.target

    def meets(self, values: Array) -> list[bool | None]:
        """Whether each value reaches the target, an infinite one never; None for NaN and without a
        target."""
        aim = self.aim
        if aim is None:
            return [None] * len(values)
        with np.errstate(invalid="ignore"):
            spare = (aim.value - values) * (1 if self.better is LOWER else -1)
        met = (spare >= 0 if aim.is_met_at else spare > 0) & np.isfinite(values)
        answers: list[bool | None] = met.tolist()
        for at in np.flatnonzero(np.isnan(values)).tolist():
            answers[at] = None
        return answers

    def judged_by(self, target: MeasureTarget, watch: float | None) -> Measure:
        """The measure with a target that was set: off target beyond it, to be watched beyond ``watch``."""
        worse = np.inf if self.better is LOWER else -np.inf
        first = None if watch is None else float(np.nextafter(watch, worse))
        bad = float(np.nextafter(target.value, worse))
        return replace(self, target=target, watch=first, bad=bad)

    def badness(self, value: Amount) -> Amount:
        """A number that grows as the value gets worse, of one value or of each in an array; what worst
        first sorts by."""
        return value if self.better is LOWER else -value

    def band(self, value: float | None) -> str | None:
        """The name of the benchmark band that holds ``value``."""
        return None if value is None else self.bands_of(np.array([value]))[0]

    def bands_of(self, values: Array) -> list[str | None]:
        """Names of the benchmark bands that hold values, the best one of several; None where none does."""
        names = [band.name for band in self.bands]
        if not names:
            return [None] * len(values)
        limits = self.badness(np.array([band.limit for band in self.bands], float))
        # Of bands whose limits do not grow worse, the first that holds a value is its own.
        reached = np.maximum.accumulate(limits)
        at = np.searchsorted(reached, self.badness(values))
        return [[*names, None][n] for n in at.tolist()]
