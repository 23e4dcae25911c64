"""What moved the headline: the largest contributions, and the rest in one line, so that they add up."""

from __future__ import annotations

from aggregators import words
from aggregators.contributions import Contribution, combined, contributions
from aggregators.figures import Scorecard
from aggregators.measure import Unit
from exports.pack import notes, style
from exports.pack.canvas import Canvas
from exports.pack.style import Box

MOST = 4
HEADING, ROW, NUMBER = 16.0, 11.5, 58.0
"""Heights of the heading and of a row, width of a column of numbers."""

Row = tuple[str, Contribution]
"""Who (a workspace, or how many others) contributes what."""


def rows(canvas: Canvas, scorecard: Scorecard, most: int = MOST) -> list[Row]:
    """The largest contributions to the headline's change, those that read as nothing left out, and the
    sum of the others; none for a single workspace, without a comparison, or where nothing moved."""
    found = contributions(scorecard, scorecard.domain.headline)
    if len(scorecard.cards) < 2:
        return []
    unit = scorecard.headline.measure.unit
    shown = min(most, sum(not words.is_nothing(c.total, unit) for c in found))
    if not shown:
        return []
    if len(found) == shown + 1:  # its name takes no more room than "1 others"
        shown += 1
    names = {card.slug: notes.called(card, canvas.type) for card in scorecard.cards}
    listed = [(names[c.slug], c) for c in found[:shown]]
    rest = found[shown:]
    return [*listed, (f"{words.number(len(rest))} others", combined(rest))] if rest else listed


def height(listed: list[Row]) -> float:
    """How many points the list takes; 0 when it is empty."""
    return HEADING + ROW * len(listed) + 4 if listed else 0.0


def draw(canvas: Canvas, box: Box, scorecard: Scorecard, listed: list[Row]) -> None:
    """The list from the top of a box: name, contribution and, where the figure has weights, its two
    parts."""
    if not listed:
        return
    canvas.line((box.x, box.y), (box.right, box.y), style.GRID, 0.6)
    canvas.text(Box(box.x, box.y + 3, 110, 11), "What moved it", style.SMALL, bold=True)
    split = listed[0][1].rate is not None
    titles = ("own figure", "weight", "in all") if split else ()
    for place, title in zip(_places(box, box.y + 3), titles, strict=False):
        canvas.text(place, title, style.TINY, colour=style.MUTED, align="R")
    for i, (name, one) in enumerate(listed):
        y = box.y + HEADING + i * ROW
        places = _places(box, y)
        canvas.text(Box(box.x, y, places[0 if split else 2].x - box.x - 4, ROW), name, style.SMALL)
        _numbers(canvas, places, one, scorecard.headline.measure.unit)


def _places(box: Box, y: float) -> list[Box]:
    """Three columns of numbers, at the right."""
    return [Box(box.right - NUMBER * n, y, NUMBER, ROW) for n in (3, 2, 1)]


def _numbers(canvas: Canvas, places: list[Box], one: Contribution, unit: Unit) -> None:
    for place, part in zip(places, (one.rate, one.mix), strict=False):
        if part is not None:
            text = words.shift(part, unit)
            canvas.text(place, text, style.TINY, colour=style.MUTED, align="R")
    canvas.text(places[2], words.shift(one.total, unit), style.SMALL, bold=True, align="R")
