"""Facts as a measure reads them: arrays of scopes by spans, and pooled over the workspaces. Pure numpy.

A scope is a workspace, or one of its groups (a framework). Everything is computed when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from aggregators.pooling.plan import Plan
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import DAYS_SEEN, FactsByName, Nature
from aggregators.vocabulary.sketch import EPOCH

FactScope = tuple[str, str]
"""A workspace's slug and a group, "" in a domain without groups."""


@dataclass(frozen=True)
class Facts:
    """The facts of one snapshot table.

    ``over`` gives, by what a plan's spans serve (NOW, TRAILING, ...), every fact as [scope, span], and
    distributions in that shape. ``names`` are label columns by name: for each scope, what its object is
    called at the end of the period (None where nothing). ``last_days`` are the days of each scope's last
    snapshot in the period or before it, as numbers from the epoch of sketches, -1 for none.
    """

    scopes: Sequence[FactScope]
    plan: Plan
    over: Mapping[str, FactsByName]
    names: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    last_days: np.ndarray = field(default_factory=lambda: np.empty(0, int))

    @property
    def last_day(self) -> date | None:
        """The day of the newest snapshot in the period or before it, of any scope."""
        newest = int(self.last_days.max(initial=-1))
        return EPOCH + timedelta(days=newest) if newest >= 0 else None

    def last_day_of(self, scope: FactScope) -> date | None:
        """The day of a scope's last snapshot in the period or before it. Raises ValueError."""
        number = int(self.last_days[list(self.scopes).index(scope)])
        return EPOCH + timedelta(days=number) if number >= 0 else None

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """The rows of each group, by name; a domain without groups has the one called ""."""
        rows_by_group: dict[str, list[int]] = {}
        if not any(group for _, group in self.scopes):
            return {"": np.arange(len(self.scopes))} if self.scopes else {}
        for row, (_, group) in enumerate(self.scopes):
            rows_by_group.setdefault(group, []).append(row)
        return {group: np.array(rows_by_group[group], int) for group in sorted(rows_by_group)}

    def forget(self) -> None:
        """Lets go of what was computed. The domains of a table read different facts: kept for all of
        them, those of a thousand workspaces take 100 MB."""
        for facts in self.over.values():
            if isinstance(facts, LazyFacts):
                facts.forget()

    def pooled(
        self, label: str, natures: Mapping[str, Nature], seen: Array | None = None
    ) -> PooledFacts:
        """The organisation's facts over the spans of a label, as [group, span]; ``seen`` [span] replaces
        the number of days seen, where there are any and it is known (not NaN)."""
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
        self, facts: Facts, label: str, natures: Mapping[str, Nature], seen: Array | None
    ) -> None:
        super().__init__(natures)
        self.facts, self.label, self.seen = facts, label, seen

    def _fact(self, fact: str) -> Any:
        own, rows = self.facts.over[self.label][fact], list(self.facts.groups.values())
        if fact == DAYS_SEEN:
            seen_most = _pool_groups(_greatest, own, rows)
            if self.seen is None:
                return seen_most
            return np.where(seen_most > 0, np.where(np.isnan(self.seen), seen_most, self.seen), 0.0)
        nature = self.natures[fact]
        if nature is Nature.DISTRIBUTION:
            return own.merged(rows)
        return _pool_groups(POOLED_BY[nature], own, rows)


class JoinedFacts(LazyFacts):
    """Facts of several sets of scopes as of one: a measure is evaluated once for the organisation's groups
    and the workspaces."""

    def __init__(self, natures: Mapping[str, Nature], parts: Sequence[FactsByName]) -> None:
        super().__init__(natures)
        self.parts = parts

    def _fact(self, fact: str) -> Any:
        columns = [part[fact] for part in self.parts]
        if self.natures.get(fact) is Nature.DISTRIBUTION:
            return JoinedDistributions(columns)
        return np.concatenate(columns)


@dataclass(frozen=True)
class JoinedDistributions:
    """Distributions of several sets of scopes as of one, or (``axis`` 1) of several labels' spans."""

    parts: Sequence[Any]
    axis: int = 0

    @property
    def n(self) -> Array:
        """How many durations each holds; NaN where there is none, or it is not kept."""
        return np.concatenate([part.n for part in self.parts], axis=self.axis)

    @cached_property
    def moments(self) -> Array:
        """Number of durations, sum of their logs and of the squared logs [3, ...]."""
        return np.concatenate([part.moments for part in self.parts], axis=self.axis + 1)

    def quantile(self, q: float) -> Array:
        """The q-quantile of each in seconds; NaN where it holds nothing."""
        return np.concatenate([part.quantile(q) for part in self.parts], axis=self.axis)

    def merged(self, groups: Sequence[np.ndarray]) -> JoinedDistributions:
        """The durations of each group's scopes together, of several labels' spans."""
        return JoinedDistributions([part.merged(groups) for part in self.parts], self.axis)


def _pool_groups(
    pool: Callable[[Array], Array], values: Array, rows: Sequence[np.ndarray]
) -> Array:
    """Each group's rows as one; NaN where none of them has data."""
    return np.stack([pool(values if len(own) == len(values) else values[own]) for own in rows])


def _sum(values: Array) -> Array:
    unknown = np.isnan(values)
    total = np.add.reduce(values, axis=0, where=~unknown)
    return np.asarray(np.where(unknown.all(axis=0), np.nan, total))


def _greatest(values: Array) -> Array:
    return np.asarray(np.fmax.reduce(values, axis=0))


def _smallest(values: Array) -> Array:
    return np.asarray(np.fmin.reduce(values, axis=0))


POOLED_BY: Mapping[Nature, Callable[[Array], Array]] = {
    Nature.FLOW: _sum,
    Nature.LEVEL_SUM: _sum,
    Nature.LEVEL_MAX: _greatest,
    Nature.LEVEL_MIN: _smallest,
}
