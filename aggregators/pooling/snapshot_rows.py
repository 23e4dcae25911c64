"""Stored snapshot rows and durations as arrays, and where in them a day stands. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.period import Span
from aggregators.vocabulary.sketch import BLOCK_DAYS, EPOCH, Histogram


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

    def exactly(self, days: np.ndarray) -> np.ndarray:
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
class Borders:
    """Rows that stand for the border days: ``row`` and its ``day`` as [scope, border], -1 for none."""

    days: np.ndarray
    row: np.ndarray
    day: np.ndarray

    def at(self, day: np.ndarray) -> np.ndarray:
        """The columns of some border days."""
        return np.searchsorted(self.days, day)


@dataclass(frozen=True, eq=False)
class Events:
    """The durations of one distribution: ``scope``, ``day``, ``bucket`` and ``count``, an element each."""

    scope: np.ndarray
    day: np.ndarray
    bucket: np.ndarray
    count: np.ndarray

    def until(self, last: date) -> Events:
        """The durations of the days up to ``last``."""
        kept = self.day <= number_of(last)
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
        start, first, last = map(number_of, (now.start, before.start, now.end))
        half = (self.day >= start).astype(np.intp)
        half[(self.day < first) | (self.day > last)] = 2
        half *= scopes
        half += self.scope
        half *= width
        half += self.bucket - low
        counts = np.bincount(half, self.count, 3 * scopes * width)
        return np.asarray(counts[: 2 * scopes * width].reshape(2, scopes, width))

    def together(
        self, spans: Sequence[Span], step: int, within: np.ndarray, groups: Sequence[np.ndarray]
    ) -> Histogram:
        """The durations of each group's scopes in trailing spans whose ends lie ``step`` days apart, as
        [group, span]; ``within`` [scope, span] says where a scope has data. A span is a whole number of
        steps, so each step is counted once."""
        low, width = self.range
        end, last = number_of(spans[-1].end), spans[0].days // step
        count = len(spans) + last - 1
        # Days after the end, and before the first step, are counted in a step that is left out.
        back = np.clip((end - self.day) // step, -1, count).astype(np.intp)
        back += 1
        if len(groups) > 1:
            back += self._group_of(groups, len(within)) * (count + 2)
        back *= width
        back += self.bucket - low
        size = len(groups) * (count + 2) * width
        steps = np.bincount(back, self.count, size).reshape(len(groups), -1, width)
        steps = steps[:, count:0:-1]
        running = np.concatenate([np.zeros((len(groups), 1, width)), steps.cumsum(axis=1)], axis=1)
        known = np.stack([within[rows].any(axis=0) for rows in groups])
        return Histogram(low, running[:, last:] - running[:, :-last], known)

    def _group_of(self, groups: Sequence[np.ndarray], scopes: int) -> np.ndarray:
        """The group of each duration's scope."""
        group = np.zeros(scopes, np.intp)
        for number, rows in enumerate(groups):
            group[rows] = number
        return np.asarray(group[self.scope])


def events_of(
    blocks: np.ndarray, scope: np.ndarray, lengths: np.ndarray, entries: tuple[np.ndarray, ...]
) -> Events:
    """The durations of one distribution: ``blocks`` [block] with the ``scope`` and the number of entries
    of each, and the entries of all in that order, as ``sketch.unpacked_days`` gives them."""
    day_in_block, bucket, count = entries
    day = np.repeat(blocks.astype(np.int32) * BLOCK_DAYS, lengths)
    day += day_in_block
    return Events(np.repeat(scope.astype(np.int32), lengths), day, bucket, count)
