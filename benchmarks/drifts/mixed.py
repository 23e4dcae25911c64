"""A mixed organisation: 30 of 1,000 workspaces begin to drift, one measure each, and a person reads
the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aggregators.signal.flags import crossings
from aggregators.signal.watch import DailyEvidence, evidence_by_night
from benchmarks.drifts.organisations import FIRST_DAY, MEASURES, Simulator

DRIFTING = 30
READ_ON = (300, 330, 360, 390)
"""Nights on which somebody looks at the head of the list."""


class Mixed(NamedTuple):
    """Share of flags at "drifting" that are false; of the first one and five by evidence those that
    drift."""

    false_share: float
    first: float
    first_five: float


def measure_mixed(simulator: Simulator, seeds: Sequence[int], limits: Mapping[str, float]) -> Mixed:
    """ChangeOutcome over some organisations."""
    flags = np.zeros(2)
    heads: list[np.ndarray] = []
    for seed in seeds:
        histories, since = _with_drifts(simulator, seed)
        excess, real = [], []
        for measure in MEASURES:
            evidence = evidence_by_night(histories[measure])
            crossed = crossings(evidence, limits[measure])[:, FIRST_DAY:]
            nights = np.arange(FIRST_DAY, evidence.shape[1])[None]
            true = nights >= since[measure][:, None]
            flags += [(crossed & ~true).sum(), crossed.sum()]
            excess.append(evidence - limits[measure])
            real.append(since[measure])
        ordered, begun = np.concatenate(excess), np.concatenate(real)
        for night in READ_ON:
            first = np.argsort(-ordered[:, night])[:5]
            heads.append(begun[first] <= night)
    right = np.array(heads)
    share = 100 * flags[0] / max(flags[1], 1)
    return Mixed(float(share), 100 * float(right[:, 0].mean()), 100 * float(right.mean()))


def _with_drifts(
    simulator: Simulator, seed: int
) -> tuple[dict[str, DailyEvidence], dict[str, np.ndarray]]:
    """Histories by measure, and since when each workspace drifts in it (a day that never comes if
    not)."""
    histories = simulator.stable(seed)
    numbers = np.random.default_rng(seed)
    chosen = numbers.choice(len(histories["cfr"].x), DRIFTING, replace=False)
    since = {m: np.full(len(histories[m].x), 10**6) for m in MEASURES}
    scenarios = simulator.module.SCEN
    for number, scenario in enumerate(scenarios):
        own = chosen[number :: len(scenarios)]
        drift = simulator.drifting(seed, scenario)
        history = histories[drift.measure]
        for part in ("x", "e", "squares"):
            getattr(history, part)[own] = getattr(drift.history, part)[own]
        since[drift.measure][own] = drift.since[own]
    return histories, since
