"""Baseline of every tested series: what is usual, how much it scatters, how well that is known.

Arrays hold a series an element. A series' night is its evidence ``x`` (failures, events, sum of logs),
its exposure ``e`` (attempts, expected days, durations) and, of durations, ``squares`` (sum of squared
logs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aggregators.signal.rules import (
    DISPERSION_PRIOR,
    KEEP,
    LASTING,
    MARGIN,
    MARGIN_ERRORS,
    RATIO_PRIOR,
    WEEK_CAP,
    WIDEST_MARGIN,
    SeriesKind,
)
from aggregators.vocabulary.effects import Array


@dataclass(frozen=True, slots=True)
class Night:
    """Evidence of one night, a series an element: also of the sum of several nights."""

    x: Array
    e: Array
    squares: Array


@dataclass(frozen=True, slots=True)
class Baseline:
    """Fading sums of nights and of squared weekly deviations: five doubles a series."""

    x: Array
    e: Array
    squares: Array
    deviation: Array
    weeks: Array

    @classmethod
    def empty(cls, series: int) -> Baseline:
        """A baseline that has seen nothing."""
        return cls(*np.zeros((5, series)))

    def fed(self, night: Night) -> Baseline:
        """The baseline a night later."""
        return Baseline(
            KEEP * self.x + night.x,
            KEEP * self.e + night.e,
            KEEP * self.squares + night.squares,
            self.deviation,
            self.weeks,
        )

    def scattered(self, week: Night, usual: Usual) -> Baseline:
        """The baseline with the deviation of one more week; weeks overlap, so each counts a seventh."""
        deviation, is_counted = _deviation(week, usual, self)
        return Baseline(
            self.x,
            self.e,
            self.squares,
            KEEP * self.deviation + deviation / 7,
            KEEP * self.weeks + is_counted / 7,
        )


@dataclass(frozen=True, slots=True)
class Usual:
    """Expectation of each series: ``level`` a ratio, a rate or a mean log; ``variance`` of one
    duration's log (1 elsewhere); ``dispersion`` how many times the sampling error weeks really
    scatter; ``margin`` the log of the change that nobody minds."""

    kind: SeriesKind
    level: Array
    variance: Array
    dispersion: Array
    margin: Array

    @property
    def lasting(self) -> Array:
        """Dispersion of what adds up over weeks."""
        return self.lasting_of(self.dispersion)

    def lasting_of(self, dispersion: Array) -> Array:
        """Dispersion of what adds up over weeks, from that of a week."""
        more = LASTING[self.kind]
        return dispersion + more * np.maximum(dispersion - 1, 0) if more else dispersion


def usual(kind: SeriesKind, baseline: Baseline, *, apart: bool = False) -> Usual:
    """Expectation from a baseline, without scatter and margin; ``apart`` where the series say nothing of
    one another."""
    level, variance = _usual_level(kind, baseline, apart=apart)
    return Usual(kind, level, variance, np.ones_like(level), np.zeros_like(level))


def with_scatter(bare: Usual, baseline: Baseline, *, apart: bool = False) -> Usual:
    """An expectation with the dispersion and the margin of its baseline."""
    dispersion = _dispersion(bare.kind, bare.level, baseline, apart=apart)
    margin = _margin(bare, bare.lasting_of(dispersion), baseline)
    return Usual(bare.kind, bare.level, bare.variance, dispersion, margin)


def _usual_level(kind: SeriesKind, baseline: Baseline, *, apart: bool) -> tuple[Array, Array]:
    """Usual value a unit of exposure, and the variance of a single event around it."""
    x, e = baseline.x, baseline.e
    if kind is SeriesKind.RATIO:
        if apart:
            return x / np.maximum(e, 1e-9), np.ones_like(x)
        whole = e.sum()
        pooled = x.sum() / whole if whole > 0 else 0.0
        level = (x + RATIO_PRIOR * pooled) / (e + RATIO_PRIOR)
        return level, np.ones_like(level)
    if kind is SeriesKind.RATE:
        return (x + 0.5) / (e + 0.5), np.ones_like(x)
    mean = x / np.maximum(e, 1e-9)
    within = np.maximum(baseline.squares - x * mean, 0.0)
    return mean, (within + 22.0) / (e + 10.0)


def _deviation(week: Night, usual: Usual, baseline: Baseline) -> tuple[Array, Array]:
    """Squared deviation of a week from what is usual, in sampling errors, and whether it had any event
    to expect."""
    unsure = 1 + week.e / np.maximum(baseline.e, 1e-9)
    if usual.kind is SeriesKind.DURATION:
        error = week.x - week.e * usual.level
        variance = week.e * usual.variance * unsure
    else:
        error = week.x - week.e * usual.level
        variance = week.e * usual.level * unsure
    is_counted = variance > 0
    squared = np.divide(error * error, variance, out=np.zeros_like(error), where=is_counted)
    return np.minimum(squared, WEEK_CAP), is_counted.astype(float)


def _dispersion(kind: SeriesKind, level: Array, baseline: Baseline, *, apart: bool) -> Array:
    """Dispersion, drawn to the median of the measure where series say something of one another; at
    least that of pure chance."""
    known = baseline.weeks > 1
    each = baseline.deviation / np.maximum(baseline.weeks, 1e-9)
    if apart:
        drawn = np.where(known, each, 1.0)
    else:
        median = float(np.median(each[known])) if known.any() else 1.0
        weeks = DISPERSION_PRIOR + baseline.weeks
        drawn = (DISPERSION_PRIOR * median + baseline.deviation) / weeks
    return np.asarray(np.maximum(drawn, 1 - level if kind is SeriesKind.RATIO else 1.0))


def _margin(usual: Usual, dispersion: Array, baseline: Baseline) -> Array:
    """Log of the change that nobody minds, wider where the baseline itself is unsure; ``dispersion`` is of
    what adds up over weeks."""
    if usual.kind is SeriesKind.DURATION:
        error = np.sqrt(usual.variance * dispersion / np.maximum(baseline.e, 1.0))
    else:
        prior = RATIO_PRIOR if usual.kind is SeriesKind.RATIO else 0.5
        events = usual.level * (baseline.e + prior)
        error = np.sqrt(dispersion / np.maximum(events, 0.5))
    wide = np.sqrt(np.log(MARGIN) ** 2 + (MARGIN_ERRORS * error) ** 2)
    return np.asarray(np.minimum(wide, WIDEST_MARGIN))


def nightly_evidence(night: Night, usual: Usual, size: float, most: float, least: float) -> Array:
    """Log of how much better a change by ``size`` (below 1 a fall) explains the night than one within the
    margin, over the dispersion, bounded."""
    log_size = np.log(size)
    margin = np.sign(log_size) * usual.margin
    if usual.kind is SeriesKind.DURATION:
        error = night.x - night.e * usual.level
        bits = (log_size - margin) * error - night.e * (log_size**2 - margin**2) / 2
        bits = bits / usual.variance
    else:
        expected = night.e * usual.level
        bits = night.x * (log_size - margin) - expected * (size - np.exp(margin))
    return np.asarray(np.clip(bits / usual.lasting, least, most))
