"""The table of workspaces: header, rows on one axis, how many are left, the organisation beneath."""

from __future__ import annotations

from collections.abc import Sequence

from aggregators.pooling.contributions import contributions
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.vocabulary import formats
from exports.pack import marks
from exports.pack.charts import trend
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.style import Box
from exports.pack.places.axis import SharedAxis, is_sum
from exports.pack.places.columns import GAP, GROUP, Adds, PlaceColumn, columns_of
from exports.pack.places.rows import Listed, PlaceRow, rows_of

HEAD, REST, ROOMY = 38.0, 15.0, 130.0
"""Heights: of what stands over the rows, of a line beneath them, of what is left for a chart at least."""
LOW, HIGH = 12.6, 24.0
"""Least and most that a row is high."""
WIDEST_GROUP = 120.0
LEAST = 18.5
"""Least height of a row that is a workspace's only one."""


def draw(canvas: Canvas, box: Box, scorecard: Scorecard, dashboard: Dashboard) -> None:
    """The table from the top of a box, and beneath few rows the organisation's own line."""
    domain = scorecard.domain
    avail = box.h - HEAD - 2 * REST
    shown = rows_of(scorecard, int(avail / (LOW if domain.by else LEAST)))
    figures = [row.figure for row in shown.rows if row.figure]
    whole = () if is_sum(scorecard.headline) else (scorecard.headline,)
    axis = SharedAxis.of([*whole, *figures] or [scorecard.headline])
    adds = Adds({} if domain.by else _parts(scorecard), scorecard.headline)
    columns = columns_of(scorecard, dashboard, axis, adds, box.w, _group_width(canvas, shown))
    _head(canvas, box, columns, _title(scorecard, shown), f"charts {axis.words}")
    high = min(HIGH if not domain.by else 17.0, avail / max(len(shown.rows), 1))
    y = _rows(canvas, Box(box.x, box.y + HEAD, box.w, high), columns, shown.rows)
    y = _draw_below(canvas, Box(box.x, y, box.w, REST), columns, scorecard, shown, adds)
    if (rest := box.below(y + 14)).h >= ROOMY:
        canvas.text(
            Box(rest.x, rest.y, rest.w, 12), _organisation_caption(scorecard), style.BODY, bold=True
        )
        chart = Box(rest.x, rest.y + 14, rest.w, min(rest.h - 16, 260))
        noted = marks.of_line(scorecard)
        trend(canvas, chart, scorecard.headline, dashboard.period, noted)


def _group_width(canvas: Canvas, shown: Listed) -> float:
    """Points that the names of the groups need, within bounds."""
    clean = (canvas.type.clean(row.group) for row in shown.rows)
    widest = max((canvas.type.width(name, style.SMALL) for name in clean), default=0.0)
    return min(max(widest + 2, GROUP), WIDEST_GROUP)


def _organisation_caption(scorecard: Scorecard) -> str:
    """Caption of the organisation's line."""
    return f"{scorecard.headline.measure.title}, the organisation over the period"


def _parts(scorecard: Scorecard) -> dict[str, float]:
    if len(scorecard.cards) < 2:
        return {}
    return {one.slug: one.total for one in contributions(scorecard, scorecard.domain.headline)}


def _title(scorecard: Scorecard, shown: Listed) -> str:
    total, count = len(scorecard.cards), len(shown.shown)
    per = f", by {scorecard.domain.by}" if scorecard.domain.by else ""
    if not count and total:
        return "No workspace stands out"
    if total == count:
        return f"Every workspace{per or ', on one axis'}" if total > 1 else f"The workspace{per}"
    worst = "The" if count == 1 else formats.number(count)
    return f"{worst} worst of {formats.counted(total, 'workspace')}{per}"


def _head(canvas: Canvas, box: Box, columns: Sequence[PlaceColumn], title: str, ends: str) -> None:
    canvas.text(Box(box.x, box.y, box.w - 150, 12), title, style.BODY + 1, bold=True)
    corner = Box(box.right - 150, box.y, 150, 12)
    canvas.text(corner, ends, style.SMALL, colour=style.MUTED, align="R")
    x = box.x
    for column in columns:
        lines = canvas.type.lines(column.title, column.wide + 4, style.TINY, False, 2)
        shift = 0.0 if column.align == "L" else -4.0
        for i, text in enumerate(lines):
            y = box.y + HEAD - 4 - (len(lines) - i) * 8.2
            over = Box(x + shift, y, column.wide + 4, 8.2)
            canvas.text(over, text, style.TINY, colour=style.MUTED, align=column.align)
        x += column.wide + GAP
    canvas.line((box.x, box.y + HEAD - 2), (box.right, box.y + HEAD - 2), style.PREVIOUS, 0.8)


def _rows(
    canvas: Canvas, first: Box, columns: Sequence[PlaceColumn], rows: Sequence[PlaceRow]
) -> float:
    """The rows, ``first`` being the box of the uppermost; returns the y below."""
    y, high = first.y, first.h
    for number, row in enumerate(rows):
        if number and row.is_first:
            canvas.line((first.x, y), (first.right, y), style.GRID, 0.6)
        _row(canvas, Box(first.x, y, first.w, high), columns, row)
        y += high
    return y


def _row(canvas: Canvas, box: Box, columns: Sequence[PlaceColumn], row: PlaceRow) -> None:
    x = box.x
    for column in columns:
        column.draw(canvas, Box(x, box.y, column.wide, box.h), row)
        x += column.wide + GAP


def _draw_below(
    canvas: Canvas,
    line: Box,
    columns: Sequence[PlaceColumn],
    scorecard: Scorecard,
    shown: Listed,
    adds: Adds,
) -> float:
    """How many workspaces are left, and the organisation; returns the y below."""
    if shown.left:
        canvas.line((line.x, line.y), (line.right, line.y), style.GRID, 0.6)
        more = "more " if shown.shown else ""
        text = f"{formats.counted(shown.left, f'{more}workspace')} in the appendix"
        text += f": {shown.also}" if shown.also else ""
        left = Box(line.x + columns[0].wide + GAP, line.y, 400, line.h)
        canvas.text(left, text, style.SMALL, colour=style.MUTED)
        if adds.each:
            named = {card.slug for card in shown.shown}
            rest = sum(part for slug, part in adds.each.items() if slug not in named)
            right = Box(line.right - 60, line.y, 60, line.h)
            canvas.text(right, adds.words(rest), style.SMALL, align="R")
        line = Box(line.x, line.bottom, line.w, line.h)
    if len(scorecard.cards) < 2 or scorecard.domain.by:
        return line.y
    canvas.line((line.x, line.y), (line.right, line.y), style.INK, 0.9)
    whole = PlaceRow(None, scorecard.figures, scorecard.headline)
    _row(canvas, Box(line.x, line.y, line.w, line.h + 3), columns, whole)
    return line.bottom + 3
