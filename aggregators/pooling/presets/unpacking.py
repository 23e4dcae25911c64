"""Values of workspaces, as ``packing`` makes them -> the tables of a preset over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import orjson

from aggregators.pooling.plan import BEFORE, NOW, Plan
from aggregators.pooling.presets.form import BUCKETS, SUMMARY, Slots, TableForm
from aggregators.pooling.presets.packing import SIZE, Labels
from aggregators.pooling.snapshot_rows import Borders, Durations, trailing_histogram
from aggregators.pooling.span_facts import FactTable, border_days, seen_of_parents
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import Nature
from aggregators.vocabulary.sketch import QUANTILES, ZERO_BUCKET, Histogram, Sketch

LARGE = 1 << 22
"""Bytes from which on numpy asks for large pages."""
Places = list[tuple[int, int, int]]
"""Stretches of borders: the first place and the end of each in what is asked for, and its first border."""


@dataclass(frozen=True, eq=False)
class PackedBorders(Borders):
    """Border days of packed values: ``numbers`` [scope, column, border] in the order of ``columns``."""

    numbers: np.ndarray
    columns: Mapping[str, int]

    def places(self, borders: np.ndarray) -> Places:
        """Stretches of borders that follow one another: a copy of a stretch takes a third of the time that
        picking its borders does."""
        ends = [*(np.flatnonzero(np.diff(borders) != 1) + 1).tolist(), len(borders)]
        begins = [0, *ends[:-1]]
        pairs = zip(begins, ends, strict=True)
        return [(a, b, int(borders[a])) for a, b in pairs if b > a]

    def values(self, column: str, places: Places) -> Array:
        """A column on some borders."""
        values = self.numbers[:, self.columns[column]]
        if len(places) == 1:
            ((_, count, first),) = places
            return values[:, first : first + count]
        chosen = np.empty((len(values), places[-1][1] if places else 0))
        for a, b, first in places:
            chosen[:, a:b] = values[:, first : first + b - a]
        return chosen


@dataclass(frozen=True, eq=False)
class PackedDurations(Durations):
    """Durations by the slot and the bucket that they lie in: ``bucket`` and ``count``, an element an entry,
    of each scope and slot as many as ``lengths`` [scope, slot] has; ``summaries`` [scope, period, number]
    of the period before and of the period."""

    plan: Plan
    lengths: np.ndarray
    bucket: np.ndarray
    count: np.ndarray
    summaries: np.ndarray

    @cached_property
    def _slots(self) -> Slots:
        return Slots.of(self.plan)

    @cached_property
    def _counts_by_number(self) -> dict[int, tuple[Sequence[np.ndarray], int, np.ndarray]]:
        return {}

    def forget(self) -> None:
        """Lets go of what was counted."""
        self._counts_by_number.clear()

    def of_period(self, label: str, within: np.ndarray) -> PackedPeriod:
        """Durations of each scope in NOW or BEFORE."""
        return PackedPeriod(self, (BEFORE, NOW).index(label), within)

    def together(self, label: str, within: np.ndarray, groups: Sequence[np.ndarray]) -> Histogram:
        """Durations of each group's scopes in the trailing spans of a label. Raises KeyError for a label of
        which no steps are packed."""
        first, steps = self._slots.first[label], self._slots.steps[label]
        low, counts = self.merged(groups)
        spans, step = self.plan.spans[label], self.plan.period.step
        return trailing_histogram(
            counts[:, first : first + steps], spans, step, low, within, groups
        )

    def merged(self, groups: Sequence[np.ndarray]) -> tuple[int, np.ndarray]:
        """Lowest bucket, and how many durations of each group's scopes lie in each slot and bucket [group,
        slot, bucket]. Counted once for all spans."""
        counted = self._counts_by_number.get(len(groups))
        if counted is None or not _are_same(groups, counted[0]):
            counted = groups, *self._count_groups(groups)
            self._counts_by_number[len(groups)] = counted
        _, low, counts = counted
        return low, counts

    def _count_groups(self, groups: Sequence[np.ndarray]) -> tuple[int, np.ndarray]:
        group = np.zeros(len(self.lengths), np.intp)
        for number, rows in enumerate(groups):
            group[rows] = number
        slots = np.arange(self._slots.count) * BUCKETS
        first = group[:, None] * (self._slots.count * BUCKETS) + slots
        cell = np.repeat(first.ravel(), self.lengths.ravel())
        cell += self.bucket
        counts = np.bincount(cell, self.count, len(groups) * self._slots.count * BUCKETS)
        counts = counts.reshape(len(groups), -1, BUCKETS)
        (filled,) = np.nonzero(counts.any(axis=(0, 1)))
        if not len(filled):
            return 0, counts[:, :, :1]
        return int(filled[0]) + ZERO_BUCKET, counts[:, :, filled[0] : filled[-1] + 1]

    def histogram_of_period(self, period: int, has_data: np.ndarray) -> Histogram:
        """Every bucket of a period, for what its summaries do not say."""
        scopes, slots = self.lengths.shape
        scope, slot = np.divmod(np.repeat(np.arange(scopes * slots), self.lengths.ravel()), slots)
        chosen = slot == period
        bucket, scope, count = self.bucket[chosen], scope[chosen], self.count[chosen]
        low = int(bucket.min(initial=BUCKETS)) if len(bucket) else 0
        counts = np.zeros((len(self.summaries), 1, int(bucket.max(initial=low)) - low + 1))
        np.add.at(counts, (scope, 0, bucket - low), count)
        return Histogram(low + ZERO_BUCKET, counts, has_data)


def _are_same(groups: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    return all(a is b or np.array_equal(a, b) for a, b in zip(groups, others, strict=True))


@dataclass(frozen=True, eq=False)
class PackedPeriod:
    """Durations of each scope in one period, as [scope, 1]: numbers that the night has computed."""

    durations: PackedDurations
    period: int
    known: np.ndarray

    @property
    def n(self) -> Array:
        """How many durations each holds; NaN where there is no data."""
        return np.where(self.known, self.durations.summaries[:, self.period, :1], np.nan)

    @property
    def moments(self) -> Array:
        """How many durations each holds, the sum of their logs and of the squared logs [3, scope, 1]."""
        return np.asarray(self.durations.summaries[:, self.period, :3].T[..., None])

    def quantile(self, q: float) -> Array:
        """The q-quantile of each in seconds; NaN where it holds nothing."""
        if q not in QUANTILES:
            return self._histogram.quantile(q)
        at = 3 + QUANTILES.index(q)
        return np.where(self.known, self.durations.summaries[:, self.period, at : at + 1], np.nan)

    def merged(self, groups: Sequence[np.ndarray] | None = None) -> Histogram:
        """Durations of each group's scopes together, of all without groups."""
        every = [np.arange(len(self.known))] if groups is None else groups
        low, counts = self.durations.merged(every)
        known = np.stack([self.known[rows].any(axis=0) for rows in every])
        return Histogram(low, counts[:, self.period : self.period + 1], known)

    def take(self, rows: np.ndarray, column: int) -> list[Sketch | None]:
        """Sketches of some scopes."""
        return self._histogram.take(rows, column)

    @cached_property
    def _histogram(self) -> Histogram:
        return self.durations.histogram_of_period(self.period, self.known)


@dataclass(slots=True)
class _Sections:
    """Sections of many values, each read of all of them at once."""

    parts: Sequence[Sequence[memoryview]]
    at: int = field(default=0)

    def take(self) -> Sequence[memoryview]:
        """The next section of every value."""
        self.at += 1
        return self.parts[self.at - 1]

    def numbers(self, kind: str) -> np.ndarray:
        """The next section of every value, as one array. A large one is numpy's own memory, which comes in
        large pages: bytes come in small ones, and to have them at all takes as long as the copy."""
        parts = self.take()
        if sum(map(len, parts)) < LARGE:
            return np.frombuffer(b"".join(parts), kind)
        return np.concatenate([np.frombuffer(part, kind) for part in parts])


def sections_of(forms: Sequence[TableForm]) -> int:
    """Number of the sections of a value."""
    return 1 + sum(2 + 4 * len(form.distributions) for form in forms)


def broken_values(values: Sequence[bytes], forms: Sequence[TableForm]) -> list[int]:
    """Places of the values that are not as long as they say."""
    count = sections_of(forms)
    header = count * SIZE.itemsize
    long_enough = [n for n, value in enumerate(values) if len(value) >= header]
    stated_lengths = np.full(len(values), -1, np.int64)
    stated_lengths[long_enough] = (
        _sizes([values[n] for n in long_enough], count).sum(axis=1) + header
    )
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    return list(np.flatnonzero(stated_lengths != lengths).tolist())


def _sizes(values: Sequence[bytes], count: int) -> np.ndarray:
    """Lengths of the sections of each value [value, section]."""
    heads = b"".join([value[: count * SIZE.itemsize] for value in values])
    return np.frombuffer(heads, SIZE).reshape(len(values), count).astype(np.int64)


def _sections(values: Sequence[bytes], forms: Sequence[TableForm]) -> _Sections:
    count = sections_of(forms)
    header = count * SIZE.itemsize
    ends = _sizes(values, count).cumsum(axis=1) + header
    begins = np.concatenate([np.full((len(values), 1), header), ends[:, :-1]], axis=1)
    views = [memoryview(value) for value in values]
    parts = [
        [view[a:b] for view, a, b in zip(views, first, last, strict=True)]
        for first, last in zip(begins.T.tolist(), ends.T.tolist(), strict=True)
    ]
    return _Sections(parts)


def unpack_tables(
    values: Sequence[bytes],
    slugs: Sequence[str],
    plan: Plan,
    forms: Sequence[TableForm],
    natures: Mapping[str, Mapping[str, Nature]],
) -> dict[str, tuple[FactTable, Labels]]:
    """Tables by name, with their labels, of workspaces with these ``slugs``. The first of the ``forms`` is
    the one without groups. Values are whole."""
    sections = _sections(values, forms)
    texts = [orjson.loads(text) for text in sections.take()]
    days, usage = border_days(plan), None
    tables: dict[str, tuple[FactTable, Labels]] = {}
    for n, form in enumerate(forms):
        own = [text[n] for text in texts]
        owner = np.repeat(np.arange(len(values)), [len(groups) for groups, _ in own])
        groups = [group for groups_of_workspace, _ in own for group in groups_of_workspace]
        scopes = [(slugs[at], group) for at, group in zip(owner.tolist(), groups, strict=True)]
        day = sections.numbers("<i4").reshape(-1, len(days))
        numbers = sections.numbers("<f8").reshape(-1, len(form.columns), len(days))
        borders = PackedBorders(days, day, numbers, {c: i for i, c in enumerate(form.columns)})
        durations = {name: _durations(sections, plan) for name in form.distributions}
        seen = seen_of_parents(usage, owner) if usage else None
        table = FactTable(scopes, plan, natures[form.table], borders, durations, seen)
        usage = usage or table
        tables[form.table] = table, _labels([labels for _, labels in own])
    return tables


def _durations(sections: _Sections, plan: Plan) -> PackedDurations:
    lengths, bucket, count = (sections.numbers("<u2") for _ in range(3))
    lengths = lengths.reshape(-1, Slots.of(plan).count)
    summaries = sections.numbers("<f8").reshape(-1, 2, SUMMARY)
    return PackedDurations(plan, lengths, bucket, count, summaries)


def _labels(by_workspace: Sequence[Mapping[str, Sequence[str | None]]]) -> Labels:
    names = by_workspace[0] if by_workspace else ()
    return {name: [value for labels in by_workspace for value in labels[name]] for name in names}
