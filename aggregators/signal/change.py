"""Tests of a change between two periods: how many standard errors, and the verdict in words.

The same for everything that shows a change: tile, card, table, API, pack, CSV and mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aggregators.signal.normal import mid_p_z
from aggregators.signal.rules import CERTAIN_Z, LIKELY, SMALL_RATIO, SeriesKind
from aggregators.vocabulary.effects import Array


class Verdict(StrEnum):
    """Verdict on a change."""

    WITHIN_NOISE = "within_noise"
    LIKELY_WORSE = "likely_worse"
    WORSE = "worse"
    LIKELY_BETTER = "likely_better"
    BETTER = "better"
    TOO_FEW = "too_few"
    CERTAIN = "certain"
    NO_COMPARISON = "no_comparison"


VERDICTS = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Sample:
    """Evidence of a period, a series an element: ``x`` failures, events or the sum of logs, ``e``
    attempts, expected days or durations, ``squares`` the sum of squared logs of durations."""

    x: Array
    e: Array
    squares: Array

    @classmethod
    def counted(cls, x: Array, e: Array) -> Sample:
        """Evidence of counts."""
        return cls(x, e, np.zeros_like(x))

    def at(self, rows: slice) -> Sample:
        """Evidence of some of the series."""
        return Sample(self.x[rows], self.e[rows], self.squares[rows])


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """ChangeOutcome of a test, a series an element: ``z`` standard errors, positive where the figure
    rose, NaN where there is nothing to test; ``farthest`` those that the most extreme outcome of this
    period would have had."""

    z: Array
    farthest: Array


def compare_samples(
    kind: SeriesKind, now: Sample, before: Sample, dispersion: Array
) -> ChangeOutcome:
    """Tests whether two periods differ by more than chance and the series' own scatter."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if kind is SeriesKind.DURATION:
            z = _of_logs(now, before, dispersion)
            return ChangeOutcome(z, np.full_like(z, np.inf))
        of_two = _of_ratios if kind is SeriesKind.RATIO else _of_rates
        z = of_two(now, before, dispersion)
        most = now.e if kind is SeriesKind.RATIO else now.x + 10 + 10 * before.x
        high = of_two(Sample.counted(most, now.e), before, dispersion)
        low = of_two(Sample.counted(np.zeros_like(now.x), now.e), before, dispersion)
        farthest = np.fmax(np.abs(high), np.abs(low))
    return ChangeOutcome(z, farthest)


def _of_logs(now: Sample, before: Sample, dispersion: Array) -> Array:
    means = now.x / now.e - before.x / before.e
    n = now.e + before.e
    squares = now.squares + before.squares - now.x**2 / now.e - before.x**2 / before.e
    variance = (np.maximum(squares, 0.0) + 22.0) / (n + 10.0)
    return np.asarray(means / np.sqrt(variance * dispersion * (1 / now.e + 1 / before.e)))


def _of_rates(now: Sample, before: Sample, dispersion: Array) -> Array:
    pooled = (now.x + before.x) / (now.e + before.e)
    deviance = _cell(now.x, now.e * pooled) + _cell(before.x, before.e * pooled)
    return _signed_errors(now, before, deviance, dispersion)


def _of_ratios(now: Sample, before: Sample, dispersion: Array) -> Array:
    pooled = (now.x + before.x) / (now.e + before.e)
    deviance = _cell(now.x, now.e * pooled) + _cell(before.x, before.e * pooled)
    deviance += _cell(now.e - now.x, now.e * (1 - pooled))
    deviance += _cell(before.e - before.x, before.e * (1 - pooled))
    z = _signed_errors(now, before, deviance, dispersion)
    few = (now.e < SMALL_RATIO) & (now.e > 0) & (before.e > 0)
    if few.any():
        exact = mid_p_z(now.x[few], now.e[few], before.x[few], before.e[few])
        z[few] = exact / np.sqrt(dispersion[few])
    return z


def _signed_errors(now: Sample, before: Sample, deviance: Array, dispersion: Array) -> Array:
    """Standard errors between two periods, positive where the figure rose; NaN without exposure."""
    sign = np.sign(now.x / now.e - before.x / before.e)
    z = sign * np.sqrt(2 * np.maximum(deviance, 0.0) / dispersion)
    return np.where((now.e > 0) & (before.e > 0), z, np.nan)


def _cell(counted: Array, expected: Array) -> Array:
    some = (counted > 0) & (expected > 0)
    share = np.divide(counted, expected, out=np.ones_like(expected), where=some)
    return np.where(some, counted * np.log(share), 0.0)


def verdicts(outcome: ChangeOutcome, worse_sign: float, moved: Array) -> np.ndarray:
    """Verdicts as places in VERDICTS; ``worse_sign`` is 1 where a rise is worse, -1 where a fall is.
    Coloured only where the shown figure ``moved`` the way that the test says."""
    at = VERDICTS.index
    worse = outcome.z * worse_sign
    codes = np.full(len(worse), at(Verdict.WITHIN_NOISE))
    codes[worse >= LIKELY] = at(Verdict.LIKELY_WORSE)
    codes[worse >= CERTAIN_Z] = at(Verdict.WORSE)
    codes[worse <= -LIKELY] = at(Verdict.LIKELY_BETTER)
    codes[worse <= -CERTAIN_Z] = at(Verdict.BETTER)
    codes[np.sign(moved) != np.sign(outcome.z)] = at(Verdict.WITHIN_NOISE)
    codes[outcome.farthest < LIKELY] = at(Verdict.TOO_FEW)
    codes[np.isnan(outcome.z)] = at(Verdict.TOO_FEW)
    return codes
