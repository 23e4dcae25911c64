"""Simulated organisations as the watch reads them, from any simulator with the functions of
``sim.py``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from aggregators.signal.exposure import day_profile, usual_counts
from aggregators.signal.rules import KEEP, LAG, LEARNING_DAYS, SeriesKind
from aggregators.signal.watch import DailyEvidence
from benchmarks.drifts import harsher

FIRST_DAY = 230
"""Nights from here on are judged: before, there is hardly a history."""
KINDS = {
    "cfr": SeriesKind.RATIO,
    "freq": SeriesKind.RATE,
    "inc": SeriesKind.RATE,
    "lead": SeriesKind.DURATION,
    "mttr": SeriesKind.DURATION,
}
MEASURES = tuple(KINDS)
FALLS = ("freq",)
SECONDS = np.log(3600.0)
"""Simulated durations are hours, the snapshot's seconds."""


@dataclass(frozen=True)
class Simulator:
    """A simulator's file and the setting of it that is run."""

    module: ModuleType
    setting: Any

    @classmethod
    def of(cls, path: Path, setting: str) -> Simulator:
        """The simulator in a file. Raises SystemExit naming what is missing."""
        spec = importlib.util.spec_from_file_location("simulator", path)
        if spec is None or spec.loader is None or not path.exists():
            raise SystemExit(f"--simulator: there is no Python file {path}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if hasattr(module, setting):
            return cls(module, getattr(module, setting))
        if setting not in harsher.CHANGES:
            raise SystemExit(f"--setting: {path.name} has no setting {setting}")
        return cls(module, harsher.setting(module.DEV, setting))

    def stable(self, seed: int) -> dict[str, DailyEvidence]:
        """The histories of an organisation in which nothing drifts, by measure."""
        run = self.module.simulate(seed, self.setting)
        return {measure: history(run, measure) for measure in MEASURES}

    def calm(self, seed: int, scenario: tuple[str, float, str]) -> DailyEvidence:
        """The history of what drifts in ``drifting``, without the drift."""
        measure = scenario[0]
        run = self.module.simulate(seed, self.setting, need=self.module.NEED[measure])
        return history(run, measure)

    def drifting(self, seed: int, scenario: tuple[str, float, str]) -> Drifting:
        """An organisation every workspace of which begins to drift. Around each all others are stable:
        the profile of the days is that of the same organisation without the drift."""
        measure = scenario[0]
        need = self.module.NEED[measure]
        twin = self.module.simulate(seed, self.setting, need=need) if rated(measure) else None
        run = self.module.simulate(seed, self.setting, drift=scenario, need=need)
        return Drifting(scenario, history(run, measure, twin), run["tau"], bound(run, scenario))


@dataclass(frozen=True)
class Drifting:
    """A drift in every workspace: since when [workspace], and within how many days at best it can be
    told."""

    scenario: tuple[str, float, str]
    history: DailyEvidence
    since: np.ndarray
    bound: np.ndarray

    @property
    def measure(self) -> str:
        """Key of the measure that drifts."""
        return self.scenario[0]


def rated(measure: str) -> bool:
    """Whether its exposure is the organisation's profile of the days."""
    return KINDS[measure] is SeriesKind.RATE


def history(run: dict[str, Any], measure: str, twin: dict[str, Any] | None = None) -> DailyEvidence:
    """A measure's daily evidence; ``twin`` is the organisation whose days give the exposure."""
    kind, facts = KINDS[measure], run[measure]
    nothing = np.zeros_like(facts.get("x", facts.get("n")), float)
    if kind is SeriesKind.RATIO:
        return DailyEvidence(
            kind, False, facts["x"].astype(float), facts["n"].astype(float), nothing
        )
    if kind is SeriesKind.RATE:
        seen = run["seen"].astype(float)
        profile = _profile(twin or run, measure)
        return DailyEvidence(
            kind, measure in FALLS, facts["x"].astype(float), seen * profile, nothing
        )
    n, logs = facts["n"].astype(float), facts["s1"].astype(float)
    squares = facts["s2"] + 2 * SECONDS * logs + n * SECONDS**2
    return DailyEvidence(kind, False, logs + n * SECONDS, n, squares.astype(float))


def _profile(run: dict[str, Any], measure: str) -> np.ndarray:
    counts, seen = run[measure]["x"].astype(float), run["seen"].astype(float)
    means = usual_counts(counts, seen, KEEP, LAG, LEARNING_DAYS)
    return day_profile(counts, seen, means)[None, :]


def bound(run: dict[str, Any], scenario: tuple[str, float, str]) -> np.ndarray:
    """Days that the best of all detectors needs at one false flag in 91,000 nights (Lorden), with the
    true parameters: log(91,000) over the information of a day."""
    measure, factor, _ = scenario
    parameters = run["par"]
    if measure == "cfr":
        attempts, rate = run["mu_dep"].mean(axis=1), parameters["cfr"]
        worse = np.minimum(rate * factor, 0.9)
        bits = worse * np.log(worse / rate) + (1 - worse) * np.log((1 - worse) / (1 - rate))
        return np.log(91_000) * (1 + attempts * parameters["rho"]) / (attempts * bits)
    if measure in ("freq", "inc"):
        return np.log(91_000) / _of_counts(run, measure, factor)
    events = run["mu_dep" if measure == "lead" else "mu_inc"].mean(axis=1)
    if measure == "lead":
        events = events * (1 - parameters["cfr"])
    share = parameters[f"bim_{measure}"] * parameters["bimodal_share"]
    spread = parameters[f"{measure}_sig"] ** 2
    spread = spread + share * (1 - share) * parameters["bimodal_shift"] ** 2
    variance = spread + parameters[f"day_{measure}"] ** 2 * events
    return np.log(91_000) * 2 * variance / (np.log(factor) ** 2 * events)


def _of_counts(run: dict[str, Any], measure: str, factor: float) -> np.ndarray:
    """Information of a day's negative binomial count."""
    parameters = run["par"]
    if measure == "inc":
        usual, size = run["mu_inc"].mean(axis=1), parameters["k_inc"]
        worse = usual * factor
    else:
        usual = run["mu_dep"].mean(axis=1) * (1 - parameters["cfr"])
        size, worse = parameters["k_dep"], usual / factor
    return worse * np.log(worse / usual) - (worse + size) * np.log((worse + size) / (usual + size))


def each_scenario(simulator: Simulator, seeds: Sequence[int]) -> Iterator[Drifting]:
    """The twenty drifts, each on a seed of its own; fewer seeds are gone round again."""
    scenarios = simulator.module.SCEN
    for number in range(max(len(seeds), len(scenarios))):
        yield simulator.drifting(seeds[number % len(seeds)], scenarios[number % len(scenarios)])
