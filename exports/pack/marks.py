"""Annotations as numbered marks on the lines of their days; the list beside them has the same numbers."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from aggregators.chosen.annotations import Annotation
from aggregators.pooling.dashboard import Scorecard
from aggregators.pooling.figures import Series
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.ink import Point
from exports.pack.paper.style import Box

MOST, RADIUS, DIGIT, STEP = 4, 3.0, 4.8, 6.5
"""Annotations that a page lists and marks; radius of a mark, size of the number in it, and how far two
marks stand from each other at least."""


class NumberedNote(NamedTuple):
    """Annotation with its number on the page."""

    number: int
    note: Annotation


def of_line(scorecard: Scorecard, slug: str | None = None) -> list[NumberedNote]:
    """Listed annotations of the headline's line: the organisation's own, or those of one workspace."""
    domain = scorecard.domain
    listed = enumerate(scorecard.annotations[:MOST], 1)
    return [
        NumberedNote(number, note)
        for number, note in listed
        if note.workspace == slug and note.is_about(domain.key, domain.headline)
    ]


def shares(series: Series, noted: list[NumberedNote]) -> list[tuple[float, int]]:
    """How far along a line each annotation begins, 0 to 1, with its number; one that began before stands
    at the line's begin."""
    days = [day for day, _ in series]
    last = max(len(days) - 1, 1)
    return sorted(
        (max(bisect_right(days, note.first_day) - 1, 0) / last, number) for number, note in noted
    )


def draw_along(canvas: Canvas, box: Box, series: Series, noted: list[NumberedNote]) -> None:
    """Marks on the foot of a box that a line fills from side to side, none upon another."""
    placed = shares(series, noted)
    across = spread_apart([box.x + box.w * share for share, _ in placed], box.right)
    for x, (_, number) in zip(across, placed, strict=True):
        mark(canvas, (x, box.bottom - RADIUS), number)


def spread_apart(across: list[float], end: float) -> list[float]:
    """Places in their order, pushed on where they would touch, and back from the end where that is full."""
    pushed: list[float] = []
    for x in across:
        pushed.append(max(x, pushed[-1] + STEP) if pushed else x)
    for i in range(len(pushed) - 1, -1, -1):
        limit = end if i == len(pushed) - 1 else pushed[i + 1] - STEP
        pushed[i] = min(pushed[i], limit)
    return pushed


def mark(canvas: Canvas, at: Point, number: int) -> None:
    """A disc with a number."""
    canvas.dot(at, RADIUS, style.MUTED)
    around = Box(at[0] - RADIUS, at[1] - RADIUS, 2 * RADIUS, 2 * RADIUS)
    canvas.text(around, str(number), DIGIT, bold=True, colour=style.WHITE, align="C", whole=True)
