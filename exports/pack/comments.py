"""Words of people on a page of the pack: their commentary, and annotations of its days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.vocabulary import formats
from exports.pack import marks
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.style import Box

HIGH, GAP = 74.0, 10.0
"""Height of a full list of notes, and the space above it and beside it."""
BESIDE_NOTES = 2 / 3
"""Part of the width that a comment has beside notes."""


@dataclass(frozen=True, slots=True)
class Comment:
    """Commentary on a page, by its author and the day on which it was written."""

    text: str
    by: str
    on: date

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Comment:
        """Commentary as a job keeps it."""
        return cls(fields["text"], fields["by"], date.fromisoformat(fields["on"]))


def height_needed(canvas: Canvas, comment: Comment | None, wide: float) -> float:
    """Points that a comment takes where it stands alone in its width, 0 without one."""
    if comment is None:
        return 0.0
    lines = canvas.type.lines(comment.text, wide - 20, style.SMALL)
    return 27.0 + len(lines) * style.SMALL * 1.35


def height(canvas: Canvas, wide: float, scorecard: Scorecard, comment: Comment | None) -> float:
    """Points that a page needs for the whole of what is said, 0 where nobody says anything."""
    if not (comment or scorecard.annotations):
        return 0.0
    return max(HIGH, height_needed(canvas, comment, _room(wide, scorecard)))


def _room(wide: float, scorecard: Scorecard) -> float:
    """Width of a comment: all of it where there are no notes."""
    return (wide - GAP) * BESIDE_NOTES if scorecard.annotations else wide


def draw(
    canvas: Canvas, box: Box, scorecard: Scorecard, dashboard: Dashboard, comment: Comment | None
) -> None:
    """Commentary on the left, annotations on the right; either has the whole width where it is alone."""
    taken = 0.0
    if comment:
        wide = _room(box.w, scorecard)
        draw_comment(canvas, Box(box.x, box.y, wide, box.h), comment)
        taken = wide + GAP
    if scorecard.annotations:
        right = Box(box.x + taken, box.y, box.w - taken, box.h)
        _draw_notes(canvas, right, scorecard, dashboard)


def draw_comment(canvas: Canvas, box: Box, comment: Comment) -> None:
    """Comment with its author and the day."""
    canvas.fill(box, style.TINT, 6)
    inner = Box(box.x + 10, box.y + 7, box.w - 20, box.h - 14)
    canvas.text(Box(inner.x, inner.y, inner.w, 10), "Comment", style.SMALL, bold=True)
    signed = f"{comment.by}, {formats.day(comment.on)}"
    canvas.text(
        Box(inner.x + 60, inner.y, inner.w - 60, 10),
        signed,
        style.TINY,
        colour=style.MUTED,
        align="R",
    )
    body = Box(inner.x, inner.y + 13, inner.w, inner.h - 13)
    canvas.paragraph(body, comment.text, style.SMALL)


def _draw_notes(canvas: Canvas, box: Box, scorecard: Scorecard, dashboard: Dashboard) -> None:
    """Draws the first annotations of a domain, numbered as their marks, and how many more there are."""
    noted, names = scorecard.annotations, dashboard.scope.names
    canvas.text(Box(box.x, box.y + 5, box.w, 10), "Noted", style.SMALL, bold=True)
    y = box.y + 18
    for number, note in enumerate(noted[: marks.MOST], 1):
        where = f"{names.get(note.workspace, note.workspace)}: " if note.workspace else ""
        marks.mark(canvas, (box.x + marks.RADIUS, y + 5.5), number)
        line = canvas.type.fit(f"{note.days}  {where}{note.text}", box.w - 10, style.SMALL)
        canvas.text(Box(box.x + 10, y, box.w - 10, 11), line, style.SMALL)
        y += 11.5
    if rest := len(noted) - marks.MOST:
        more = f"and {formats.counted(rest, 'more note')}" if rest > 0 else ""
        canvas.text(Box(box.x, y, box.w, 10), more, style.TINY, colour=style.MUTED)


def of_job(comments: Mapping[str, Mapping[str, str]]) -> dict[str, Comment]:
    """Commentary of a job, by page."""
    return {page: Comment.of(comment) for page, comment in comments.items()}
