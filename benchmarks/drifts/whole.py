"""Sums over many workspaces: how often the watch over a whole scope flags falsely, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from aggregators.signal.flags import first_flags, flags_from
from aggregators.signal.rules import LAG, QUARTER_DAYS, SHIPPED
from aggregators.signal.watch import DailyEvidence, evidence_by_night
from benchmarks.drifts.organisations import FALLS, FIRST_DAY, KINDS, MEASURES, Simulator, history
from benchmarks.drifts.trial import WITHIN
from reading.signals.whole.pooling import pooled_evidence, weekday_shares

MONDAY = date(2026, 1, 5)
"""Stands for the simulator's day 0: its days 5 and 6 of seven are the weekend."""


class WholeScopes(NamedTuple):
    """False flags at "drifting" of scopes that drift in nothing, and how many scope-quarters they are of;
    percent of drifts that are found within 28 and 56 days where all workspaces of a scope begin on the
    same day, by drift."""

    false: int
    quarters: float
    found: dict[str, tuple[float, float]]


def watch_whole_scopes(
    simulator: Simulator, stable: Sequence[int], drifts: Sequence[int]
) -> WholeScopes:
    """Scopes of about ten workspaces, and the whole organisation, which drifts in nothing."""
    false, quarters = 0, 0.0
    for seed in stable:
        run = simulator.module.simulate(seed, simulator.setting)
        for measure in MEASURES:
            evidence = evidence_by_night(_pooled_run(run, run, measure, _scopes(run["tau"], True)))
            false += flags_from(evidence, _limit(measure), FIRST_DAY)
            quarters += len(evidence) * (evidence.shape[1] - FIRST_DAY) / QUARTER_DAYS
    shares_found = {}
    for number, scenario in enumerate(simulator.module.SCEN):
        measure = scenario[0]
        need, seed = simulator.module.NEED[measure], drifts[number % len(drifts)]
        twin = simulator.module.simulate(seed, simulator.setting, need=need)
        run = simulator.module.simulate(seed, simulator.setting, drift=scenario, need=need)
        inside = _scopes(run["tau"], False)
        nights = first_flags(
            evidence_by_night(_pooled_run(run, twin, measure, inside)),
            _limit(measure),
            np.unique(run["tau"]),
        )
        within = (100 * float((nights < days).mean()) for days in WITHIN[1:])
        shares_found[" ".join(map(str, scenario))] = (next(within), next(within))
    return WholeScopes(false, quarters, shares_found)


def _limit(measure: str) -> float:
    return SHIPPED[KINDS[measure], measure in FALLS].drifting


def _scopes(since: np.ndarray, with_everybody: bool) -> np.ndarray:
    """Scopes [scope, workspace] of those that begin, or would begin, on the same day; and all of them."""
    inside = (np.unique(since)[:, None] == since[None, :]).astype(float)
    return np.concatenate([inside, np.ones((1, len(since)))]) if with_everybody else inside


def _pooled_run(run: Any, calm: Any, measure: str, inside: np.ndarray) -> DailyEvidence:
    """Sums of a run; the weekdays are those of a calm one, up to the first day that is judged."""
    every, usual = history(run, measure), history(calm, measure)
    shares = usual.e.sum(axis=0) / np.maximum(calm["seen"].sum(axis=0), 1)
    days = [MONDAY + timedelta(days=n) for n in range(every.days)]
    share_by_day = dict(zip(days, shares.tolist(), strict=True))
    weekdays = weekday_shares(share_by_day, days, days[FIRST_DAY - LAG])
    return pooled_evidence(every, inside, run["seen"].astype(float), weekdays)
