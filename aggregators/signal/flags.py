"""Flags: crossings of a threshold after quiet nights, and how many of them there are. Pure numpy."""

from __future__ import annotations

import numpy as np

from aggregators.signal.rules import QUIET_NIGHTS
from aggregators.vocabulary.effects import Array


def crossings(evidence: Array, threshold: float) -> np.ndarray:
    """Nights on which evidence [series, day] reaches a threshold after quiet ones; bool of its shape."""
    above = evidence >= threshold
    running = np.cumsum(above, axis=1)
    before = np.concatenate([np.zeros((len(above), 1), running.dtype), running[:, :-1]], axis=1)
    earlier = np.zeros_like(before)
    earlier[:, QUIET_NIGHTS:] = before[:, :-QUIET_NIGHTS]
    return np.asarray(above & (before == earlier))


def flags_from(evidence: Array, threshold: float, first_day: int) -> int:
    """Flags from a day on."""
    rows = evidence.max(axis=1) >= threshold
    return int(crossings(evidence[rows], threshold)[:, first_day:].sum())


def first_flags(evidence: Array, threshold: float, since: np.ndarray) -> np.ndarray:
    """Nights from ``since`` [series] to the first flag from then on; a very large number without one."""
    flagged = crossings(evidence, threshold)
    flagged &= np.arange(evidence.shape[1])[None] >= since[:, None]
    return np.where(flagged.any(axis=1), flagged.argmax(axis=1) - since, 10**6)
