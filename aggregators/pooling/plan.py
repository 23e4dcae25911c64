"""Spans of days that a dashboard needs, and the days whose snapshots and durations they read.

The snapshot keeps running totals, so a span's flows are the difference of two rows and a period's
cost does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from aggregators.vocabulary.period import Period, Span, completed_sprints, day
from aggregators.vocabulary.sketch import place_of

NOW, BEFORE, SPRINT, TREND = "now", "before", "sprint", "trend"
STEP, TRAILING = "step", "trailing"
STEP_BEFORE, TRAILING_BEFORE = "step-before", "trailing-before"
POOLED, STEPPED = "pooled", "stepped"
PARTS = {
    POOLED: (NOW, BEFORE, TRAILING, TRAILING_BEFORE),
    STEPPED: (NOW, BEFORE, STEP, STEP_BEFORE),
}
"""Labels whose spans stand one after the other under one of their own: a measure is evaluated once for both
periods and every point, which takes a quarter of the operations."""
SPRINTS = 4
TREND_DAYS = 28
BASE, BASE_DAYS = "base", 84
"""Days before the period by which the points of a series are expected."""


@dataclass(frozen=True)
class Plan:
    """Every span of one reading, by what it serves.

    NOW and BEFORE are the period and the previous one. TRAILING and STEP are the points of the series,
    TRAILING_BEFORE and STEP_BEFORE those of the previous period: pooled figures read the trailing
    window, levels and counts the step alone. POOLED and STEPPED are both periods and the points of either
    way together, BASE the days by which points are expected. SPRINT serves an answer, TREND the projection
    that stands in where no evidence has a date.
    """

    period: Period
    points: tuple[date, ...]
    points_before: tuple[date, ...]
    spans: Mapping[str, tuple[Span, ...]]

    @classmethod
    def of(cls, period: Period, as_of: date, sprint_days: int) -> Plan:
        """The plan for a period; sprints end with it, or at ``as_of`` where it goes on."""
        points, before = period.points(), period.points(period.previous)
        sprints = completed_sprints(sprint_days, min(as_of, period.end), SPRINTS)
        spans = {NOW: (period.span,), BEFORE: (period.previous,), SPRINT: tuple(sprints)}
        for step, trailing, days, within in (
            (STEP, TRAILING, points, period.span),
            (STEP_BEFORE, TRAILING_BEFORE, before, period.previous),
        ):
            spans[step] = tuple(
                Span(max(end - day(period.step - 1), within.start), end) for end in days
            )
            spans[trailing] = tuple(Span(end - day(period.window - 1), end) for end in days)
        start = period.start
        spans[BASE] = (Span(start - day(BASE_DAYS), start - day(1)),)
        return cls(period, tuple(points), tuple(before), spans | _composed_spans(spans))

    @classmethod
    def trend(cls, period: Period) -> Plan:
        """The last days of the period, one by one."""
        days = [period.end - day(n) for n in reversed(range(TREND_DAYS))]
        bare = cls.without_points(period)
        return replace(bare, spans={**bare.spans, TREND: tuple(Span(d, d) for d in days)})

    @classmethod
    def without_points(cls, period: Period) -> Plan:
        """The plan for the figures of a period and the one before alone."""
        spans = {NOW: (period.span,), BEFORE: (period.previous,)}
        return cls(period, (), (), spans | _composed_spans(spans))

    @property
    def borders(self) -> list[date]:
        """Every day whose running totals are needed, ascending."""
        every = [span for spans in self.spans.values() for span in spans]
        return sorted({s.end for s in every} | {s.start - day(1) for s in every})

    @property
    def blocks(self) -> tuple[int, int]:
        """The first and last block of durations that its quantiles read; the series' windows reach
        back before the previous period."""
        first = min(s.start for s in self._with_durations())
        return place_of(first)[0], place_of(self.period.end)[0]

    def _with_durations(self) -> Sequence[Span]:
        labels = (NOW, BEFORE, TRAILING, TRAILING_BEFORE)
        return [span for label in labels for span in self.spans.get(label, ())]


def _composed_spans(spans: Mapping[str, tuple[Span, ...]]) -> dict[str, tuple[Span, ...]]:
    return {
        label: tuple(span for part in parts for span in spans.get(part, ()))
        for label, parts in PARTS.items()
    }
