"""A measure evaluated for many scopes at once: arrays with a row a scope. Pure numpy.

Everything that is said of a figure (status, change, low sample, how bad it is) is computed here, for all
rows together and only when somebody asks; a ``Figure`` is a view on a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property

import numpy as np

from aggregators.pooling.changes import (
    ChangeEvidence,
    ExpectedPoints,
    WatchedRows,
    change_evidence,
    drifts_of,
    expected_points,
    verdicts_on,
    watched_of,
)
from aggregators.pooling.plan import POOLED, STEPPED, Plan
from aggregators.signal.change import Verdict
from aggregators.signal.scatter import UNKNOWN, Scatter
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import (
    DAYS_SEEN,
    Better,
    Evaluation,
    FactsByName,
    Measure,
    Status,
    Unit,
    or_zero,
)
from aggregators.vocabulary.period import Compare

NO_ROW = -1
"""The row of a scope that has none. Every array but the series ends with a row without data, so that
looking this one up needs no question: a value more for each array."""


@dataclass(frozen=True, eq=False)
class MeasureTable:
    """A measure's figures, a row a scope: the organisation's groups first, then those of the workspaces.

    ``now`` and ``before`` are the period and the previous one, evaluated; ``seen`` and ``seen_before``
    the days with a snapshot; all float64 [row + 1], the last without data (``NO_ROW``). ``days`` is
    the length of the period. ``series`` and ``series_before`` are [row, point] on the days ``points`` and
    ``points_before``, NaN for a gap. ``names`` [row + 1] are the objects that hold an extreme,
    ``holders`` [row + 1] the slugs of the workspaces that do for a row of the organisation; empty
    where the measure names nothing. ``own`` is the measure of rows that have a target of their own.
    """

    measure: Measure
    now: Evaluation
    before: Evaluation
    seen: Array
    seen_before: Array
    days: int
    points: Sequence[date]
    points_before: Sequence[date]
    series: Array
    series_before: Array
    names: Sequence[str | None] = ()
    holders: Sequence[str | None] = ()
    change: ChangeEvidence | None = None
    drifts: Mapping[int, date] = field(default_factory=dict)
    own: Mapping[int, Measure] = field(default_factory=dict)
    watched: WatchedRows | None = None
    compare: Compare = Compare.PREVIOUS
    expected: ExpectedPoints | None = None

    @classmethod
    def of(
        cls,
        measure: Measure,
        over: Mapping[str, FactsByName],
        plan: Plan,
        names: Sequence[str | None] = (),
        scatter: Scatter = UNKNOWN,
        slugs: Sequence[str] = (),
    ) -> MeasureTable:
        """The measure over facts [row, span] by the plan's labels; ``names`` [row], and the
        workspaces' ``slugs`` [row] for what is known of how they ``scatter``."""
        evaluation = measure.evaluate(over[POOLED if measure.trailing else STEPPED])
        now, before = _both_periods(evaluation)
        days_seen = over[STEPPED][DAYS_SEEN]
        # A step without any snapshot is a gap, whatever its trailing window holds.
        points = np.where(days_seen > 0, evaluation.value, np.nan)[:, 2:]
        seen, seen_before = np.vstack([or_zero(days_seen[:, :2]), np.zeros(2)]).T
        change = change_evidence(measure, over, (now, before), plan, scatter, slugs)
        table = cls(
            measure,
            now,
            before,
            seen,
            seen_before,
            plan.period.days,
            plan.points,
            plan.points_before,
            points[:, : len(plan.points)],
            points[:, len(plan.points) :],
            [*names, None] if names else (),
            change=change,
            drifts=drifts_of(measure, scatter, slugs),
            watched=watched_of(measure, scatter, slugs),
            expected=expected_points(measure, over, plan, change, evaluation, scatter),
            compare=plan.period.compare,
        )
        return table._without_comparison() if table.compare is Compare.NONE else table

    def _without_comparison(self) -> MeasureTable:
        """The figures with nothing beside them."""
        nothing = np.full_like(self.now.value, np.nan)
        return replace(
            self,
            before=Evaluation(nothing, nothing, nothing, nothing),
            seen_before=np.zeros_like(self.seen_before),
            points_before=(),
            series_before=np.empty((len(self.series_before), 0)),
            change=None,
        )

    @classmethod
    def empty(cls, measure: Measure, days: int) -> MeasureTable:
        """A table without any scope, for a period of so many days."""
        nothing, never = Evaluation(*np.full((4, 1), np.nan)), np.zeros(1)
        none = np.empty((0, 0))
        return cls(measure, nothing, nothing, never, never, days, (), (), none, none)

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: what was computed from them is computed again, which is quicker than to
        read it from a file."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def comparable(self) -> np.ndarray:
        """Whether at least half of the previous period's days were seen; bool [row + 1]."""
        return np.asarray(self.seen_before * 2 >= self.days)

    @cached_property
    def low_sample(self) -> np.ndarray:
        """Whether fewer events are behind each figure than ``low_sample_below``; bool [row + 1]."""
        n = self.now.n
        low = (n > 0) & (n < self.measure.low_sample_below)
        return np.asarray(low & ~np.isnan(self.now.value))

    @cached_property
    def badness(self) -> Array:
        """How bad each figure is, higher is worse; over budget infinite, no data -infinite."""
        return self.bad(self.now.value)

    def bad(self, value: Array) -> Array:
        """How bad values of the measure are, as ``badness`` has it."""
        bad = np.where(np.isnan(value), -np.inf, self.measure.badness(value))
        return np.asarray(np.where(np.isinf(value), np.inf, bad))

    @cached_property
    def delta(self) -> Array:
        """Difference to the previous period, in the measure's unit; NaN where they can not be
        compared."""
        both_known = self.comparable & np.isfinite(self.now.value) & np.isfinite(self.before.value)
        nothing = np.full(len(both_known), np.nan)
        return np.asarray(
            np.subtract(self.now.value, self.before.value, out=nothing, where=both_known)
        )

    @cached_property
    def relative_delta(self) -> Array:
        """The change as a fraction of the previous value; NaN for ratios and from 0."""
        before = np.abs(self.before.value)
        both_known = (before > 0) & (self.measure.unit is not Unit.RATIO)
        nothing = np.full(len(both_known), np.nan)
        return np.asarray(np.divide(self.delta, before, out=nothing, where=both_known))

    @cached_property
    def verdict(self) -> list[Verdict]:
        """Verdict on each change; [row + 1]."""
        worse = 1.0 if self.measure.better is Better.LOWER else -1.0
        return verdicts_on(self.measure, self.change, self.delta, worse)

    @cached_property
    def status(self) -> list[Status]:
        """How each figure stands against its target; [row + 1]."""
        standing = self.measure.statuses(self.now.value)
        for row, measure in self.own.items():
            (standing[row],) = measure.statuses(self.now.value[row : row + 1])
        return standing

    @cached_property
    def meets_target(self) -> list[bool | None]:
        """Whether each figure reaches its target; None without data or a target; [row + 1]."""
        met = self.measure.meets(self.now.value)
        for row, measure in self.own.items():
            (met[row],) = measure.meets(self.now.value[row : row + 1])
        return met

    def shrunken(self, groups: Iterable[Sequence[int]]) -> Array:
        """Values as they are ranked: those of each group of rows drawn towards each other; [row + 1]."""
        values = self.now.value.copy()
        for group in groups if self.measure.prior else ():
            rows = np.array(group, int)
            rows = rows[np.isfinite(self.now.value[rows])]
            if len(rows):
                now = self.now
                parts = (now.value, now.numerator, now.denominator, now.n)
                values[rows] = self.measure.shrunken(Evaluation(*(part[rows] for part in parts)))
        return values

    def measure_of_row(self, row: int) -> Measure:
        """The measure with the target that holds for a row."""
        return self.own.get(row, self.measure)


def with_no_row(values: Array, last: float = np.nan) -> Array:
    """Values [row] with the one of ``NO_ROW`` behind them."""
    return np.append(values, last)


def _both_periods(evaluation: Evaluation) -> tuple[Evaluation, Evaluation]:
    """The period and the previous one, which stand first, each with the row of ``NO_ROW`` behind it."""
    parts = (evaluation.value, evaluation.numerator, evaluation.denominator, evaluation.n)
    both = np.full((2, len(parts), len(evaluation.value) + 1), np.nan)
    for number, part in enumerate(parts):
        both[:, number, :-1] = part[:, :2].T
    return Evaluation(*both[0]), Evaluation(*both[1])
