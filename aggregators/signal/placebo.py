"""Thresholds from one's own history: each workspace's days redrawn in blocks are stable by
construction, so what the watch flags in them is false, and the threshold is where that happens as
often as permitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aggregators.signal.flags import flags_from
from aggregators.signal.rules import LEARNING_DAYS, QUARTER_DAYS, SeriesKind
from aggregators.signal.watch import DailyEvidence, evidence_by_night
from aggregators.vocabulary.effects import Array

BLOCK_WEEKS = 8
"""Weeks of a block: long enough that a lull of three weeks stays whole in most of them."""
REPLICATES = 4
SUSPECT = 7.5
"""Evidence from which a workspace is left out: with 3 % drifting, the threshold otherwise rose by
half."""
WARM_UP = LEARNING_DAYS + 28
REDRAWN = {
    (SeriesKind.RATIO, False): 2.0,
    (SeriesKind.RATE, False): 1.2,
    (SeriesKind.RATE, True): 0.5,
    (SeriesKind.DURATION, False): 1.4,
}
"""Flags allowed of a redrawn history for one of the history itself, chosen on the public seeds 1000-1019,
on which the histories themselves then flag about once where one is permitted. docs/signal.md has what
they flag at five: as many of ratios, counts and lead times, up to 2.4 times as many of recovery and of
falls, and more where teams wander."""
LOWEST, HIGHEST = 3.0, 40.0
Numbers = np.random.Generator


def redrawn_days(days: int, numbers: Numbers) -> np.ndarray:
    """An order of the days in blocks of whole weeks with replacement, around the end to the start."""
    weeks = max(days // 7, 1)
    starts = numbers.integers(0, weeks, -(-weeks // BLOCK_WEEKS)) * 7
    order = (starts[:, None] + np.arange(BLOCK_WEEKS * 7)).ravel() % (weeks * 7)
    return np.asarray(order[: weeks * 7]) % days


def unsuspected_series(history: DailyEvidence) -> np.ndarray:
    """Series whose own evidence never came near a threshold."""
    return np.flatnonzero(evidence_by_night(history).max(axis=1) < SUSPECT)


def placebo(history: DailyEvidence, seed: int, replicates: int = REPLICATES) -> list[Array]:
    """Evidence by night of redrawn histories, suspects left out."""
    numbers = np.random.default_rng(seed)
    stable = history.of(unsuspected_series(history))
    return [
        evidence_by_night(stable.on(redrawn_days(history.days, numbers))) for _ in range(replicates)
    ]


def false_rate(evidence: Sequence[Array], threshold: float, first_day: int = WARM_UP) -> float:
    """Flags per thousand workspace-quarters from a day on."""
    quarters = sum(len(e) * (e.shape[1] - first_day) / QUARTER_DAYS for e in evidence)
    flags = sum(flags_from(e, threshold, first_day) for e in evidence)
    return 1000 * flags / quarters if quarters > 0 else 0.0


def own_threshold(history: DailyEvidence, evidence: Sequence[Array], budget: float) -> float:
    """Threshold for a series from its redrawn histories, where they flag ``REDRAWN`` times as often as the
    history itself: blocks cut what lasts longer than they do, and of falls (lulls, freezes) that is most;
    of rare events a single cluster is drawn again and again."""
    return threshold(evidence, budget * REDRAWN[history.kind, history.is_fall])


def threshold(
    evidence: Sequence[Array],
    budget: float,
    first_day: int = WARM_UP,
    within: tuple[float, float] = (LOWEST, HIGHEST),
) -> float:
    """Evidence that stable histories reach ``budget`` times in a thousand workspace-quarters."""
    low, high = within
    for _ in range(16):
        middle = (low + high) / 2
        is_low = false_rate(evidence, middle, first_day) > budget
        low, high = (middle, high) if is_low else (low, middle)
    return (low + high) / 2
