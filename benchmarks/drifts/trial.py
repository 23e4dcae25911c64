"""A detector against simulated organisations: false flags, drifts found, how soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aggregators.signal.flags import first_flags
from aggregators.signal.placebo import false_rate, threshold
from aggregators.signal.watch import DailyEvidence
from benchmarks.drifts.organisations import FIRST_DAY, MEASURES, Drifting

Detector = Callable[[DailyEvidence], np.ndarray]
BUDGETS = (1.0, 5.0, 0.2)
"""False flags per thousand workspace-quarters that thresholds are set for."""
WITHIN = (14, 28, 56)
SOON = 28
"""Days within which the best of all detectors tells a drift that is called a plain one."""
Stable = Sequence[Mapping[str, DailyEvidence]]
Limits = Mapping[float, Mapping[str, float]]
"""Thresholds by budget and measure."""


def direct_limits(detector: Detector, stable: Stable) -> Limits:
    """Thresholds from organisations that are known to be stable."""
    limits: dict[float, dict[str, float]] = {budget: {} for budget in BUDGETS}
    for measure in MEASURES:
        evidence = [detector(organisation[measure]) for organisation in stable]
        for budget in BUDGETS:
            limits[budget][measure] = limit(evidence, budget)
    return limits


def limit(evidence: Sequence[np.ndarray], budget: float) -> float:
    """As ``threshold``, for numbers of any size."""
    low = float(min(np.median(e[:, FIRST_DAY:]) for e in evidence))
    high = float(max(e.max() for e in evidence)) + 1
    return threshold(evidence, budget, FIRST_DAY, within=(low, high))


def false_flags(
    detector: Detector, stable: Stable, limits: Mapping[str, float]
) -> dict[str, float]:
    """False flags per thousand workspace-quarters, by measure."""
    return {
        measure: false_rate([detector(o[measure]) for o in stable], limits[measure], FIRST_DAY)
        for measure in MEASURES
    }


@dataclass
class Findings:
    """Drifts found: nights to the flag of each, by budget; of the plain ones (abrupt, to be told within
    ``SOON`` days at best) at the first budget."""

    delays: dict[float, list[np.ndarray]] = field(default_factory=dict)
    plain: list[np.ndarray] = field(default_factory=list)
    by_scenario: dict[tuple[str, float, str], np.ndarray] = field(default_factory=dict)

    def share(self, budget: float, days: int) -> float:
        """Percent found within some days, each drift counting the same."""
        return 100 * float(np.mean([np.mean(d < days) for d in self.delays[budget]]))

    def median(self, budget: float) -> float:
        """Median nights to the flag of those found within 56 days."""
        every = np.concatenate(self.delays[budget])
        caught = every[every < WITHIN[-1]]
        return float(np.median(caught)) if len(caught) else float("nan")

    def plain_share(self, days: int) -> float:
        """Percent of the plain ones found within some days."""
        return 100 * float(np.mean(np.concatenate(self.plain) < days))

    @property
    def plain_median(self) -> float:
        """Median nights to the flag of the plain ones, found or not."""
        return float(np.median(np.concatenate(self.plain)))


def findings(detector: Detector, drifts: Iterable[Drifting], limits: Limits) -> Findings:
    """Nights to the flag of some drifts."""
    result = Findings({budget: [] for budget in BUDGETS})
    for drift in drifts:
        evidence = detector(drift.history)
        for budget in BUDGETS:
            nights = first_flags(evidence, limits[budget][drift.measure], drift.since)
            result.delays[budget].append(nights)
        first = result.delays[BUDGETS[0]][-1]
        result.by_scenario[drift.scenario] = first
        if drift.scenario[2] == "abrupt":
            result.plain.append(first[drift.bound <= SOON])
    return result
