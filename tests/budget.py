"""Error budgets: the arithmetic of an objective. Source: Google SRE workbook, chapter 5.

Counts are events; ``target`` is a fraction (0.999). All functions take numbers or numpy arrays and
give NaN where there were no events. A target of 1 allows nothing: any bad event is an infinite burn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

THRESHOLDS_30_DAYS = {"1h": 14.4, "6h": 6.0, "3d": 1.0}
"""Burn rates worth acting on, for a 30-day window."""

Array = NDArray[np.float64]


def sli(good: ArrayLike, total: ArrayLike) -> Array:
    """Good events over all events."""
    good, total = np.asarray(good, float), np.asarray(total, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, good / total, np.nan)


def burn_rate(bad: ArrayLike, total: ArrayLike, target: ArrayLike) -> Array:
    """Share of bad events over the share that the target allows; 1 spends the budget exactly."""
    bad, total = np.asarray(bad, float), np.asarray(total, float)
    allowed = 1.0 - np.asarray(target, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        burn = (bad / total) / allowed
    burn = np.where((allowed <= 0) & (bad == 0), 0.0, burn)
    return np.where(total > 0, burn, np.nan)


def budget_remaining(bad: ArrayLike, total: ArrayLike, target: ArrayLike) -> Array:
    """1 - bad / ((1 - target) x total): the fraction of the budget left, negative when overspent."""
    return 1.0 - burn_rate(bad, total, target)


def seconds_left(remaining: ArrayLike, burn: ArrayLike, window_days: ArrayLike) -> Array:
    """Seconds until the remaining budget is spent at this burn; NaN when it never is, or was."""
    remaining, burn = np.asarray(remaining, float), np.asarray(burn, float)
    window = np.asarray(window_days, float) * 86400
    with np.errstate(divide="ignore", invalid="ignore"):
        left = remaining * window / burn
    return np.where((remaining > 0) & (burn > 0) & np.isfinite(left), left, np.nan)


def threshold(burn_30_days: float, window_days: float) -> float:
    """A 30-day burn threshold scaled to another window: threshold x window / 30."""
    return burn_30_days * window_days / 30
