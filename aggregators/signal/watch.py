"""The watch: night by night, how much evidence each series gives that it has got worse, and since when.

A bounded Shiryaev-Roberts e-detector with dispersion. The evidence of night ``t`` reads the row of
that day; the baseline's newest day is ``t - LAG``, so it never changes once a night is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from aggregators.signal.baseline import (
    Baseline,
    Night,
    Usual,
    nightly_evidence,
    usual,
    with_scatter,
)
from aggregators.signal.rules import (
    FALLS,
    LAG,
    LEARNING_DAYS,
    LEAST_BASELINE,
    LEAST_EVIDENCE,
    OVER,
    RISES,
    SeriesKind,
    WatchRule,
)
from aggregators.vocabulary.effects import Array

NEVER = -1
"""Day number of a series whose evidence has not begun to grow."""
NOTHING = -30.0
"""Log of no evidence at all."""
CLIMB = 4.5
"""Evidence within whose climb nine of ten drifts began: with three it was 84 of 100 (seeds 1000-1019)."""


@dataclass(frozen=True, slots=True)
class DailyEvidence:
    """Daily evidence of the series of one measure: ``x``, ``e`` and ``squares`` [series, day]. They are
    ``apart`` where they say nothing of one another, as sums over workspaces that overlap. ``begins`` is the
    day on which each begins; None where all do long before."""

    kind: SeriesKind
    is_fall: bool
    x: Array
    e: Array
    squares: Array
    apart: bool = False
    begins: np.ndarray | None = None

    @property
    def days(self) -> int:
        """How many days it holds."""
        return int(self.x.shape[1])

    @property
    def rule(self) -> WatchRule:
        """Sizes and bound of its evidence."""
        return FALLS if self.is_fall else RISES[self.kind]

    def by_day(self) -> DailyEvidence:
        """Evidence with the values of a day side by side in memory, as night after night reads them."""
        x, e, squares = (np.asfortranarray(part) for part in (self.x, self.e, self.squares))
        return replace(self, x=x, e=e, squares=squares)

    def night(self, day: int) -> Night:
        """Evidence of one day."""
        return Night(self.x[:, day], self.e[:, day], self.squares[:, day])

    def week(self, last: int) -> Night:
        """Evidence of the seven days that end with one."""
        days = slice(max(last - 6, 0), last + 1)
        return Night(self.x[:, days].sum(axis=1), self.e[:, days].sum(axis=1), self._squares(days))

    def _squares(self, days: slice) -> Array:
        """Sum of the squares of some days; of what has none that of one of them."""
        if self.kind is not SeriesKind.DURATION:
            return self.squares[:, days.start]
        return np.asarray(self.squares[:, days].sum(axis=1))

    def on(self, days: np.ndarray) -> DailyEvidence:
        """DailyEvidence of some days, in their order; a day may come more than once."""
        x, e, squares = (part[:, days] for part in (self.x, self.e, self.squares))
        return replace(self, x=x, e=e, squares=squares, begins=None)

    def of(self, series: np.ndarray) -> DailyEvidence:
        """DailyEvidence of some series."""
        begins = None if self.begins is None else self.begins[series]
        x, e, squares = (part[series] for part in (self.x, self.e, self.squares))
        return replace(self, x=x, e=e, squares=squares, begins=begins)

    def learns(self, day: int) -> np.ndarray | bool:
        """Whether a series has too few days up to one to say anything yet."""
        return False if self.begins is None else day - self.begins < LEARNING_DAYS


@dataclass(frozen=True, slots=True)
class WatchState:
    """State after a night: the baseline, and for each size [size, series] the evidence, its climb
    since it was last nothing, and the day after which it climbed; the ``peak`` of the whole evidence since
    a drift was last over, and the day on which that was. ``day`` counts the nights looked at, from 0."""

    baseline: Baseline
    evidence: Array
    climb: Array
    began: np.ndarray
    peak: Array
    over: np.ndarray
    day: int = 0

    @classmethod
    def empty(cls, series: int, sizes: int = 3) -> WatchState:
        """The state before the first night."""
        shape = (sizes, series)
        return cls(
            Baseline.empty(series),
            np.full(shape, NOTHING),
            np.zeros(shape),
            np.full(shape, NEVER),
            np.full(series, NOTHING),
            np.full(series, NEVER),
        )

    @property
    def total(self) -> Array:
        """Evidence that a series has got worse, over the sizes."""
        return _total_evidence(self.evidence)

    @property
    def give_or_take(self) -> Array:
        """Days by which ``since`` may be off, to either side: as long as the evidence took to climb by
        ``CLIMB``, at least two."""
        leading = self.evidence.argmax(axis=0)[None]
        climb = np.take_along_axis(self.climb, leading, axis=0)[0]
        nights = np.maximum(self.day - self.since, 1)
        return np.asarray(np.maximum(np.ceil(CLIMB * nights / np.maximum(climb, 1.0)), 2.0))

    @property
    def since(self) -> np.ndarray:
        """Night with which the leading evidence began to climb, counted as ``day`` is; ``NEVER`` where none
        has."""
        leading = self.evidence.argmax(axis=0)
        return np.asarray(np.take_along_axis(self.began, leading[None], axis=0)[0])


def _total_evidence(evidence: Array) -> Array:
    """Evidence over the sizes together."""
    highest = evidence.max(axis=0)
    return np.asarray(highest + np.log(np.exp(evidence - highest).mean(axis=0)))


def advance_night(
    state: WatchState, history: DailyEvidence, day: int, ends_from: float = np.inf
) -> tuple[WatchState, Usual]:
    """The state after one more night, the history's day ``day``, and what was usual then. A drift whose
    evidence has reached ``ends_from`` is over once that has fallen far enough: then it begins anew."""
    baseline = state.baseline
    if day >= LAG:
        baseline = baseline.fed(history.night(day - LAG))
    bare = usual(history.kind, baseline, apart=history.apart)
    if day >= LAG and state.day >= LAG + 7:
        baseline = baseline.scattered(history.week(day - LAG), bare)
    expected = with_scatter(bare, baseline, apart=history.apart)
    following = replace(state, baseline=baseline, day=state.day + 1)
    if state.day < LEARNING_DAYS:
        return following, expected
    night = history.night(day)
    evidence, climb = np.empty_like(state.evidence), np.empty_like(state.climb)
    began = np.where(state.climb <= 0, state.day, state.began)
    learns = history.learns(day)
    is_told = (baseline.e >= LEAST_BASELINE) & ~np.asarray(learns)
    for at, size in enumerate(history.rule.sizes):
        factor = 1 / size if history.is_fall else size
        gained = nightly_evidence(night, expected, factor, history.rule.most, LEAST_EVIDENCE)
        climb[at] = np.where(learns, 0.0, np.maximum(state.climb[at], 0.0) + gained)
        total = np.logaddexp(0.0, state.evidence[at]) + gained
        evidence[at] = np.where(is_told, total, NOTHING)
    following = replace(following, evidence=evidence, climb=climb, began=began)
    return _without_ended(following, state.day, ends_from), expected


def _without_ended(state: WatchState, night: int, ends_from: float) -> WatchState:
    """The state without the evidence of drifts that are over."""
    if np.isinf(ends_from):
        return state
    total = state.total
    peak = np.maximum(state.peak, total)
    is_over = (peak >= ends_from) & (peak - total >= OVER)
    return replace(
        state,
        evidence=np.where(is_over, NOTHING, state.evidence),
        climb=np.where(is_over, 0.0, state.climb),
        peak=np.where(is_over, NOTHING, peak),
        over=np.where(is_over, night, state.over),
    )


def nights(history: DailyEvidence) -> Iterator[tuple[WatchState, Usual]]:
    """The state after each day of a history, from nothing."""
    state = WatchState.empty(len(history.x), len(history.rule.sizes))
    for day in range(history.days):
        state, expected = advance_night(state, history, day)
        yield state, expected


def evidence_by_night(history: DailyEvidence) -> Array:
    """Total evidence [series, day]."""
    return np.stack([state.total for state, _ in nights(history)], axis=1)
