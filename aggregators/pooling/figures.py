"""A figure with its change and its evidence: a view on a row of a measure table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import overload

import numpy as np

from aggregators.pooling.changes import SAME
from aggregators.pooling.measure_table import NO_ROW, MeasureTable
from aggregators.signal.change import Verdict
from aggregators.signal.interval import CENTRAL_99, NINETEEN_OF_TWENTY, ChangeInterval
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import Evaluation, Measure, Status, Unit

Point = tuple[date, float | None]
Series = Sequence[Point]
"""Points (day, value), ascending; None is a gap."""

BANDS = np.array([[NINETEEN_OF_TWENTY], [CENTRAL_99]])
"""Standard errors to both sides of a point: of what is usual, and of what lies outside."""


class Tone(StrEnum):
    """How loud a change is shown: filled, outlined, as coloured text, as grey text."""

    WORSE = "worse"
    LIKELY_WORSE = "likely-worse"
    BETTER = "better"
    QUIET = "quiet"


TONES = {
    Verdict.WORSE: Tone.WORSE,
    Verdict.LIKELY_WORSE: Tone.LIKELY_WORSE,
    Verdict.LIKELY_BETTER: Tone.BETTER,
    Verdict.BETTER: Tone.BETTER,
    Verdict.WITHIN_NOISE: Tone.QUIET,
    Verdict.TOO_FEW: Tone.QUIET,
    Verdict.NO_COMPARISON: Tone.QUIET,
}


class Points(Sequence[Point]):
    """A series as its days and an array of values, NaN for a gap, infinite for a burn without end, which
    is a gap to whoever draws it: points are made when looked at."""

    __slots__ = ("days", "values")

    def __init__(self, days: Sequence[date], values: Array) -> None:
        self.days, self.values = days, values

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> Point: ...
    @overload
    def __getitem__(self, at: slice) -> Series: ...

    def __getitem__(self, at: int | slice) -> Point | Series:
        if isinstance(at, slice):
            return Points(self.days[at], self.values[at])
        return self.days[at], _finite(self.values.item(at))

    def __iter__(self) -> Iterator[Point]:
        return zip(self.days, map(_finite, self.values.tolist()), strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Numbers behind a figure; None where its kind of measure has none.

    ``n`` counts events. ``days_seen`` of ``days_expected`` days had a snapshot. ``name`` is the object that
    holds a maximum or minimum, ``workspace`` the slug of the workspace that holds the organisation's.
    """

    numerator: float | None = None
    denominator: float | None = None
    n: float | None = None
    days_seen: int = 0
    days_expected: int = 0
    name: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedBand:
    """Ends of the central 95 % of each point of a series, if nothing had changed since the days before; and
    whether it lies outside the central 99 %. NaN and False where nothing is known."""

    low: Array
    high: Array
    outside: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A measure over one period and scope, with the period before: a view on a row of its table.

    ``value``, ``previous`` and ``delta`` are in the measure's unit (durations seconds, ratios 0..1); None
    is no data. ``group`` names the group (a framework) that the figure is of; ``by`` are the figures of
    every group where this one stands for several.
    """

    table: MeasureTable
    row: int = NO_ROW
    group: str | None = None
    by: Mapping[str, Figure] | None = None

    @property
    def measure(self) -> Measure:
        """The measure that it is of, with the target that holds for its scope."""
        return self.table.measure_of_row(self.row)

    @property
    def value(self) -> float | None:
        """The figure of the period; None without data, and over budget."""
        return _finite(self.table.now.value.item(self.row))

    @property
    def previous(self) -> float | None:
        """The figure of the period before; None without data."""
        return _finite(self.table.before.value.item(self.row))

    @property
    def over_budget(self) -> bool:
        """Whether it burns without end: an infinite value."""
        return math.isinf(self.table.now.value.item(self.row))

    @property
    def has_data(self) -> bool:
        """Whether there is a figure at all."""
        return not math.isnan(self.table.now.value.item(self.row))

    @property
    def comparable(self) -> bool:
        """Whether at least half of the previous period's days were seen."""
        return bool(self.table.comparable[self.row])

    @property
    def low_sample(self) -> bool:
        """Whether too few events are behind it to rank it among the others."""
        return bool(self.table.low_sample[self.row])

    @property
    def status(self) -> Status:
        """Good, watch, bad or no data, by the measure's thresholds."""
        return self.table.status[self.row]

    @property
    def meets_target(self) -> bool | None:
        """Whether it reaches the target; None without data, and where there is no target."""
        return self.table.meets_target[self.row]

    @property
    def delta(self) -> float | None:
        """Difference to the previous period; None when they can not be compared."""
        return _finite(self.table.delta.item(self.row))

    @property
    def relative_delta(self) -> float | None:
        """The change as a fraction of the previous value; None for ratios and from 0."""
        return _finite(self.table.relative_delta.item(self.row))

    @property
    def evidence(self) -> Evidence:
        """Numbers behind the value."""
        table = self.table
        name = table.names[self.row] if table.names else None
        holder = table.holders[self.row] if table.holders else None
        return self._evidence(table.now, table.seen, name, holder)

    @property
    def previous_evidence(self) -> Evidence:
        """Numbers behind the previous value."""
        return self._evidence(self.table.before, self.table.seen_before)

    def _evidence(
        self,
        evaluation: Evaluation,
        seen: Array,
        name: str | None = None,
        holder: str | None = None,
    ) -> Evidence:
        return Evidence(
            _finite(evaluation.numerator.item(self.row)),
            _finite(evaluation.denominator.item(self.row)),
            _finite(evaluation.n.item(self.row)),
            int(seen.item(self.row)),
            self.table.days,
            name,
            holder,
        )

    @property
    def series(self) -> Points:
        """Points of the period; none where the scope has no row."""
        return self._points(self.table.points, self.table.series)

    @property
    def previous_series(self) -> Points:
        """Points of the period before."""
        return self._points(self.table.points_before, self.table.series_before)

    def _points(self, days: Sequence[date], series: Array) -> Points:
        return Points(days, series[self.row]) if self.row != NO_ROW else Points((), np.empty(0))

    @property
    def change(self) -> str:
        """``better``, ``worse``, ``same`` or ``none`` (no comparison)."""
        delta = self.delta
        if delta is None:
            return "none"
        if abs(delta) < SAME:
            return "same"
        return "worse" if self.measure.badness(delta) > 0 else "better"

    @property
    def verdict(self) -> Verdict:
        """Whether the change is more than chance."""
        return self.table.verdict[self.row]

    @property
    def drifting_since(self) -> date | None:
        """Since when the watch calls it drifting; None where it does not."""
        return self.table.drifts.get(self.row)

    @property
    def band(self) -> ExpectedBand | None:
        """Where the points are expected by the days before the period; None where nothing is."""
        if self.table.expected is None or self.row == NO_ROW:
            return None
        ends, outside = outside_of_bands(self.table, self.row)
        if not np.isfinite(ends.high[0]).any():
            return None
        return ExpectedBand(ends.low[0], ends.high[0], outside)

    @property
    def days_to_tell(self) -> float | None:
        """Days that a doubling (or halving) needs until the watch tells it; None if that is not known."""
        watched = self.table.watched
        return _finite(watched.days_to_tell.item(self.row)) if watched else None

    @property
    def tone(self) -> Tone:
        """How loud the change is shown: a test decides, and where nothing is sampled its standing."""
        if self.verdict is not Verdict.CERTAIN:
            return TONES[self.verdict]
        if self.change != "worse":
            return Tone.BETTER if self.change == "better" else Tone.QUIET
        return Tone.WORSE if self.status is Status.BAD else Tone.LIKELY_WORSE

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Figure) and self._all_that_shows() == other._all_that_shows()

    __hash__ = None  # type: ignore[assignment]

    def _all_that_shows(self) -> tuple[object, ...]:
        """Everything that a reader can see of it."""
        value, now, before = (
            self.table.now.value.item(self.row),
            self.evidence,
            self.previous_evidence,
        )
        figures = (None if math.isnan(value) else value, self.previous, self.delta, self.low_sample)
        series = tuple(self.series), tuple(self.previous_series)
        return self.measure, *figures, now, before, *series, self.group, self.by


def outside_of_bands(
    table: MeasureTable, rows: int | np.ndarray
) -> tuple[ChangeInterval, np.ndarray]:
    """Ends [band, point] of the points of a row, or [band, row, point] of several, and whether each point
    lies outside of the widest band, for a table in which something is expected."""
    assert table.expected is not None
    ends = table.expected.between(rows, BANDS if np.ndim(rows) == 0 else BANDS[:, None])
    values = table.series[rows]
    with np.errstate(invalid="ignore"):
        return ends, (values < ends.low[1]) | (values > ends.high[1])


def delta_unit(measure: Measure) -> str:
    """The unit of a change: ratios move in percentage points, everything else in its own unit."""
    return "points" if measure.unit is Unit.RATIO else measure.unit.value


def figure_of_groups(table: MeasureTable, rows: Mapping[str, int]) -> Figure:
    """The figure that stands for several groups, by name: the worst of them, the first of equal ones."""
    by = {group: Figure(table, row, group) for group, row in rows.items()}
    worst = max(by, key=lambda group: table.badness.item(rows[group]))
    return Figure(table, rows[worst], worst, by)
