"""Expected bands on stable organisations: how many of their points are drawn as outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from aggregators.pooling.plan import BASE_DAYS
from aggregators.signal.change import Sample
from aggregators.signal.interval import CENTRAL_99, expected_ends
from aggregators.signal.rules import SeriesKind
from aggregators.signal.stretch import dispersions, own_stretch, window
from aggregators.signal.watch import DailyEvidence
from aggregators.vocabulary.period import rolling
from benchmarks.drifts.organisations import MEASURES

Stable = Sequence[Mapping[str, DailyEvidence]]
LAST = 399
LENGTHS = (28, 90)
STEPPED = ("inc",)
"""Counts, whose points are of a step each; those of all others are of the trailing window."""


def red(stable: Stable) -> dict[tuple[str, int], float]:
    """Percent of the points of stable workspaces that lie outside of the central 99 %, by measure and days
    of the period. Of durations the typical one, on which the test is."""
    outside: dict[tuple[str, int], list[float]] = {}
    for organisation in stable:
        for measure in MEASURES:
            history = organisation[measure]
            usual, stretch = dispersions(history, {LAST})[LAST], own_stretch(history)
            for days in LENGTHS:
                share = _outside(history, days, usual * stretch[days], measure in STEPPED)
                outside.setdefault((measure, days), []).append(share)
    return {key: 100 * float(np.mean(shares)) for key, shares in outside.items()}


def _outside(history: DailyEvidence, days: int, dispersion: np.ndarray, is_stepped: bool) -> float:
    """Share of the points that are known; the base is what the period's own band has."""
    period, first = rolling(days, date(2026, 11, 22)), LAST - days
    is_duration = history.kind is SeriesKind.DURATION
    base = window(history, first, days if is_duration else BASE_DAYS)
    marked = known = 0
    for end in range(first + period.step, LAST + 1, period.step):
        point = window(history, end, period.step if is_stepped else period.window)
        with np.errstate(invalid="ignore", divide="ignore"):
            shown, centre, exposure = _shown(history.kind, point, base)
            ends = expected_ends(history.kind, centre, exposure, dispersion, CENTRAL_99)
            out = (shown < ends.low) | (shown > ends.high)
        is_known = ~np.isnan(shown) & ~np.isnan(ends.high)
        marked, known = marked + (out & is_known).sum(), known + is_known.sum()
    return marked / max(known, 1)


def _shown(kind: SeriesKind, point: Sample, base: Sample) -> tuple[np.ndarray, Sample, np.ndarray]:
    """Figure of a point, the base as ``expected_ends`` takes it, and what the point rests on."""
    if kind is SeriesKind.RATIO:
        return point.x / point.e, base, point.e
    if kind is SeriesKind.RATE:
        return np.where(point.e > 0, point.x, np.nan), base, point.e
    variance = (np.maximum(base.squares - base.x**2 / base.e, 0.0) + 22.0) / (base.e + 10.0)
    factor = np.exp(point.x / point.e - base.x / base.e)
    return factor, Sample(base.x, base.e, variance), point.e
