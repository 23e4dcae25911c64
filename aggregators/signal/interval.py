"""Intervals of 95 % around a change, and around a ratio, by kind. They hold the true change 19 times
of 20; docs/signal.md says how often they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aggregators.signal.change import Sample
from aggregators.signal.rules import SeriesKind
from aggregators.vocabulary.effects import Array

NINETEEN_OF_TWENTY = 1.959964


@dataclass(frozen=True, slots=True)
class ChangeInterval:
    """Ends of an interval, a series an element; NaN where there is none."""

    low: Array
    high: Array


def wilson(x: Array, n: Array, dispersion: Array) -> ChangeInterval:
    """Wilson's interval of a ratio, of as many events as the dispersion leaves."""
    z2 = NINETEEN_OF_TWENTY**2
    with np.errstate(invalid="ignore", divide="ignore"):
        events = n / dispersion
        ratio = x / n
        centre = (ratio + z2 / (2 * events)) / (1 + z2 / events)
        half = np.sqrt(z2 * ratio * (1 - ratio) / events + z2**2 / (4 * events**2)) / (
            1 + z2 / events
        )
    return ChangeInterval(np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0))


def interval_around(kind: SeriesKind, now: Sample, dispersion: Array) -> ChangeInterval:
    """Factors between which the true rate, or the true middle of durations, lies around the figure of one
    period."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if kind is SeriesKind.RATE:
            error = np.sqrt(dispersion / (now.x + 0.5))
        else:
            variance = (np.maximum(now.squares - now.x**2 / now.e, 0.0) + 22.0) / (now.e + 10.0)
            error = np.sqrt(variance * dispersion / now.e)
    half = NINETEEN_OF_TWENTY * error
    return ChangeInterval(np.exp(-half), np.exp(half))


NEWTON_STEPS = 12
"""Steps after which the ends of a likelihood interval stand still: they double their digits with each."""


def likelihood(x: Array, n: Array, dispersion: Array) -> ChangeInterval:
    """Interval of a ratio: every ratio that the test of a change would not reject, whose deviance from what
    was counted is at most 1.96 squared times the dispersion. In the log of the odds the deviance is convex,
    so that Newton's steps can not miss."""
    events, attempts = x / dispersion, n / dispersion
    rest = attempts - events
    least = 2 * (_times_log(attempts) - _times_log(events) - _times_log(rest))
    start, ends = wilson(x, n, dispersion), []
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for end in (start.low, start.high):
            inside = np.clip(end, 1e-9, 1 - 1e-9)
            odds = np.log(inside / (1 - inside))
            for _ in range(NEWTON_STEPS):
                deviance = 2 * (attempts * np.logaddexp(0.0, odds) - events * odds) - least
                slope = 2 * (attempts / (1 + np.exp(-odds)) - events)
                odds = odds - (deviance - NINETEEN_OF_TWENTY**2) / slope
            ends.append(1 / (1 + np.exp(-odds)))
    nothing = np.where(n > 0, 0.0, np.nan)
    low = np.where(x > 0, ends[0], nothing)
    return ChangeInterval(low, np.where(x < n, ends[1], 1.0 + nothing))


def _times_log(counted: Array) -> Array:
    return counted * np.log(np.where(counted > 0, counted, 1.0))


ADDED = 0.1
"""Events added to either side of what is counted, so that intervals of two or three events hold as often as
those of many: without it 90 of 100 do, with a half 98. Chosen on the public seeds 1000-1019."""


def of_change(kind: SeriesKind, now: Sample, before: Sample, dispersion: Array) -> ChangeInterval:
    """ChangeInterval of the change, by the test of the change turned round: of a ratio the difference
    (Newcombe's way of joining two intervals), of a rate and of durations the factor. NaN where there
    is nothing to compare."""
    if kind is SeriesKind.RATIO:
        return _of_difference(now, before, dispersion)
    with np.errstate(invalid="ignore", divide="ignore"):
        if kind is SeriesKind.RATE:
            # Of all events of both periods the share of this one is a ratio, whatever their rate.
            counted, other = now.x + ADDED, before.x + ADDED
            share = likelihood(counted, counted + other, dispersion)
            low, high = (end / (1 - end) * before.e / now.e for end in (share.low, share.high))
            return ChangeInterval(low, high)
        centre = now.x / now.e - before.x / before.e
        squares = now.squares + before.squares - now.x**2 / now.e - before.x**2 / before.e
        variance = (np.maximum(squares, 0.0) + 22.0) / (now.e + before.e + 10.0)
        error = np.sqrt(variance * dispersion * (1 / now.e + 1 / before.e))
    half = NINETEEN_OF_TWENTY * error
    return ChangeInterval(np.exp(centre - half), np.exp(centre + half))


def _of_difference(now: Sample, before: Sample, dispersion: Array) -> ChangeInterval:
    with np.errstate(invalid="ignore", divide="ignore"):
        (own, ratio), (earlier, was) = (
            _ratio_interval(sample, dispersion) for sample in (now, before)
        )
    difference = ratio - was
    below = np.sqrt((ratio - own.low) ** 2 + (earlier.high - was) ** 2)
    above = np.sqrt((own.high - ratio) ** 2 + (was - earlier.low) ** 2)
    return ChangeInterval(np.maximum(difference - below, -1.0), np.minimum(difference + above, 1.0))


def _ratio_interval(sample: Sample, dispersion: Array) -> tuple[ChangeInterval, Array]:
    """Interval of a ratio with a little added on either side, and its middle; NaN of nothing."""
    x, n = sample.x + ADDED, np.where(sample.e > 0, sample.e + 2 * ADDED, np.nan)
    return likelihood(x, n, dispersion), x / n


CENTRAL_99 = 2.575829
"""Standard errors beyond which a point is outside of what is expected: 1 of 100 where nothing changes."""


def expected_ends(
    kind: SeriesKind, base: Sample, exposure: Array, dispersion: Array, errors: float | Array
) -> ChangeInterval:
    """Ends between which a figure lies that rests on so much ``exposure``, if nothing has changed since the
    ``base``: of a ratio the ratio, of a rate the number of events, of durations the factor to the base
    (``base.squares`` is then the variance of what is shown). The base's own error is allowed for, and half
    an event, without which 0 of few would be outside. Ratios and rates on the scales on which their
    error does not depend on their size."""
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(dispersion * (1 / exposure + 1 / base.e))
        if kind is SeriesKind.DURATION:
            half = errors * error * np.sqrt(base.squares)
            return ChangeInterval(np.exp(-half), np.exp(half))
        half = errors * error / 2
        if kind is SeriesKind.RATE:
            middle = np.sqrt((base.x + 0.25) / base.e)
            ends = np.maximum(middle - half, 0.0), middle + half
            low, high = (exposure * end**2 for end in ends)
            return ChangeInterval(np.maximum(low - 0.5, 0.0), high + 0.5)
        middle = np.arcsin(np.sqrt((base.x + 0.25) / (base.e + 0.5)))
        low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, np.pi / 2)
        half_event = 0.5 / np.maximum(exposure, 1.0)
        ends = np.sin(low) ** 2 - half_event, np.sin(high) ** 2 + half_event
        return ChangeInterval(np.maximum(ends[0], 0.0), np.minimum(ends[1], 1.0))
