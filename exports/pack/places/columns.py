"""Columns of the table of workspaces: what they are called, how wide they are, what they draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from aggregators import words
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.pooling.groups import has_dropped
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Status, Unit
from exports.pack import marks, notes
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.style import Box
from exports.pack.places.axis import SharedAxis, draw_standing, is_sum, line, target, tone
from exports.pack.places.intervals import interval
from exports.pack.places.rows import PlaceRow

GAP = 10.0
RANK, NAME, GROUP, VALUE, PARTS, CHANGE, ADDS, EXTRA, CELL = 16, 96, 50, 48, 48, 104, 40, 52, 52
NOTE = 400.0
"""Room of a row's note beyond its column."""
LEAST, MOST = 56.0, 118.0
"""Widths of the two charts."""
ROWS = 14
"""Cards that are looked at for something to explain."""
Draw = Callable[[Canvas, Box, PlaceRow], None]


class PlaceColumn(NamedTuple):
    """A column: its title stands over it on the side where its cells stand."""

    title: str
    wide: float
    draw: Draw
    align: str = "R"


class Adds(NamedTuple):
    """Contributions to the headline's change by slug, and the change of which they are parts."""

    each: Mapping[str, float]
    head: Figure

    def words(self, part: float) -> str:
        """A part in the unit of the figure, which stands in the title where it is points."""
        text = formats.shift(part, self.head.measure.unit, self.head.value)
        return text.removesuffix(" pts")

    @property
    def title(self) -> str:
        """ "Adds, pts"."""
        return "Adds, pts" if self.head.measure.unit is Unit.RATIO else "Adds"


def columns_of(
    scorecard: Scorecard,
    dashboard: Dashboard,
    axis: SharedAxis,
    adds: Adds,
    wide: float,
    group: float = GROUP,
) -> list[PlaceColumn]:
    """Columns of a domain in ``wide`` points, the charts as wide as what is left allows; ``group`` is the
    width that the names of its groups need."""
    domain, head = scorecard.domain, scorecard.headline
    before = [PlaceColumn("", RANK, _rank), PlaceColumn("Workspace", NAME, _name, "L")]
    if domain.by:
        before.append(PlaceColumn(domain.by.capitalize(), group, _group, "L"))
    if domain.picture == "matrix":
        before += [_cell_column(scorecard, key) for key in domain.columns]
    else:
        before.append(PlaceColumn(head.measure.title, VALUE, _draw_value))
        if head.evidence.denominator is not None:
            before.append(PlaceColumn("Counted", PARTS, _parts))
    is_expected = any(card.figures[domain.headline].band for card in scorecard.cards[:ROWS])
    days = formats.counted(dashboard.period.days, "day") + "; band: expected" * is_expected
    after = []
    if compared := words.compared_with(dashboard.period):
        after.append(PlaceColumn(compared, CHANGE, _draw_change(domain), "L"))
    if adds.each:
        after.append(PlaceColumn(adds.title, ADDS, _draw_addition(adds)))
    charts = [] if domain.picture == "matrix" else [_standing_column(axis, scorecard)]
    charts.append(PlaceColumn(days, 0, _line_column(axis, scorecard), "L"))
    left = wide - sum(one.wide + GAP for one in (*before, *after)) + GAP
    each = left / len(charts) - GAP
    if interval(head) is None and domain.picture == "cards":
        for key in domain.columns:
            if key != domain.headline and each - (EXTRA + GAP) / len(charts) >= LEAST:
                before.append(_extra(scorecard, key))
                each -= (EXTRA + GAP) / len(charts)
    spare = max(each - MOST, 0.0) * len(charts)
    charts = [one._replace(wide=min(each, MOST)) for one in charts]
    before[1] = before[1]._replace(wide=NAME + spare)
    return [*before, *charts, *after]


def _rank(canvas: Canvas, box: Box, row: PlaceRow) -> None:
    if row.card and row.is_first:
        rank = formats.number(row.card.rank)
        canvas.text(box, rank, style.SMALL, colour=style.MUTED, whole=True)


def _name(canvas: Canvas, box: Box, row: PlaceRow) -> None:
    if row.card is None:
        canvas.text(box, "Organisation", bold=True)
    elif row.is_first:
        canvas.text(box, notes.workspace_name(row.card, canvas.type), bold=True)
    elif row.figure:
        canvas.text(box, row.note, style.TINY, colour=style.MUTED)


def _group(canvas: Canvas, box: Box, row: PlaceRow) -> None:
    text, wide = (row.group, box.w) if row.figure else (row.note, box.w + NOTE)
    canvas.text(Box(box.x, box.y, wide, box.h), text, style.SMALL, colour=style.MUTED)


def _draw_value(canvas: Canvas, box: Box, row: PlaceRow) -> None:
    """Draws a row's figure, in the colour of its status where that is none to be glad of."""
    if row.figure is None:
        return
    text, status = words.figure(row.figure), row.figure.status
    is_loud = row.card is not None and status in (Status.BAD, Status.WATCH)
    colour = style.COLOUR[status] if is_loud else style.INK
    inner = Box(box.x, box.y, box.w - 6, box.h)
    canvas.text(inner, text, bold=True, colour=colour, align="R", whole=True)
    if row.figure.low_sample:  # hangs outside, so that the digits stay in line
        canvas.text(Box(inner.right + 0.5, box.y, 6, box.h), "*", bold=True, colour=colour)
    if is_loud:
        width = canvas.type.width(canvas.type.clean(text), style.BODY, True)
        canvas.mark(status, (inner.right - min(width, inner.w) - 6, box.y + box.h / 2), 2.0)


def _parts(canvas: Canvas, box: Box, row: PlaceRow) -> None:
    if row.figure is None or row.figure.evidence.numerator is None:
        return
    e = row.figure.evidence
    text = f"{formats.number(e.numerator or 0)} / {formats.number(e.denominator or 0)}"
    canvas.text(box, text, style.SMALL, colour=style.MUTED, align="R", whole=True)


def _extra(scorecard: Scorecard, key: str) -> PlaceColumn:
    """Another measure of the domain, its figure alone."""

    def draw(canvas: Canvas, box: Box, row: PlaceRow) -> None:
        figure = row.figures[key]
        is_bad = row.card is not None and figure.status is Status.BAD
        colour = style.BAD if is_bad else style.INK if figure.has_data else style.MUTED
        text = words.figure(figure)
        canvas.text(box, text, style.SMALL, bold=is_bad, colour=colour, align="R", whole=True)

    return PlaceColumn(scorecard.domain.measure(key).title, EXTRA, draw)


def _cell_column(scorecard: Scorecard, key: str) -> PlaceColumn:
    """A cell of a matrix: a bad one is solid red, bold and marked "!"."""

    def draw(canvas: Canvas, box: Box, row: PlaceRow) -> None:
        figure = row.figures[key]
        text = words.figure(figure)
        inner = Box(box.x + 2, box.y, box.w - 6, box.h)
        if row.card and figure.status is Status.BAD:
            high = min(box.h - 3, 15.0)
            middle = box.y + box.h / 2
            canvas.bar(Box(box.x + 6, middle - high / 2, box.w - 6, high), style.BAD)
            canvas.text(inner, f"{text} !", bold=True, colour=style.WHITE, align="R")
            return
        colour = style.INK if figure.value else style.MUTED
        canvas.text(inner, text, bold=row.card is None, colour=colour, align="R")

    return PlaceColumn(scorecard.domain.measure(key).title, CELL, draw)


def _standing_column(axis: SharedAxis, scorecard: Scorecard) -> PlaceColumn:
    """Column that shows where each row stands on one axis, with its interval and target."""
    head = scorecard.headline
    goal = words.aim(head.measure)
    kind = "95 % interval" if interval(head) else ""
    title = "; ".join(filter(None, (kind, f"dotted: target {goal}" if goal else "")))

    def draw(canvas: Canvas, box: Box, row: PlaceRow) -> None:
        if row.figure and (row.card or not is_sum(row.figure)):
            colour = tone(row.figure.status) if row.card else style.ACCENT
            draw_standing(canvas, box, axis, row.figure, target(row.figure), colour)

    return PlaceColumn(title or "On one axis", 0, draw, "L")


def _line_column(axis: SharedAxis, scorecard: Scorecard) -> Draw:
    """Drawer of the column that holds each row's line."""

    def draw(canvas: Canvas, box: Box, row: PlaceRow) -> None:
        if row.figure and (row.card or not is_sum(row.figure)):
            line(canvas, box, axis, row.figure)
            slug = row.card.slug if row.card else None
            marks.draw_along(canvas, box, row.figure.series, marks.of_line(scorecard, slug))

    return draw


def _draw_change(domain: Domain) -> Draw:
    """The change; beyond the domain's alert it is loud whatever the figure stands at."""

    def draw(canvas: Canvas, box: Box, row: PlaceRow) -> None:
        if row.figure is None:
            return
        high = min(box.h - 2, 14.0)
        inner = Box(box.x, box.y + (box.h - high) / 2, box.w, high)
        canvas.pill(inner, row.figure, style.SMALL - 0.3, has_dropped(row.figure, domain))

    return draw


def _draw_addition(adds: Adds) -> Draw:
    def draw(canvas: Canvas, box: Box, row: PlaceRow) -> None:
        part = adds.each.get(row.card.slug, 0.0) if row.card else adds.head.delta or 0.0
        is_whole = row.card is None
        canvas.text(box, adds.words(part), style.SMALL, bold=is_whole, align="R", whole=True)

    return draw
