"""The oracle: CUSUM that knows the true parameters and the size of the drift. A reference, no bound:
it knows of no lulls and no wander."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aggregators.signal.flags import first_flags
from benchmarks.drifts.organisations import Simulator, rated
from benchmarks.drifts.trial import BUDGETS, WITHIN, limit

Run = Mapping[str, Any]


def steps(run: Run, measure: str, factor: float) -> np.ndarray:
    """Log-likelihood ratio of each day [workspace, day]."""
    parameters, facts = run["par"], run[measure]
    if measure == "cfr":
        rate, n = parameters["cfr"][:, None], facts["n"]
        worse = np.minimum(rate * factor, 0.9)
        bits = facts["x"] * np.log(worse / rate)
        bits = bits + (n - facts["x"]) * np.log((1 - worse) / (1 - rate))
        return np.asarray(bits / (1 + np.maximum(n - 1, 0) * parameters["rho"][:, None]))
    if rated(measure):
        usual = (
            run["mu_inc"] if measure == "inc" else run["mu_dep"] * (1 - parameters["cfr"])[:, None]
        )
        size = parameters["k_inc" if measure == "inc" else "k_dep"][:, None]
        worse = usual * factor if measure == "inc" else usual / factor
        bits = facts["x"] * np.log(worse / usual)
        bits = bits - (facts["x"] + size) * np.log((worse + size) / (usual + size))
        return np.asarray(bits * run["seen"])
    share = (parameters[f"bim_{measure}"] * parameters["bimodal_share"])[:, None]
    shift = parameters["bimodal_shift"][:, None]
    mean = np.log(parameters[f"{measure}_med"])[:, None] + share * shift
    spread = parameters[f"{measure}_sig"][:, None] ** 2 + share * (1 - share) * shift**2
    variance = spread + facts["n"] * parameters[f"day_{measure}"][:, None] ** 2
    size = np.log(factor)
    return np.asarray(
        (size * (facts["s1"] - facts["n"] * mean) - facts["n"] * size**2 / 2) / variance
    )


def evidence(run: Run, measure: str, factor: float) -> np.ndarray:
    """CUSUM of the days' steps."""
    bits = steps(run, measure, factor)
    total, cusum = np.zeros(len(bits)), np.empty(bits.shape)
    for day in range(bits.shape[1]):
        total = np.maximum(total, 0) + bits[:, day]
        cusum[:, day] = total
    return cusum


def shares_found(
    simulator: Simulator, calibrate: Sequence[int], seeds: Sequence[int]
) -> dict[float, float]:
    """Percent of the drifts that it finds in 56 days, by budget."""
    module, setting = simulator.module, simulator.setting
    shares: dict[float, list[float]] = {budget: [] for budget in BUDGETS}
    limits: dict[tuple[str, float], dict[float, float]] = {}
    for measure, factor in {scenario[:2] for scenario in module.SCEN}:
        stable = [
            evidence(module.simulate(s, setting, need=module.NEED[measure]), measure, factor)
            for s in calibrate[:10]
        ]
        limits[measure, factor] = {b: limit(stable, b) for b in BUDGETS}
    for number in range(max(len(seeds), len(module.SCEN))):
        scenario = module.SCEN[number % len(module.SCEN)]
        measure, factor, _ = scenario
        seed = seeds[number % len(seeds)]
        run = module.simulate(seed, setting, drift=scenario, need=module.NEED[measure])
        cusum = evidence(run, measure, factor)
        for budget in BUDGETS:
            nights = first_flags(cusum, limits[measure, factor][budget], run["tau"])
            shares[budget].append(float((nights < WITHIN[-1]).mean()))
    return {budget: 100 * float(np.mean(found_shares)) for budget, found_shares in shares.items()}
