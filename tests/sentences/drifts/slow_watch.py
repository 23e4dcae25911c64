"""The watch over change failure rates night by night from raw deployments, the slow and obvious way, by the
constants that docs/signal.md states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median

KEEP = 0.5 ** (1 / 150)
LAG, LEARNING, QUIET = 28, 56, 28
SIZES, MOST, LEAST = (1.5, 2.0, 3.0), 1.2, -3.0
WATCH, DRIFTING, OVER = 8.4, 9.6, 4.5
Counted = Mapping[date, tuple[int, int]]
"""Failed deployments and all of them, by day."""


@dataclass
class SlowSeries:
    """State of a series after a night, and its evidence on each night so far."""

    failed: float = 0.0
    ended: float = 0.0
    deviation: float = 0.0
    weeks: float = 0.0
    evidence: list[float] = field(default_factory=lambda: [-30.0] * 3)
    climb: list[float] = field(default_factory=lambda: [0.0] * 3)
    began: list[int] = field(default_factory=lambda: [-1] * 3)
    level: float = 0.0
    dispersion: float = 1.0
    totals: list[float] = field(default_factory=list)
    peak: float = -30.0
    over: int = -1

    @property
    def since(self) -> int:
        """Night with which the leading evidence began to climb."""
        return self.began[self.evidence.index(max(self.evidence))]

    def days_to_tell(self, nights: int) -> int:
        """Days until a doubling has brought the evidence from which a series may be drifting."""
        weight = (1 - KEEP ** (nights - LAG)) / (1 - KEEP)
        a_day = self.ended / weight * self.level * (2 * math.log(2) - 1) / self.dispersion
        return math.ceil(WATCH / a_day)


def watched(
    counted: Sequence[Counted], days: Sequence[date], *, alone: bool = False
) -> list[SlowSeries]:
    """Series after all nights; ``alone`` where they say nothing of one another."""
    every = [SlowSeries() for _ in counted]
    for night, _ in enumerate(days):
        if night >= LAG:
            _feed(every, counted, days, night, alone)
        for own, by_day in zip(every, counted, strict=True):
            if night >= LEARNING:
                _weigh(own, *by_day.get(days[night], (0, 0)), night)
            own.totals.append(_total(own, night))
    return every


def _total(own: SlowSeries, night: int) -> float:
    """Evidence over the sizes; none where the drift is over."""
    total = math.log(sum(map(math.exp, own.evidence)) / 3)
    own.peak = max(own.peak, total)
    if own.peak < WATCH or own.peak - total < OVER:
        return total
    own.evidence, own.climb, own.peak, own.over = [-30.0] * 3, [0.0] * 3, -30.0, night
    return -30.0


def _feed(
    every: list[SlowSeries],
    counted: Sequence[Counted],
    days: Sequence[date],
    night: int,
    alone: bool,
) -> None:
    for own, by_day in zip(every, counted, strict=True):
        failed, ended = by_day.get(days[night - LAG], (0, 0))
        own.failed, own.ended = KEEP * own.failed + failed, KEEP * own.ended + ended
    whole = sum(own.ended for own in every)
    pooled = sum(own.failed for own in every) / whole if whole else 0.0
    for own, by_day in zip(every, counted, strict=True):
        prior = 0 if alone else 8
        own.level = (own.failed + prior * pooled) / max(own.ended + prior, 1e-9)
        first = max(night - LAG - 6, 0)
        week = [by_day.get(days[n], (0, 0)) for n in range(first, night - LAG + 1)]
        failed, ended = (sum(part) for part in zip(*week, strict=True))
        variance = ended * own.level * (1 + ended / max(own.ended, 1e-9))
        off = min((failed - ended * own.level) ** 2 / variance, 50.0) if variance else 0.0
        own.deviation = KEEP * own.deviation + off / 7
        own.weeks = KEEP * own.weeks + (variance > 0) / 7
    known = [own.deviation / own.weeks for own in every if own.weeks > 1]
    middle = median(known) if known else 1.0
    for own in every:
        if alone:
            drawn = own.deviation / own.weeks if own.weeks > 1 else 1.0
        else:
            drawn = (8 * middle + own.deviation) / (8 + own.weeks)
        own.dispersion = max(drawn, 1 - own.level)


def _weigh(own: SlowSeries, failed: int, ended: int, night: int) -> None:
    error = math.sqrt(own.dispersion / max(own.level * (own.ended + 8), 0.5))
    margin = min(math.sqrt(math.log(1.1) ** 2 + (0.7 * error) ** 2), 0.35)
    for at, size in enumerate(SIZES):
        bits = failed * (math.log(size) - margin) - ended * own.level * (size - math.exp(margin))
        gained = min(max(bits / own.dispersion, LEAST), MOST)
        if own.climb[at] <= 0:
            own.began[at] = night
        own.climb[at] = max(own.climb[at], 0.0) + gained
        own.evidence[at] = math.log1p(math.exp(own.evidence[at])) + gained
