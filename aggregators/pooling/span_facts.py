"""The facts of one snapshot table over the spans of a plan, from its rows as they came: a column of a
thousand workspaces is one gather. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from aggregators.pooling.facts import Facts, FactScope, JoinedDistributions, LazyFacts
from aggregators.pooling.plan import BEFORE, NOW, PARTS, Plan
from aggregators.pooling.snapshot_rows import (
    Borders,
    Durations,
    Events,
    SnapshotRows,
    StoredBorders,
    StoredDurations,
    number_of,
)
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import (
    DAYS_SEEN,
    FactsByName,
    Nature,
    or_zero,
    trailing_quantile,
)
from aggregators.vocabulary.sketch import QUANTILES, Histogram


@dataclass(frozen=True, eq=False)
class Trailing:
    """The distributions of a series: each scope's quantiles as the snapshot keeps them [scope, span],
    those of several scopes together from the events."""

    quantiles: Callable[[float], Array]
    together: Callable[[Sequence[np.ndarray]], Histogram]

    @property
    def n(self) -> Array:
        """Not kept for a point."""
        return np.full_like(self.quantiles(QUANTILES[0]), np.nan)

    @property
    def moments(self) -> Array:
        """Not kept for a point."""
        return np.full((3, *self.quantiles(QUANTILES[0]).shape), np.nan)

    def quantile(self, q: float) -> Array:
        """The q-quantile in seconds; NaN where there is none."""
        return self.quantiles(q)

    def merged(self, groups: Sequence[np.ndarray]) -> Histogram:
        """The durations of each group's scopes together, as [group, span]."""
        return self.together(groups)


class SpanFacts(LazyFacts):
    """The facts of every scope over the spans of one label."""

    def __init__(self, table: FactTable, label: str) -> None:
        super().__init__(table.natures)
        self.table, self.spans = table, table.plan.spans[label]
        self.label = label

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.array([number_of(s.start) for s in self.spans], np.int64)

    @cached_property
    def _ends(self) -> np.ndarray:
        """The border of each span's last day."""
        return self.table.borders.at(np.array([number_of(s.end) for s in self.spans], np.int64))

    @cached_property
    def _end_places(self) -> Any:
        """Places of the values at each span's end."""
        return self.table.borders.places(self._ends)

    @cached_property
    def _start_places(self) -> Any:
        """Places of the values on the day before each span."""
        borders = self.table.borders
        return borders.places(borders.at(self._starts - 1))

    @cached_property
    def within(self) -> np.ndarray:
        """Whether the row of the last day is of the span itself."""
        return np.asarray(self.table.borders.day[:, self._ends] >= self._starts)

    def forget(self) -> None:
        """Lets go of what was computed, in the table too."""
        super().forget()
        self.table.forget()

    def _fact(self, fact: str) -> Any:
        if fact == DAYS_SEEN:
            return self.table.days_seen(self)
        nature = self.table.natures[fact]
        if nature is Nature.DISTRIBUTION:
            return self._distribution(fact)
        return self.flow(f"{fact}_total") if nature is Nature.FLOW else self.level(fact)

    def flow(self, column: str) -> Array:
        """The running total at each span's last snapshot less that before its first day."""
        borders = self.table.borders
        before = borders.values(column, self._start_places)
        return self._of_span(borders.values(column, self._end_places) - or_zero(before))

    def level(self, column: str) -> Array:
        """The value of each span's last snapshot."""
        return self._of_span(self.table.borders.values(column, self._end_places))

    def _of_span(self, values: Array) -> Array:
        return values if self._is_whole else np.where(self.within, values, np.nan)

    @cached_property
    def _is_whole(self) -> bool:
        """Whether every span of every scope has a row of its own."""
        return bool(self.within.all())

    def _distribution(self, name: str) -> Any:
        durations = self.table.durations[name]
        if self.label in (NOW, BEFORE):
            return durations.of_period(self.label, self.within)
        window = self.spans[0].days
        return Trailing(
            lambda q: self.level(trailing_quantile(name, q, window)),
            lambda groups: durations.together(self.label, self.within, groups),
        )


class ComposedFacts(SpanFacts):
    """The facts of every scope over the spans of several labels, one after the other."""

    def __init__(self, table: FactTable, label: str, parts: Sequence[FactsByName]) -> None:
        super().__init__(table, label)
        self.parts = parts

    def _distribution(self, name: str) -> JoinedDistributions:
        return JoinedDistributions([part[name] for part in self.parts], axis=1)


@dataclass(frozen=True, eq=False)
class FactTable:
    """A snapshot table as it was read: what ``SpanFacts`` computes from."""

    scopes: Sequence[FactScope]
    plan: Plan
    natures: Mapping[str, Nature]
    borders: Borders
    durations: Mapping[str, Durations] = field(default_factory=dict)
    seen: Callable[[SpanFacts], Array] | None = None
    """Where the days seen are counted, when not in this table itself."""

    def forget(self) -> None:
        """Lets go of what was computed from the rows."""
        for durations in self.durations.values():
            durations.forget()

    def days_seen(self, spans: SpanFacts) -> Array:
        """On how many days of each span there is a snapshot."""
        return self.seen(spans) if self.seen else or_zero(spans.flow("days_total"))

    @cached_property
    def over(self) -> dict[str, SpanFacts]:
        """The facts by label, of the labels that have spans."""
        spans = self.plan.spans
        over = {label: SpanFacts(self, label) for label in spans if spans[label]}
        for label in PARTS.keys() & over.keys():
            parts = [over[part] for part in PARTS[label] if part in over]
            over[label] = ComposedFacts(self, label, parts)
        return over

    def facts(self, names: Mapping[str, Sequence[str | None]]) -> Facts:
        """The facts over every span of the plan. A name is of the period: one from before it, where the
        period itself has no snapshot, names nothing."""
        over = self.over
        within = over[NOW].within[:, 0]
        names_within = {
            label: [name if seen else None for name, seen in zip(given, within, strict=True)]
            for label, given in names.items()
        }
        end = self.borders.at(np.array([number_of(self.plan.period.end)], np.int64))
        return Facts(self.scopes, self.plan, over, names_within, self.borders.day[:, end[0]])


def usage_table(
    slugs: Sequence[str],
    plan: Plan,
    natures: Mapping[str, Nature],
    rows: SnapshotRows,
    events: Mapping[str, Events],
) -> FactTable:
    """The table with one scope a workspace: a border day stands for the last row on or before it."""
    days = border_days(plan)
    row = rows.last_on(days, len(slugs))
    borders = StoredBorders(days, _days(rows, row), row, rows)
    scopes = [(slug, "") for slug in slugs]
    return FactTable(scopes, plan, natures, borders, _durations(events, plan, len(scopes)))


def grouped_table(
    scopes: Sequence[FactScope],
    parents: np.ndarray,
    natures: Mapping[str, Nature],
    rows: SnapshotRows,
    events: Mapping[str, Events],
    usage: FactTable,
) -> FactTable:
    """The table with a scope a group: its row is that of the same day as its workspace's, whose index
    ``parents`` gives [scope]; a group that is not there that day has none."""
    days = usage.borders.day[parents]
    row = rows.rows_on(days)
    borders = StoredBorders(usage.borders.days, np.where(row >= 0, days, -1), row, rows)
    durations = _durations(events, usage.plan, len(scopes))
    return FactTable(
        scopes, usage.plan, natures, borders, durations, seen_of_parents(usage, parents)
    )


def seen_of_parents(usage: FactTable, parents: np.ndarray) -> Callable[[SpanFacts], Array]:
    """Days seen of groups: those of their workspaces, whose index ``parents`` gives [scope]."""
    over = usage.over
    return lambda spans: np.asarray(over[spans.label][DAYS_SEEN])[parents]


def border_days(plan: Plan) -> np.ndarray:
    """Border days of a plan as numbers, ascending."""
    return np.array([number_of(d) for d in plan.borders], np.int64)


def _durations(events: Mapping[str, Events], plan: Plan, scopes: int) -> dict[str, Durations]:
    return {name: StoredDurations(own, plan, scopes) for name, own in events.items()}


def _days(rows: SnapshotRows, row: np.ndarray) -> np.ndarray:
    if not len(rows.day):
        return np.full(row.shape, -1)
    return np.where(row >= 0, rows.day[row], -1)
