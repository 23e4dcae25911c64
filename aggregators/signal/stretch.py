"""Stretch of the dispersion for longer periods: weeks scatter less than quarters, which wander.

Weekly blocks alone coloured 6 to 9 of 100 stable cards at 90 days. So the test itself is run over
one's own history, period against period, and the dispersion stretched until 95 of 100 changes (HELD) lie
within 1.96.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aggregators.signal.change import Sample, compare_samples
from aggregators.signal.interval import NINETEEN_OF_TWENTY
from aggregators.signal.rules import SHIPPED_STRETCH, SeriesKind
from aggregators.signal.watch import DailyEvidence, nights
from aggregators.vocabulary.effects import Array

PERIODS = (7, 28, 90)
ENDS: Mapping[int, tuple[int, ...]] = {7: (0, 35, 70, 105), 28: (0, 56, 112), 90: (0, 45, 90)}
"""Days before the newest on which the later period of a comparison ends."""
HELD: Mapping[int, float] = {7: 0.95, 28: 0.95, 90: 0.955}
"""Share of the changes, by the period's days, that lie within 1.96 once stretched. Quarters of a history
are few and overlap: with 0.95, 5 of 100 stable cards of deploy frequency were marked (seeds 1000-1019)."""
ENOUGH = 50
"""Comparisons by which the outcome is drawn to the shipped one."""
Stretch = Mapping[int, float]
"""Factor on the dispersion by the period's length in days."""


def window(history: DailyEvidence, end: int, days: int) -> Sample:
    """Evidence of the days up to ``end``, it included."""
    inside = slice(end - days + 1, end + 1)
    parts = (history.x, history.e, history.squares)
    return Sample(*(part[:, inside].sum(axis=1) for part in parts))


def dispersions(history: DailyEvidence, ends: set[int]) -> dict[int, Array]:
    """Dispersion of every series on some days."""
    return {
        day: expected.dispersion for day, (_, expected) in enumerate(nights(history)) if day in ends
    }


def own_stretch(history: DailyEvidence) -> Stretch:
    """Stretch from a history of the installation's own."""
    newest = history.days - 1
    ends = {newest - back for backs in ENDS.values() for back in backs if back <= newest}
    dispersion = dispersions(history, ends)
    return {days: _learned_stretch(history, days, dispersion) for days in PERIODS}


def _learned_stretch(history: DailyEvidence, days: int, dispersion: Mapping[int, Array]) -> float:
    """Stretch of a history's own changes, drawn to the shipped one where there are few of them."""
    newest, every = history.days - 1, []
    for back in ENDS[days]:
        end = newest - back
        if end - 2 * days + 1 < 0:
            continue
        now, before = window(history, end, days), window(history, end - days, days)
        every.append(compare_samples(history.kind, now, before, dispersion[end]).z)
    shipped = SHIPPED_STRETCH[history.kind, history.is_fall][days]
    z = np.abs(np.concatenate(every)) if every else np.empty(0)
    z = z[~np.isnan(z)]
    if not len(z):
        return shipped
    own = max(float(np.quantile(z, HELD[days]) / NINETEEN_OF_TWENTY) ** 2, 1.0)
    return (len(z) * own + ENOUGH * shipped) / (len(z) + ENOUGH)


def stretch_of_days(stretch: Stretch, days: int) -> float:
    """Stretch for a period of any length: linear in the log of its days between the measured ones, and
    that of the nearest outside of them."""
    lengths = np.log(PERIODS)
    return float(np.interp(np.log(max(days, 1)), lengths, [stretch[d] for d in PERIODS]))


def shipped_stretch(kind: SeriesKind, is_fall: bool) -> Stretch:
    """Stretch of an installation without a history."""
    return SHIPPED_STRETCH[kind, is_fall]
