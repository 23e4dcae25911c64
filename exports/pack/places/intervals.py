"""Interval of 95 % around a figure: how far chance alone may have moved what was sampled."""

from __future__ import annotations

import math

import numpy as np

from aggregators.pooling.figures import Figure
from aggregators.signal.interval import interval_around, wilson
from aggregators.signal.rules import SeriesKind
from aggregators.signal.series import series_of


def interval(figure: Figure) -> tuple[float, float] | None:
    """Lowest and highest value that the figure's events bear out, in its unit: Wilson's of a ratio, as the
    answers tell it, of a rate and of durations the signal's. None without data and of what is counted
    completely: a level, a ratio of levels, a census."""
    series, value = series_of(figure.measure), figure.value
    if series is None or value is None:
        return None
    now = figure.evidence
    if series.kind is SeriesKind.RATIO:
        if not now.denominator or now.numerator is None:
            return None
        parts = (np.array([part]) for part in (now.numerator, now.denominator, 1.0))
        ends = wilson(*parts)
        return float(ends.low[0]), float(ends.high[0])
    evidence, row = figure.table.change, slice(figure.row, figure.row + 1 or None)
    if evidence is None:
        return None
    factor = interval_around(series.kind, evidence.now.at(row), evidence.dispersion[row])
    low, high = value * float(factor.low[0]), value * float(factor.high[0])
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
