"""Beginnings of drifts as they are told on the night of the flag, beside the true ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from aggregators.signal.flags import first_flags
from aggregators.signal.watch import nights
from benchmarks.drifts.organisations import Drifting
from benchmarks.drifts.trial import SOON, WITHIN

ABRUPT = "abrupt"


class Beginnings(NamedTuple):
    """Median days by which "since" is off, percent of the drifts whose beginning lies within "give or
    take", median of that, and how many drifts were found."""

    error: float
    covered: float
    give_or_take: float
    drifts: int


def beginnings(drifts: Iterable[Drifting], limits: Mapping[str, float]) -> Beginnings:
    """Beginnings of the plain drifts (abrupt, to be told within ``SOON`` days at best) that are found
    within 56 days."""
    told = [_of(d, limits[d.measure]) for d in drifts if d.scenario[2] == ABRUPT]
    error, around = np.concatenate(told, axis=1)
    if not len(error):
        return Beginnings(*([float("nan")] * 3), 0)
    return Beginnings(
        float(np.median(error)),
        100 * float((error <= around).mean()),
        float(np.median(around)),
        len(error),
    )


def _of(drift: Drifting, limit: float) -> np.ndarray:
    """Days off and days to either side [2, drift found]."""
    evidence, since, around = [], [], []
    for state, _ in nights(drift.history):
        evidence.append(state.total)
        since.append(state.since)
        around.append(state.give_or_take)
    delay = first_flags(np.stack(evidence, axis=1), limit, drift.since)
    caught = np.flatnonzero((delay < WITHIN[-1]) & (drift.bound <= SOON))
    night = drift.since[caught] + delay[caught]
    error = np.abs(np.stack(since)[night, caught] - drift.since[caught])
    return np.stack([error, np.stack(around)[night, caught]])
