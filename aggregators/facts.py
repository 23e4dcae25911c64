"""Packed snapshot rows -> facts: arrays of scopes by spans. Pure numpy.

A scope is a workspace, or one of its groups (a framework). Everything is computed when it is asked for,
from the rows as they came: a column of a thousand workspaces is one gather.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from aggregators.effects import Array
from aggregators.measure import DAYS_SEEN, QUANTILES, Distribution, Nature, trailing_quantile
from aggregators.measure import Facts as Named
from aggregators.period import Span
from aggregators.sketch import BLOCK_DAYS, EPOCH, Histogram
from aggregators.spans import BEFORE, NOW, Plan

Scope = tuple[str, str]
"""A workspace's slug and a group, "" in a domain without groups."""


def number_of(day: date) -> int:
    """A day as the number that all arrays here count in."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Facts:
    """The facts of one snapshot table.

    ``over`` gives, by what a plan's spans serve (NOW, TRAILING, ...), every fact as [scope, span], and
    distributions in that shape. ``names`` are label columns by name: for each scope, what its object is
    called at the end of the period (None where nothing).
    """

    scopes: Sequence[Scope]
    plan: Plan
    over: Mapping[str, Named]
    names: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """The rows of each group, by name; a domain without groups has the one called ""."""
        found: dict[str, list[int]] = {}
        for row, (_, group) in enumerate(self.scopes):
            found.setdefault(group, []).append(row)
        return {group: np.array(found[group], int) for group in sorted(found)}

    def forget(self) -> None:
        """Lets go of what was computed. The domains of a table read different facts: kept for all of
        them, those of a thousand workspaces take 100 MB."""
        for facts in self.over.values():
            if isinstance(facts, SpanFacts):
                facts.forget()

    def pooled(
        self, label: str, natures: Mapping[str, Nature], seen: float | None = None
    ) -> PooledFacts:
        """The organisation's facts over the spans of a label, as [group, span]; ``seen`` replaces the
        number of days seen, where there are any."""
        return PooledFacts(self, label, natures, seen)


class LazyFacts(Mapping[str, Any]):
    """Facts by name, each computed when it is asked for, once."""

    def __init__(self, natures: Mapping[str, Nature]) -> None:
        self.natures = natures
        self._known: dict[str, Any] = {}

    def __getitem__(self, fact: str) -> Any:
        if fact not in self._known:
            self._known[fact] = self._fact(fact)
        return self._known[fact]

    def __iter__(self) -> Iterator[str]:
        return iter((DAYS_SEEN, *self.natures))

    def __len__(self) -> int:
        return 1 + len(self.natures)

    def forget(self) -> None:
        """Lets go of what was computed; it is computed again when it is asked for."""
        self._known.clear()

    def _fact(self, fact: str) -> Any:
        raise KeyError(fact)


class PooledFacts(LazyFacts):
    """The organisation's facts by group, each pooled by its nature.

    Without better knowledge DAYS_SEEN is that of the workspace that saw most days.
    """

    def __init__(
        self, facts: Facts, label: str, natures: Mapping[str, Nature], seen: float | None
    ) -> None:
        super().__init__(natures)
        self.facts, self.label, self.seen = facts, label, seen

    def _fact(self, fact: str) -> Any:
        own, rows = self.facts.over[self.label][fact], list(self.facts.groups.values())
        if fact == DAYS_SEEN:
            most = _pooled(_most, own, rows)
            return most if self.seen is None else np.where(most > 0, self.seen, 0.0)
        nature = self.natures[fact]
        if nature is Nature.DISTRIBUTION:
            return own.merged()
        return _pooled(POOLED_BY[nature], own, rows)


class JoinedFacts(LazyFacts):
    """Facts of several sets of scopes as of one: a measure is evaluated once for the organisation's groups
    and the workspaces."""

    def __init__(self, natures: Mapping[str, Nature], parts: Sequence[Named]) -> None:
        super().__init__(natures)
        self.parts = parts

    def _fact(self, fact: str) -> Any:
        found = [part[fact] for part in self.parts]
        if self.natures.get(fact) is Nature.DISTRIBUTION:
            return JoinedDistributions(found)
        return np.concatenate(found)


@dataclass(frozen=True, slots=True)
class JoinedDistributions:
    """Distributions of several sets of scopes as of one."""

    parts: Sequence[Distribution]

    @property
    def n(self) -> Array:
        """How many durations each holds; NaN where there is none, or it is not kept."""
        return np.concatenate([part.n for part in self.parts])

    def quantile(self, q: float) -> Array:
        """The q-quantile of each in seconds; NaN where it holds nothing."""
        return np.concatenate([part.quantile(q) for part in self.parts])


def _pooled(how: Callable[[Array], Array], values: Array, rows: Sequence[np.ndarray]) -> Array:
    """Each group's rows as one; NaN where none of them has data."""
    return np.stack([how(values if len(own) == len(values) else values[own]) for own in rows])


def _sum(values: Array) -> Array:
    unknown = np.isnan(values)
    total = np.add.reduce(values, axis=0, where=~unknown)
    return np.asarray(np.where(unknown.all(axis=0), np.nan, total))


def _most(values: Array) -> Array:
    return np.asarray(np.fmax.reduce(values, axis=0))


def _least(values: Array) -> Array:
    return np.asarray(np.fmin.reduce(values, axis=0))


POOLED_BY: Mapping[Nature, Callable[[Array], Array]] = {
    Nature.FLOW: _sum,
    Nature.LEVEL_SUM: _sum,
    Nature.LEVEL_MAX: _most,
    Nature.LEVEL_MIN: _least,
}


@dataclass(frozen=True, eq=False)
class Rows:
    """Stored rows, ascending by scope and day: ``scope`` and ``day`` [row], ``numbers`` [row, column] in
    the order of ``columns``."""

    scope: np.ndarray
    day: np.ndarray
    numbers: np.ndarray
    columns: Mapping[str, int]

    def column(self, name: str) -> Array:
        """One column, with NaN after its end: the row -1 is one without data."""
        values = np.empty(len(self.day) + 1)
        values[:-1] = self.numbers[:, self.columns[name]]
        values[-1] = np.nan
        return values

    def last_on(self, borders: np.ndarray, scopes: int) -> np.ndarray:
        """Which row is the last on or before each border, as [scope, border]; -1 where none is."""
        if not len(self.day):
            return np.full((scopes, len(borders)), -1)
        asked = np.arange(scopes)[:, None]
        found = np.searchsorted(self._keys, self._key(asked, borders[None, :]), side="right") - 1
        return np.where((found >= 0) & (self.scope[found] == asked), found, -1)

    def exactly(self, days: np.ndarray) -> np.ndarray:
        """Which row is that of a day, for days [scope, border]; -1 where there is none."""
        if not len(self.day):
            return np.full(days.shape, -1)
        asked = self._key(np.arange(len(days))[:, None], days)
        found = np.minimum(np.searchsorted(self._keys, asked), len(self.day) - 1)
        return np.where(self._keys[found] == asked, found, -1)

    @cached_property
    def _keys(self) -> np.ndarray:
        return self._key(self.scope, self.day)

    @staticmethod
    def _key(scope: np.ndarray, day: np.ndarray) -> np.ndarray:
        return np.asarray((scope.astype(np.int64) << 32) + day)


@dataclass(frozen=True, eq=False)
class Borders:
    """Which row stands for which border day: ``row`` and its ``day`` as [scope, border], -1 for none."""

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
        """Those of the days up to ``last``."""
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

    def together(self, spans: Sequence[Span], step: int, known: np.ndarray) -> Histogram:
        """All scopes' durations in trailing spans whose ends lie ``step`` days apart, as [1, span];
        ``known`` [1, span]. A span is a whole number of steps, so each step is counted once."""
        low, width = self.range
        end, last = number_of(spans[-1].end), spans[0].days // step
        count = len(spans) + last - 1
        # Days after the end, and before the first step, are counted in a step that is left out.
        back = np.clip((end - self.day) // step, -1, count).astype(np.intp)
        back += 1
        back *= width
        back += self.bucket - low
        steps = np.bincount(back, self.count, (count + 2) * width).reshape(-1, width)
        steps = steps[count:0:-1]
        running = np.vstack([np.zeros((1, width)), steps.cumsum(axis=0)])
        return Histogram(low, (running[last:] - running[:-last])[None], known)


@dataclass(frozen=True, eq=False)
class Trailing:
    """The distributions of a series: each scope's quantiles as the snapshot keeps them [scope, span],
    all scopes' together from the events."""

    quantiles: Callable[[float], Array]
    together: Callable[[], Histogram]

    @property
    def n(self) -> Array:
        """Not kept for a point."""
        return np.full_like(self.quantiles(QUANTILES[0]), np.nan)

    def quantile(self, q: float) -> Array:
        """The q-quantile in seconds; NaN where there is none."""
        return self.quantiles(q)

    def merged(self) -> Histogram:
        """All scopes' durations as [1, span]."""
        return self.together()


class SpanFacts(LazyFacts):
    """The facts of every scope over the spans of one label."""

    def __init__(self, table: Table, label: str) -> None:
        super().__init__(table.natures)
        self.table, self.spans = table, table.plan.spans[label]
        self.label = label
        borders = table.borders
        starts = np.array([number_of(s.start) for s in self.spans], np.int64)
        ends = borders.at(np.array([number_of(s.end) for s in self.spans], np.int64))
        self.last, self.first = borders.row[:, ends], borders.row[:, borders.at(starts - 1)]
        self.within = borders.day[:, ends] >= starts

    def forget(self) -> None:
        """The same, of the table too."""
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
        total = self.table.column(column)
        before = total[self.first]
        before[np.isnan(before)] = 0.0
        return np.where(self.within, total[self.last] - before, np.nan)

    def level(self, column: str) -> Array:
        """The value of each span's last snapshot."""
        return np.where(self.within, self.table.column(column)[self.last], np.nan)

    def _distribution(self, name: str) -> Any:
        events = self.table.events[name]
        if self.label in (NOW, BEFORE):
            counts = self.table.halves(name)[0 if self.label == BEFORE else 1]
            return Histogram(events.range[0], counts[:, None], self.within)
        known = np.asarray(self.within.any(axis=0, keepdims=True))
        window = self.spans[0].days
        return Trailing(
            lambda q: self.level(trailing_quantile(name, q, window)),
            lambda: events.together(self.spans, self.table.plan.period.step, known),
        )


@dataclass(frozen=True, eq=False)
class Table:
    """One snapshot table as it was read: what ``SpanFacts`` computes from."""

    scopes: Sequence[Scope]
    plan: Plan
    natures: Mapping[str, Nature]
    rows: Rows
    borders: Borders
    events: Mapping[str, Events] = field(default_factory=dict)
    seen: Callable[[SpanFacts], Array] | None = None
    """Where the days seen are counted, when not in this table itself."""

    @cached_property
    def _columns(self) -> dict[str, Array]:
        return {}

    def column(self, name: str) -> Array:
        """A column of the rows, kept: several labels read the same."""
        if name not in self._columns:
            self._columns[name] = self.rows.column(name)
        return self._columns[name]

    def halves(self, name: str) -> np.ndarray:
        """The durations of a distribution in the previous period and in this one, kept."""
        if name not in self._halves:
            (now,), (before,) = self.plan.spans[NOW], self.plan.spans[BEFORE]
            self._halves[name] = self.events[name].halves(now, before, len(self.scopes))
        return self._halves[name]

    @cached_property
    def _halves(self) -> dict[str, np.ndarray]:
        return {}

    def forget(self) -> None:
        """Lets go of what was computed from the rows."""
        self._columns.clear()
        self._halves.clear()

    def days_seen(self, spans: SpanFacts) -> Array:
        """On how many days of each span there is a snapshot."""
        return self.seen(spans) if self.seen else np.nan_to_num(spans.flow("days_total"))

    def facts(self, names: Mapping[str, Sequence[str | None]]) -> Facts:
        """The facts over every span of the plan. A name is of the period: one from before it, where the
        period itself has no snapshot, names nothing."""
        over = {
            label: SpanFacts(self, label) for label in self.plan.spans if self.plan.spans[label]
        }
        within = over[NOW].within[:, 0]
        said = {
            label: [name if seen else None for name, seen in zip(given, within, strict=True)]
            for label, given in names.items()
        }
        return Facts(self.scopes, self.plan, over, said)


def usage_table(
    slugs: Sequence[str],
    plan: Plan,
    natures: Mapping[str, Nature],
    rows: Rows,
    events: Mapping[str, Events],
) -> Table:
    """The table with one scope a workspace: a border day stands for the last row on or before it."""
    days = np.array([number_of(d) for d in plan.borders], np.int64)
    row = rows.last_on(days, len(slugs))
    borders = Borders(days, row, _days(rows, row))
    return Table([(slug, "") for slug in slugs], plan, natures, rows, borders, events)


def grouped_table(
    scopes: Sequence[Scope],
    parents: np.ndarray,
    natures: Mapping[str, Nature],
    rows: Rows,
    usage: Table,
) -> Table:
    """The table with a scope a group: its row is that of the same day as its workspace's, whose index
    ``parents`` gives [scope]; a group that is not there that day has none."""
    asked = usage.borders.day[parents]
    row = rows.exactly(asked)
    borders = Borders(usage.borders.days, row, np.where(row >= 0, asked, -1))
    seen = {label: SpanFacts(usage, label) for label in usage.plan.spans if usage.plan.spans[label]}
    return Table(
        scopes,
        usage.plan,
        natures,
        rows,
        borders,
        seen=lambda spans: np.asarray(seen[spans.label][DAYS_SEEN])[parents],
    )


def _days(rows: Rows, row: np.ndarray) -> np.ndarray:
    if not len(rows.day):
        return np.full(row.shape, -1)
    return np.where(row >= 0, rows.day[row], -1)


def events_of(
    blocks: np.ndarray, scope: np.ndarray, lengths: np.ndarray, entries: tuple[np.ndarray, ...]
) -> Events:
    """The durations of one distribution: ``blocks`` [block] with the ``scope`` and the number of entries
    of each, and the entries of all in that order, as ``sketch.unpacked_days`` gives them."""
    place, bucket, count = entries
    day = np.repeat(blocks.astype(np.int32) * BLOCK_DAYS, lengths)
    day += place
    return Events(np.repeat(scope.astype(np.int32), lengths), day, bucket, count)
