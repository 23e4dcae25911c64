"""Drift signals: when one is told, how it goes on, and when it is over, of a series of a workspace on a
night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from aggregators.signal.baseline import Usual
from aggregators.signal.rules import (
    CLEARS_BELOW,
    KEEP,
    LAG,
    LEAST_BASELINE,
    QUIET_NIGHTS,
    SeriesKind,
    Thresholds,
)
from aggregators.signal.series import TestableSeries
from aggregators.signal.watch import DailyEvidence, WatchState, advance_night
from aggregators.vocabulary.effects import Array

Values = Mapping[str, Any]
MONTH = 28
LONGEST = 3650


@dataclass(frozen=True)
class SeriesNight:
    """A series on a night, a workspace an element: evidence of the days up to it, state, what is
    usual, and for how many nights it has been quiet."""

    series: TestableSeries
    evidence: DailyEvidence
    state: WatchState
    usual: Usual
    quiet: Array
    thresholds: Thresholds
    night: date

    @cached_property
    def total(self) -> Array:
        """Evidence on the night."""
        return self.state.total

    @cached_property
    def is_crossed(self) -> list[bool]:
        """Whether the evidence is such that the series may be drifting."""
        crossed: list[bool] = (self.total >= self.thresholds.watch).tolist()
        return crossed

    @cached_property
    def since(self) -> np.ndarray:
        """Nights since each began to climb, that one and the last included."""
        return np.asarray(self.state.day - self.state.since)

    @cached_property
    def days_to_tell(self) -> np.ndarray:
        """Days that a doubling (or halving) needs until it is told; 0 where that is not known."""
        usual, per_day = self.usual, self.state.baseline.e / self._baseline_days
        if usual.kind is SeriesKind.DURATION:
            bits = np.log(2) ** 2 / 2 * per_day / (usual.variance * usual.lasting)
        else:
            factor = 0.5 if self.series.is_fall else 2.0
            gain = factor * np.log(factor) - factor + 1
            bits = per_day * usual.level * gain / usual.lasting
        with np.errstate(divide="ignore", invalid="ignore"):
            days = np.minimum(np.ceil(self.thresholds.watch / bits), LONGEST)
        return np.where(self.state.baseline.e >= LEAST_BASELINE, days, 0.0).astype(int)

    def is_over_since(self, at: int, day: date) -> bool:
        """Whether a drift was over on a night from a day on: its evidence fell by ``rules.OVER`` from
        its height."""
        nights = self.state.day - 1 - int(self.state.over[at])
        return nights < self.state.day and self.night - timedelta(days=nights) >= day

    @property
    def _baseline_days(self) -> Array:
        """Days that the baseline weighs, of the nights since each workspace's first snapshot."""
        begins = 0 if self.evidence.begins is None else self.evidence.begins
        since = np.minimum(self.evidence.days - begins, self.state.day)
        nights = np.maximum(since - LAG, 1)
        return np.asarray((1 - KEEP**nights) / (1 - KEEP))


def signal_values(watched: SeriesNight, at: int, before: Values | None) -> Values | None:
    """Row of the signal of the workspace with the index ``at``, ``before`` being its open one; None where
    there is none.

    Told when the evidence reaches ``thresholds.watch``. Over after ``rules.QUIET_NIGHTS`` of quiet
    evidence, or once that has fallen by ``rules.OVER`` from its height.
    """
    evidence = float(watched.total[at])
    if before is None and evidence < watched.thresholds.watch:
        return None
    if before is not None and evidence < watched.thresholds.watch:
        has_ended = watched.quiet[at] >= QUIET_NIGHTS or watched.is_over_since(
            at, before["opened_on"]
        )
        return {
            **before,
            "evidence": max(evidence, 0.0),
            "seen_on": watched.night,
            "ended_on": watched.night if has_ended else None,
        }
    drifts = evidence >= watched.thresholds.drifting or (before or {}).get("grade") == "drifting"
    usual, now = _levels(watched, at)
    return {
        "series": watched.series.key,
        "opened_on": before["opened_on"] if before else watched.night,
        "grade": "drifting" if drifts else "may_drift",
        "since": watched.night - timedelta(days=int(watched.since[at]) - 1),
        "give_or_take": int(watched.state.give_or_take[at]),
        "evidence": evidence,
        "usual": usual,
        "now": now,
        "extra": _extra(watched, at, usual, now),
        "seen_on": watched.night,
        "ended_on": None,
    }


def _levels(watched: SeriesNight, at: int) -> tuple[float, float]:
    """Level that is usual, and that of the days since it began (28 at most where that is not known): a
    ratio, events a day, or a typical duration in seconds."""
    days = min(max(int(watched.since[at]), 1), watched.evidence.days)
    recent = slice(watched.evidence.days - days, None)
    x, e = (float(part[at, recent].sum()) for part in (watched.evidence.x, watched.evidence.e))
    usual = float(watched.usual.level[at])
    now = x / e if e > 0 else usual
    if watched.series.kind is SeriesKind.DURATION:
        return float(np.exp(usual)), float(np.exp(now))
    return usual, now


def _extra(watched: SeriesNight, at: int, usual: float, now: float) -> float:
    """Events more than usual in the next 28 days if it goes on; of durations 0."""
    if watched.series.kind is SeriesKind.DURATION:
        return 0.0
    days = min(MONTH, watched.evidence.days)
    exposure = float(watched.evidence.e[at, -days:].sum()) * MONTH / days
    return (now - usual) * exposure


def watch_through(
    series: TestableSeries,
    evidence: DailyEvidence,
    state: WatchState,
    threshold: Thresholds,
    first_night: int,
    last: date,
) -> tuple[WatchState, SeriesNight]:
    """The state to keep, as of 28 nights ago, and the outcome of the last night, ``last``."""
    as_of_then, usual, by_day = state, None, evidence.by_day()
    quiet = np.zeros(len(evidence.x))
    for day in range(first_night, evidence.days):
        state, usual = advance_night(state, by_day, day, threshold.watch)
        if day == evidence.days - 1 - LAG:
            as_of_then = state
        quiet = np.where(state.total < threshold.watch - CLEARS_BELOW, quiet + 1, 0.0)
    assert usual is not None
    return as_of_then, SeriesNight(series, evidence, state, usual, quiet, threshold, last)
