"""Scatter of the series in a scope: what the watch has learned of them, for the tests of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat

import numpy as np

from aggregators.signal import stretch as stretches
from aggregators.signal.rules import SHIPPED_DISPERSION
from aggregators.signal.series import TestableSeries
from aggregators.signal.stretch import Stretch
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.period import Span
from aggregators.vocabulary.sketch import EPOCH


@dataclass(frozen=True, slots=True)
class DayProfile:
    """Shares of a usual day of a rate, added up: ``totals`` [day + 1] from the day number ``first``
    on."""

    first: int
    totals: Array

    def mean(self, span: Span) -> float:
        """Mean share of the days of a span; those that are not known are usual ones."""
        last = len(self.totals) - 1
        start = (span.start - EPOCH).days - self.first
        end = start + span.days
        inside = [min(max(day, 0), last) for day in (start, end)]
        known = float(self.totals[inside[1]] - self.totals[inside[0]])
        return (known + span.days - (inside[1] - inside[0])) / span.days


@dataclass(frozen=True)
class Scatter:
    """Dispersion by series and workspace, stretch and day profile by series. What is not known is as
    shipped: the watch has not run yet."""

    dispersion: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    stretch: Mapping[str, Stretch] = field(default_factory=dict)
    profiles: Mapping[str, DayProfile] = field(default_factory=dict)
    drifts: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    """Since when a series of a workspace drifts, of those that do."""
    watched: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    """Evidence that a series of a workspace drifts, and the days that a doubling of it needs to be told; 0
    where that is not known."""

    def of(self, series: TestableSeries, slugs: Sequence[str], days: int) -> Array:
        """Dispersion of a series in each workspace over a period of so many days; the median of those
        that are known where one is not."""
        known = self.dispersion.get(series.key, {})
        usual = float(np.median(list(known.values()))) if known else SHIPPED_DISPERSION[series.kind]
        own = self.stretch.get(series.key) or stretches.shipped_stretch(series.kind, series.is_fall)
        each = np.fromiter(map(known.get, slugs, repeat(usual)), float, len(slugs))
        return each * stretches.stretch_of_days(own, days)

    def exposures(self, series: TestableSeries, spans: Sequence[Span]) -> list[float]:
        """Mean share of a usual day in each span; 1 where no profile is known."""
        profile = self.profiles.get(series.key)
        return [profile.mean(span) if profile else 1.0 for span in spans]


UNKNOWN = Scatter()
