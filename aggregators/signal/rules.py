"""Constants of the tests and of the watch, each once, with what it costs to change it.

Tuned on the public simulator's seeds 1000-1019 alone; docs/signal.md shows the result on other seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

HALF_LIFE = 150
"""Days after which a night counts half in a baseline. 100 and 300 find fewer drifts: 0.4 and 0.5
points."""
KEEP = 0.5 ** (1 / HALF_LIFE)
LAG = 28
"""A baseline's newest day is so many days old: later ones may be restated, and would hide a drift."""
LEARNING_DAYS = 56
"""Nights before the first evidence: a baseline of four weeks."""
LEAST_BASELINE = 10.0
"""Events, or usual days, that a baseline rests on before it says anything."""
QUIET_NIGHTS = 28
"""Nights below the threshold after which a crossing is a new flag, and a flag has ended."""
CLEARS_BELOW = 3.0
"""Evidence this far below the threshold is quiet."""
OVER = 4.5
"""Evidence by which a drift must have fallen from its height to be over. With three 1 of 6 that go on are
called over within eight weeks, with six half are still open eight weeks after their end (seed 1000)."""
MARGIN = 1.1
"""Changes up to a tenth are nobody's business."""
MARGIN_ERRORS = 0.7
"""Standard errors of the baseline that widen the margin: without it small workspaces bring half of all
false flags and a tenth of what is found."""
WIDEST_MARGIN = 0.35
LEAST_EVIDENCE = -3.0
WEEK_CAP = 50.0
"""A week's squared deviation counts at most so much: one catastrophe is no dispersion."""
DISPERSION_PRIOR = 8.0
"""Weeks by which a series' dispersion is drawn to the median of its measure."""
RATIO_PRIOR = 8.0
"""Events by which a ratio's baseline is drawn to the organisation's."""


class SeriesKind(StrEnum):
    """Kind of evidence in a tested series."""

    RATIO = "ratio"
    RATE = "rate"
    DURATION = "duration"


LASTING: Mapping[SeriesKind, float] = {
    SeriesKind.RATIO: 0.0,
    SeriesKind.RATE: 0.0,
    SeriesKind.DURATION: 1.0,
}
"""Part of a week's scatter beyond chance that the watch adds once more: durations wander for longer than a
week, so that weeks alone say too little of it. It finds nearly as many drifts at as many false flags, and a
third fewer false ones where teams wander."""


@dataclass(frozen=True, slots=True)
class WatchRule:
    """Sizes of change that a night's evidence is weighed for, and the most that one night may add: no
    single day can raise a flag alone."""

    sizes: tuple[float, ...]
    most: float


RISES: Mapping[SeriesKind, WatchRule] = {
    SeriesKind.RATIO: WatchRule((1.5, 2.0, 3.0), 1.2),
    SeriesKind.RATE: WatchRule((1.5, 2.0, 3.0), 1.5),
    SeriesKind.DURATION: WatchRule((1.5, 2.0, 3.0), 1.8),
}
FALLS = WatchRule((1.4, 1.8, 2.5), 0.6)
"""Of a rate whose fall is worse: a lull of three weeks must not reach the threshold by itself."""

QUARTER_DAYS = 91.0
"""Days in a workspace-quarter."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Evidence from which a series may be drifting, and from which it is drifting: 1 and 0.2 false
    flags in a thousand workspace-quarters."""

    watch: float
    drifting: float


NIGHTLY_BUDGETS = (1.0, 0.2)
"""False flags per thousand workspace-quarters and measure, of the two grades."""
SHIPPED: Mapping[tuple[SeriesKind, bool], Thresholds] = {
    (SeriesKind.RATIO, False): Thresholds(8.4, 9.6),
    (SeriesKind.RATE, False): Thresholds(10.2, 11.6),
    (SeriesKind.RATE, True): Thresholds(11.4, 13.5),
    (SeriesKind.DURATION, False): Thresholds(10.8, 13.5),
}
"""Thresholds until an installation has a year of its own history, by kind and whether a fall is worse."""

SHIPPED_DISPERSION: Mapping[SeriesKind, float] = {
    SeriesKind.RATIO: 1.2,
    SeriesKind.RATE: 1.8,
    SeriesKind.DURATION: 1.3,
}
"""Dispersion of a workspace of which the watch has learned nothing: the median of the public seeds."""

LIKELY, CERTAIN_Z = 1.8, 2.65
"""Standard errors of a change that is likely, and that is said without a doubt: by chance about once
in 14 and once in 125, both directions together."""
MARKED_BY_CHANCE = 0.04
"""Share of the cards of stable workspaces that are marked likely worse or worse, simulated."""
SMALL_RATIO = 5
"""Events below which a ratio is judged by Fisher's mid-p."""
SHIPPED_STRETCH: Mapping[tuple[SeriesKind, bool], Mapping[int, float]] = {
    (SeriesKind.RATIO, False): {7: 1.1, 28: 1.3, 90: 1.4},
    (SeriesKind.RATE, False): {7: 1.1, 28: 1.3, 90: 1.3},
    (SeriesKind.RATE, True): {7: 1.5, 28: 1.3, 90: 1.6},
    (SeriesKind.DURATION, False): {7: 1.1, 28: 1.2, 90: 1.3},
}
"""Stretch of the dispersion by the period's days, from the public seeds 1000-1019."""
