"""Exposure of a rate: how much of a usual day each day is, by what the whole organisation did on it.

Weekdays and holidays cancel without a calendar. What the whole organisation does more or less of
cancels too, so the organisation's own series is watched beside.
"""

from __future__ import annotations

import numpy as np

from aggregators.vocabulary.effects import Array


def day_profile(counts: Array, seen: Array, means: Array) -> Array:
    """Share of a usual day that each day is [day], from ``counts`` and ``seen`` [workspace, day] and each
    workspace's usual count ``means`` [workspace, day]. Busy workspaces count less than in proportion:
    one must not be the calendar of all."""
    weight = seen / (1 + means)
    expected = (weight * means).sum(axis=0)
    done = (weight * counts).sum(axis=0)
    return np.asarray(np.divide(done, expected, out=np.ones_like(done), where=expected > 0))


def usual_counts(counts: Array, seen: Array, keep: float, lag: int, learning: int) -> Array:
    """Usual count of a seen day [workspace, day]: a fading mean of the days up to ``lag`` before, and
    of all days while that one is still learning."""
    whole = counts.sum(axis=1) / np.maximum(seen.sum(axis=1), 1.0)
    means = np.repeat(whole[:, None], counts.shape[1], axis=1)
    total, days = np.zeros(len(counts)), np.zeros(len(counts))
    for day in range(lag, counts.shape[1]):
        total = keep * total + counts[:, day - lag]
        days = keep * days + seen[:, day - lag]
        if day >= learning:
            means[:, day] = np.where(days > 0, total / np.maximum(days, 1e-9), whole)
    return means
