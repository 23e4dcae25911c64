"""Stored snapshot rows and durations as arrays, and where in them a day stands. Pure numpy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from aggregators.pooling.plan import BEFORE, NOW, Plan
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import Distribution
from aggregators.vocabulary.period import Span
from aggregators.vocabulary.sketch import BLOCK_DAYS, EPOCH, Histogram, Sketch


def number_of(day: date) -> int:
    """A day as the number that all arrays here count in."""
    return (day - EPOCH).days


@dataclass(frozen=True, eq=False)
class SnapshotRows:
    """Stored rows, ascending by scope and day: ``scope`` and ``day`` [row], ``numbers`` [column, row] in
    the order of ``columns``. A column has one element more, NaN: the row -1 is one without data."""

    scope: np.ndarray
    day: np.ndarray
    numbers: np.ndarray
    columns: Mapping[str, int]

    def column(self, name: str) -> Array:
        """A column, with NaN after its end."""
        return np.asarray(self.numbers[self.columns[name]])

    def last_on(self, borders: np.ndarray, scopes: int) -> np.ndarray:
        """Last row on or before each border, as [scope, border]; -1 where none is."""
        if not len(self.day):
            return np.full((scopes, len(borders)), -1)
        scope = np.arange(scopes)[:, None]
        row = np.searchsorted(self._keys, self._key(scope, borders[None, :]), side="right") - 1
        return np.where((row >= 0) & (self.scope[row] == scope), row, -1)

    def rows_on(self, days: np.ndarray) -> np.ndarray:
        """Row of each day, for days [scope, border]; -1 where there is none."""
        if not len(self.day):
            return np.full(days.shape, -1)
        key = self._key(np.arange(len(days))[:, None], days)
        row = np.minimum(np.searchsorted(self._keys, key), len(self.day) - 1)
        return np.where(self._keys[row] == key, row, -1)

    @cached_property
    def _keys(self) -> np.ndarray:
        return self._key(self.scope, self.day)

    @staticmethod
    def _key(scope: np.ndarray, day: np.ndarray) -> np.ndarray:
        return np.asarray((scope.astype(np.int64) << 32) + day)


@dataclass(frozen=True, eq=False)
class Borders(ABC):
    """Values of a snapshot table on the border days of a plan: ``days`` [border], ascending. ``day``
    [scope, border] is the day of the row that stands for a border day in a scope, -1 where none does."""

    days: np.ndarray
    day: np.ndarray

    def at(self, day: np.ndarray) -> np.ndarray:
        """The columns of some border days."""
        return np.searchsorted(self.days, day)

    @abstractmethod
    def places(self, borders: np.ndarray) -> Any:
        """Places of the values on some borders, given by their columns, which ``values`` takes."""

    @abstractmethod
    def values(self, column: str, places: Any) -> Array:
        """A column in some places, as [scope, border]; NaN where no row stands. To be read alone."""


@dataclass(frozen=True, eq=False)
class StoredBorders(Borders):
    """Border days of stored rows: ``row`` [scope, border] of those that stand for them, -1 for none."""

    row: np.ndarray
    rows: SnapshotRows

    def places(self, borders: np.ndarray) -> np.ndarray:
        """Rows of some borders, as [scope, border]."""
        return np.asarray(self.row[:, borders])

    def values(self, column: str, places: np.ndarray) -> Array:
        """A column in some rows."""
        return np.asarray(self.rows.column(column)[places])


@dataclass(frozen=True, eq=False)
class Events:
    """The durations of one distribution: ``scope``, ``day``, ``bucket`` and ``count``, an element each."""

    scope: np.ndarray
    day: np.ndarray
    bucket: np.ndarray
    count: np.ndarray

    def until(self, last: date) -> Events:
        """The durations of the days up to ``last``."""
        return self._where(self.day <= number_of(last))

    def since(self, first: int) -> Events:
        """The durations of the days from the one of this number on."""
        return self._where(self.day >= first)

    def _where(self, kept: np.ndarray) -> Events:
        if kept.all():
            return self
        return Events(self.scope[kept], self.day[kept], self.bucket[kept], self.count[kept])

    @cached_property
    def range(self) -> tuple[int, int]:
        """The lowest bucket and how many from it on there are."""
        if not len(self.bucket):
            return 0, 1
        low = int(self.bucket.min())
        return low, int(self.bucket.max()) - low + 1

    def halves(self, now: Span, before: Span, scopes: int) -> np.ndarray:
        """How many durations of each scope lie in each bucket, as [scope, bucket] of ``before`` and of
        ``now``, which follows it. One pass for both: with a year there are millions."""
        low, width = self.range
        half = self.half_of(now, before)
        half *= scopes
        half += self.scope
        half *= width
        half += self.bucket - low
        counts = np.bincount(half, self.count, 3 * scopes * width)
        return np.asarray(counts[: 2 * scopes * width].reshape(2, scopes, width))

    def half_of(self, now: Span, before: Span) -> np.ndarray:
        """0 for each duration of ``before``, 1 of ``now``, which follows it, else 2."""
        start, first, last = map(number_of, (now.start, before.start, now.end))
        half = (self.day >= start).astype(np.intp)
        half[(self.day < first) | (self.day > last)] = 2
        return half

    def steps_back(self, spans: Sequence[Span], step: int) -> np.ndarray:
        """Number of each duration's step of ``step`` days before the end of trailing spans, counted from 1;
        0 after the end, ``steps_of(spans, step) + 1`` before the first step."""
        end, count = number_of(spans[-1].end), steps_of(spans, step)
        return np.asarray(np.clip((end - self.day) // step, -1, count).astype(np.intp) + 1)

    def together(
        self, spans: Sequence[Span], step: int, within: np.ndarray, groups: Sequence[np.ndarray]
    ) -> Histogram:
        """The durations of each group's scopes in trailing spans whose ends lie ``step`` days apart, as
        [group, span]; ``within`` [scope, span] says where a scope has data. A span is a whole number of
        steps, so each step is counted once."""
        low, width = self.range
        count = steps_of(spans, step)
        cell = self.steps_back(spans, step)
        if len(groups) > 1:
            cell += self._group_of(groups, len(within)) * (count + 2)
        cell *= width
        cell += self.bucket - low
        counts = np.bincount(cell, self.count, len(groups) * (count + 2) * width)
        steps = counts.reshape(len(groups), -1, width)[:, 1 : count + 1]
        return trailing_histogram(steps, spans, step, low, within, groups)

    def _group_of(self, groups: Sequence[np.ndarray], scopes: int) -> np.ndarray:
        """The group of each duration's scope."""
        group = np.zeros(scopes, np.intp)
        for number, rows in enumerate(groups):
            group[rows] = number
        return np.asarray(group[self.scope])


def steps_of(spans: Sequence[Span], step: int) -> int:
    """Count of the steps that trailing spans, whose ends lie ``step`` days apart, cover together."""
    return len(spans) + spans[0].days // step - 1


def trailing_histogram(
    steps: np.ndarray,
    spans: Sequence[Span],
    step: int,
    low: int,
    within: np.ndarray,
    groups: Sequence[np.ndarray],
) -> Histogram:
    """Durations of each group's scopes in trailing spans, as [group, span], from those of each step
    [group, step, bucket], the newest step first, the buckets from ``low`` on."""
    oldest_first = steps[:, ::-1]
    nothing = np.zeros((len(steps), 1, steps.shape[2]))
    running = np.concatenate([nothing, oldest_first.cumsum(axis=1)], axis=1)
    has_data = np.stack([within[rows].any(axis=0) for rows in groups])
    length = spans[0].days // step
    return Histogram(low, running[:, length:] - running[:, :-length], has_data)


class Durations(ABC):
    """Durations of one distribution over the spans of a plan."""

    @abstractmethod
    def of_period(self, label: str, within: np.ndarray) -> PeriodDurations:
        """Durations of each scope in the one span of NOW or BEFORE; ``within`` [scope, 1] says where a
        scope has data."""

    @abstractmethod
    def together(self, label: str, within: np.ndarray, groups: Sequence[np.ndarray]) -> Histogram:
        """Durations of each group's scopes in the trailing spans of a label, as [group, span]."""

    def forget(self) -> None:  # noqa: B027 - not all compute anything that they keep
        """Lets go of what was computed."""


class PeriodDurations(Distribution, Protocol):
    """Durations of each scope in one span."""

    def take(self, rows: np.ndarray, column: int) -> list[Sketch | None]:
        """Sketches of some scopes; None where one has no data."""

    def merged(self, groups: Sequence[np.ndarray] | None = None) -> Histogram:
        """Durations of each group's scopes together, as [group, 1]."""


@dataclass(frozen=True, eq=False)
class StoredDurations(Durations):
    """Durations as they are stored, of so many scopes."""

    events: Events
    plan: Plan
    scopes: int

    def of_period(self, label: str, within: np.ndarray) -> Histogram:
        """Durations of each scope, counted once for both periods."""
        if "halves" not in self._counts_by_name:
            (now,), (before,) = self.plan.spans[NOW], self.plan.spans[BEFORE]
            self._counts_by_name["halves"] = self.events.halves(now, before, self.scopes)
        counts = self._counts_by_name["halves"][(BEFORE, NOW).index(label)]
        return Histogram(self.events.range[0], counts[:, None], within)

    def together(self, label: str, within: np.ndarray, groups: Sequence[np.ndarray]) -> Histogram:
        """Durations of each group's scopes, counted by step."""
        step = self.plan.period.step
        return self.events.together(self.plan.spans[label], step, within, groups)

    @cached_property
    def _counts_by_name(self) -> dict[str, np.ndarray]:
        return {}

    def forget(self) -> None:
        """Lets go of the counts of both periods."""
        self._counts_by_name.clear()


def events_of(
    blocks: np.ndarray, scope: np.ndarray, lengths: np.ndarray, entries: tuple[np.ndarray, ...]
) -> Events:
    """The durations of one distribution: ``blocks`` [block] with the ``scope`` and the number of entries
    of each, and the entries of all in that order, as ``sketch.unpacked_days`` gives them."""
    day_in_block, bucket, count = entries
    day = np.repeat(blocks.astype(np.int32) * BLOCK_DAYS, lengths)
    day += day_in_block
    return Events(np.repeat(scope.astype(np.int32), lengths), day, bucket, count)
