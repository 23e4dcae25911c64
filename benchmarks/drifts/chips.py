"""Chips on stable organisations and on drifted ones: how many are coloured, how often the interval
holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aggregators.signal.change import VERDICTS, ChangeOutcome, Verdict, compare_samples, verdicts
from aggregators.signal.interval import of_change
from aggregators.signal.rules import SMALL_RATIO, SeriesKind
from aggregators.signal.stretch import PERIODS, dispersions, own_stretch, window
from aggregators.signal.watch import DailyEvidence
from benchmarks.drifts.organisations import MEASURES, Drifting

ENDS = (305, 399)
Stable = Sequence[Mapping[str, DailyEvidence]]


class Coloured(NamedTuple):
    """Percent of chips: likely or worse, worse; and of the intervals that there are, those that hold no
    change, where nothing changed; of how many."""

    likely: float
    worse: float
    covered: float
    chips: int = 0


def coloured_chips(stable: Stable, below: float = np.inf) -> dict[tuple[str, int], Coloured]:
    """Chips of stable organisations by measure and period, of those with events ``below`` a number; the
    dispersion is stretched by the organisation's own history, the first half of it for the first of two
    comparisons."""
    parts_by_key: dict[tuple[str, int], list[np.ndarray]] = {}
    for organisation in stable:
        for measure in MEASURES:
            history = organisation[measure]
            usual, stretch = dispersions(history, set(ENDS)), own_stretch(history)
            for end in ENDS:
                for days in PERIODS:
                    chips = _chips(history, end, days, usual[end] * stretch[days])
                    chips = chips[:, _events(history, end, days) < below]
                    parts_by_key.setdefault((measure, days), []).append(chips)
    every = {key: np.concatenate(parts, axis=1) for key, parts in parts_by_key.items()}
    return {
        key: Coloured(*(100 * np.nanmean(chips, axis=1)), chips.shape[1])
        for key, chips in every.items()
        if chips.shape[1]
    }


def _events(history: DailyEvidence, end: int, days: int) -> np.ndarray:
    """Events of the later period: what a rate usually counts in so many days (what it did count would
    choose those that fell), of anything else what it is of."""
    now = window(history, end, days)
    if history.kind is not SeriesKind.RATE:
        return now.e
    return np.asarray(now.e * history.x.sum(axis=1) / np.maximum(history.e.sum(axis=1), 1.0))


class ColouredOfFew(NamedTuple):
    """Percent of chips with few events: likely or worse, worse; of how many."""

    likely: float
    worse: float
    chips: int


def coloured_of_few(stable: Stable) -> dict[str, ColouredOfFew]:
    """Chips by measure, over all periods, of those alone whose later period has fewer events than
    ``SMALL_RATIO``: attempts of a ratio, durations, and what a rate usually counts in so many days."""
    every = coloured_chips(stable, below=SMALL_RATIO)
    few_by_measure = {}
    for measure in MEASURES:
        own = [one for (key, _), one in every.items() if key == measure]
        number = sum(one.chips for one in own)
        shares = (
            sum(share * one.chips for share, one in zip(of, own, strict=True)) / number
            for of in ([one.likely for one in own], [one.worse for one in own])
            if number
        )
        if number:
            few_by_measure[measure] = ColouredOfFew(*shares, number)
    return few_by_measure


def _chips(history: DailyEvidence, end: int, days: int, dispersion: np.ndarray) -> np.ndarray:
    """Truth values [likely or worse, worse, covered][workspace]; NaN covered where there is no interval."""
    now, before = window(history, end, days), window(history, end - days, days)
    outcome = compare_samples(history.kind, now, before, dispersion)
    verdict = _verdicts(history, outcome)
    interval = of_change(history.kind, now, before, dispersion)
    same = 0.0 if history.kind is SeriesKind.RATIO else 1.0
    holds = (interval.low <= same) & (same <= interval.high)
    return np.stack([verdict >= 1, verdict == 2, np.where(np.isnan(interval.low), np.nan, holds)])


def _verdicts(history: DailyEvidence, outcome: ChangeOutcome) -> np.ndarray:
    """0 not coloured, 1 likely worse, 2 worse."""
    every = verdicts(outcome, -1.0 if history.is_fall else 1.0, outcome.z)
    worse, likely = (VERDICTS.index(v) for v in (Verdict.WORSE, Verdict.LIKELY_WORSE))
    return np.where(every == worse, 2, np.where(every == likely, 1, 0))


class Power(NamedTuple):
    """Percent of drifted workspaces that 28 days after it are called likely worse or worse, and worse;
    and of intervals that hold the true change."""

    likely: float
    worse: float
    covered: float


def power(drifts: Sequence[Drifting]) -> dict[tuple[str, float], Power]:
    """Chips of 28 days after abrupt drifts, each workspace's against the 28 days before its own."""
    power_by_drift = {}
    for drift in (d for d in drifts if d.scenario[2] == "abrupt"):
        history, (measure, factor, _) = drift.history, drift.scenario
        usual, stretch = dispersions(history, set(range(230, 360))), own_stretch(history)[28]
        rows = []
        for day in np.unique(drift.since):
            own = np.flatnonzero(drift.since == day)
            rows.append(
                _chips_after(history.of(own), int(day), usual[int(day)][own] * stretch, factor)
            )
        power_by_drift[measure, factor] = Power(
            *(100 * np.nanmean(np.concatenate(rows, axis=1), axis=1))
        )
    return power_by_drift


def _chips_after(
    history: DailyEvidence, day: int, dispersion: np.ndarray, factor: float
) -> np.ndarray:
    now, before = window(history, day + 27, 28), window(history, day - 1, 28)
    verdict = _verdicts(history, compare_samples(history.kind, now, before, dispersion))
    interval = of_change(history.kind, now, before, dispersion)
    true = _true_change(history, before, factor)
    holds = (interval.low <= true) & (true <= interval.high)
    return np.stack([verdict >= 1, verdict == 2, np.where(np.isnan(interval.low), np.nan, holds)])


def _true_change(history: DailyEvidence, before: object, factor: float) -> np.ndarray:
    """The true change: a factor, or of a ratio the difference that a year's own mean gives."""
    if history.kind is not SeriesKind.RATIO:
        return np.full(len(history.x), 1 / factor if history.is_fall else factor)
    past = slice(0, 230)
    mean = history.x[:, past].sum(axis=1) / np.maximum(history.e[:, past].sum(axis=1), 1)
    return np.asarray(np.minimum(mean * factor, 0.9) - mean)
