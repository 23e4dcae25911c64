"""Beginnings of drifts as they are told on the night of the flag, and their ends, beside the true ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from aggregators.signal.flags import first_flags
from aggregators.signal.rules import QUIET_NIGHTS, SHIPPED
from aggregators.signal.watch import DailyEvidence, WatchState, advance_night, nights
from benchmarks.drifts.organisations import FALLS, KINDS, Drifting, Simulator
from benchmarks.drifts.trial import SOON, WITHIN

ABRUPT = "abrupt"


class Beginnings(NamedTuple):
    """Median days by which "since" is off, percent of the drifts whose beginning lies within "give or
    take", median of that, and how many drifts were found."""

    error: float
    covered: float
    give_or_take: float
    drifts: int


def measure_beginnings(drifts: Iterable[Drifting], limits: Mapping[str, float]) -> Beginnings:
    """Beginnings of the plain drifts (abrupt, to be told within ``SOON`` days at best) that are found
    within 56 days."""
    errors_and_bounds = [
        _errors_of_drift(d, limits[d.measure]) for d in drifts if d.scenario[2] == ABRUPT
    ]
    error, around = np.concatenate(errors_and_bounds, axis=1)
    if not len(error):
        return Beginnings(*([float("nan")] * 3), 0)
    return Beginnings(
        float(np.median(error)),
        100 * float((error <= around).mean()),
        float(np.median(around)),
        len(error),
    )


def _errors_of_drift(drift: Drifting, limit: float) -> np.ndarray:
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


LASTS = 40
EIGHT_WEEKS = 56
"""Days after the end within which a drift is to be over; and after its flag, within which one that goes on
is not to be."""


class Endings(NamedTuple):
    """Drifts that were flagged and ended: how many, median days from the end until they were over, percent
    over within 28 and 56; of those that go on how many, and percent called over within 56 days of the
    flag."""

    ended: int
    median: float
    within_28: float
    within_56: float
    going_on: int
    falsely: float


def measure_endings(simulator: Simulator, seeds: Sequence[int]) -> Endings:
    """Over the abrupt drifts of some organisations."""
    late: list[np.ndarray] = []
    falsely: list[np.ndarray] = []
    for seed in seeds:
        for scenario in simulator.module.SCEN:
            if scenario[2] != ABRUPT:
                continue
            drift = simulator.drifting(seed, scenario)
            end = drift.since + LASTS
            flagged, over = _flag_nights(
                _ending_history(simulator.calm(seed, scenario), drift), drift
            )
            late.append((over - end)[flagged < end])
            flagged, over = _flag_nights(drift.history, drift)
            is_judged = flagged < drift.since + EIGHT_WEEKS
            falsely.append((over - flagged)[is_judged] <= EIGHT_WEEKS)
    days, wrong = np.concatenate(late), np.concatenate(falsely)
    return Endings(
        len(days),
        float(np.median(days)),
        100 * float((days <= EIGHT_WEEKS // 2).mean()),
        100 * float((days <= EIGHT_WEEKS).mean()),
        len(wrong),
        100 * float(wrong.mean()),
    )


def _ending_history(calm: DailyEvidence, drift: Drifting) -> DailyEvidence:
    """The history that drifts for LASTS days and then is as it would have been."""
    day = np.arange(calm.days)[None]
    inside = (day >= drift.since[:, None]) & (day < drift.since[:, None] + LASTS)
    parts = {
        name: np.where(inside, getattr(drift.history, name), getattr(calm, name))
        for name in ("x", "e", "squares")
    }
    return replace(calm, **parts)


def _flag_nights(history: DailyEvidence, drift: Drifting) -> tuple[np.ndarray, np.ndarray]:
    """Nights on which a drift was flagged, and over; past the last where it was not."""
    limit = SHIPPED[KINDS[drift.measure], drift.measure in FALLS].watch
    never = 10 * history.days
    flagged, over = np.full((2, len(history.x)), never)
    quiet, state, by_day = (
        np.zeros(len(history.x)),
        WatchState.empty(len(history.x)),
        history.by_day(),
    )
    for day in range(history.days):
        state, _ = advance_night(state, by_day, day, limit)
        crossed = (state.total >= limit) & (day >= drift.since) & (flagged == never)
        flagged = np.where(crossed, day, flagged)
        quiet = np.where(state.total < limit - 3, quiet + 1, 0.0)
        has_ended = (flagged < day) & ((state.over >= flagged) | (quiet >= QUIET_NIGHTS))
        over = np.where(has_ended & (over == never), day, over)
    return flagged, over
