"""The appendix: every workspace's raw numbers, domain by domain, planned before it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from aggregators import words
from aggregators.figures import Card, Dashboard, Figure, Scorecard
from aggregators.measure import Domain, Measure, Unit
from exports.pack import notes, style
from exports.pack.canvas import Canvas
from exports.pack.style import Box

WIDE = style.RIGHT - style.LEFT
ROWS_TOP, NOTE = style.TOP + 24, style.BOTTOM - 8
ROW, HEAD = 11.4, 44.0
ROOM = NOTE - 4 - ROWS_TOP
NAME, GROUP = 122.0, 46.0
PARTS = (("value", 0.32), ("num. / den.", 0.38), ("n", 0.16), ("days", 0.14))
SIZE, LEAST = 7.0, 6
"""Type size, and how many rows a domain needs at the foot of a sheet to begin there."""
EXPLAINED = (
    "–  no data: not tracked, nothing to count, or no snapshot in the period; never 0.     "
    "*  low sample, too few events to rank.     num. / den.  numerator / denominator, durations in "
    "seconds.     n  events behind the value.     days  days with a snapshot."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A workspace (None: the organisation), or one of its groups, with a figure per column."""

    card: Card | None
    group: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one domain on one sheet; ``continued`` when the domain began on an earlier one."""

    domain: Domain
    rows: tuple[Row, ...]
    continued: bool = False

    @property
    def height(self) -> float:
        """In points, its heading included."""
        return HEAD + ROW * max(len(self.rows), 1) + 12


def columns(domain: Domain) -> tuple[Measure, ...]:
    """The measures that the appendix prints for a domain."""
    keys = domain.columns or (domain.headline, *domain.supporting)
    return tuple(domain.measure(key) for key in keys)


def rows(scorecard: Scorecard) -> Iterator[Row]:
    """The organisation, then every workspace by name; with groups a row for each of them."""
    if scorecard.is_empty:
        return
    yield from _rows(None, scorecard.figures, scorecard.domain)
    for card in sorted(scorecard.cards, key=lambda c: (c.name.casefold(), c.slug)):
        yield from _rows(card, card.figures, scorecard.domain)


def _rows(card: Card | None, figures: Mapping[str, Figure], domain: Domain) -> Iterator[Row]:
    shown = [figures[measure.key] for measure in columns(domain)]
    groups = sorted({group for figure in shown for group in figure.by or {}})
    for group in groups or [""]:
        own = ((f.by or {}).get(group, Figure(f.measure)) if group else f for f in shown)
        yield Row(card, group, tuple(own))


def sheets(dashboard: Dashboard) -> list[list[Block]]:
    """The blocks of each sheet, as many rows on each as there is room for; at least one sheet."""
    found: list[list[Block]] = [[]]
    left = ROOM
    for scorecard in dashboard.scorecards:
        rest = Block(scorecard.domain, tuple(rows(scorecard)))
        while True:
            fits = int((left - HEAD) / ROW)
            if fits < min(LEAST, max(len(rest.rows), 1)):
                found.append([])
                left = ROOM
                continue
            block = replace(rest, rows=rest.rows[:fits])
            found[-1].append(block)
            left -= block.height
            if len(rest.rows) <= fits:
                break
            rest = Block(rest.domain, rest.rows[fits:], continued=True)
    return found


def draw(canvas: Canvas, dashboard: Dashboard, plan: list[list[Block]]) -> None:
    """Every sheet of the plan, each on a page of its own."""
    for i, blocks in enumerate(plan):
        canvas.page("Appendix" if i == 0 else None)
        _masthead(canvas, dashboard)
        y = ROWS_TOP
        for block in blocks:
            _block(canvas, dashboard, block, y)
            y += block.height
        place = Box(style.LEFT, NOTE, WIDE, 10)
        canvas.text(place, EXPLAINED, style.TINY, colour=style.MUTED)


def _masthead(canvas: Canvas, dashboard: Dashboard) -> None:
    y, period = style.TOP - 6, dashboard.period
    canvas.text(Box(style.LEFT, y, 300, 16), "Appendix: raw numbers", style.LEAD + 1, bold=True)
    organisation = canvas.type.fit(dashboard.organisation, 190, style.SMALL)
    about = f"{organisation} · {words.span(period.span)} · {dashboard.time_zone}"
    place = Box(style.LEFT + 300, y, WIDE - 300, 16)
    canvas.text(place, about, style.SMALL, colour=style.MUTED, align="R")
    canvas.line((style.LEFT, y + 20), (style.RIGHT, y + 20), style.INK, 1.2)


def _block(canvas: Canvas, dashboard: Dashboard, block: Block, y: float) -> None:
    title = block.domain.title + (", continued" if block.continued else "")
    canvas.text(Box(style.LEFT, y, WIDE, 14), title, style.BODY + 1, bold=True, colour=style.ACCENT)
    if not block.rows:
        why = notes.nothing(dashboard) or block.domain.empty
        canvas.text(Box(style.LEFT, y + 16, WIDE, 12), why, colour=style.MUTED)
        return
    places = _places(block.domain)
    _head(canvas, block.domain, places, y + 15)
    for i, row in enumerate(block.rows):
        _row(canvas, row, places, y + HEAD + i * ROW, bool(block.domain.by))


def _places(domain: Domain) -> list[Box]:
    """Where each measure's columns lie: x and w count."""
    first = style.LEFT + NAME + (GROUP if domain.by else 0)
    count = len(columns(domain))
    wide = (style.RIGHT - first) / count
    return [Box(first + i * wide, 0, wide, ROW) for i in range(count)]


def _head(canvas: Canvas, domain: Domain, places: list[Box], y: float) -> None:
    """The header: measures, and under each its parts."""
    canvas.text(Box(style.LEFT, y + 12, NAME, 11), "Workspace", style.TINY, colour=style.MUTED)
    if domain.by:
        place = Box(style.LEFT + NAME, y + 12, GROUP, 11)
        canvas.text(place, domain.by.capitalize(), style.TINY, colour=style.MUTED)
    for measure, place in zip(columns(domain), places, strict=True):
        over = Box(place.x + 10, y, place.w - 10, 11)
        canvas.text(over, measure.title, SIZE, bold=True, align="R")
        canvas.line((over.x, y + 12), (over.right, y + 12), style.RULE, 0.5)
        x = over.x
        for name, share in PARTS:
            part = Box(x, y + 12, over.w * share, 11)
            canvas.text(part, name, style.TINY, colour=style.MUTED, align="R")
            x = part.right
    bottom = y + 25
    canvas.line((style.LEFT, bottom), (style.RIGHT, bottom), style.PREVIOUS, 0.8)


def _row(canvas: Canvas, row: Row, places: list[Box], y: float, grouped: bool) -> None:
    name = notes.called(row.card, canvas.type) if row.card else "Organisation"
    canvas.text(Box(style.LEFT, y, NAME - 4, ROW), name, SIZE, bold=row.card is None)
    if grouped:
        canvas.text(Box(style.LEFT + NAME, y, GROUP, ROW), row.group or words.NONE, SIZE)
    for figure, place in zip(row.figures, places, strict=True):
        _numbers(canvas, figure, Box(place.x + 10, y, place.w - 10, ROW))
    canvas.line((style.LEFT, y + ROW), (style.RIGHT, y + ROW), style.GRID, 0.4)


def _numbers(canvas: Canvas, figure: Figure, cell: Box) -> None:
    """Value, numerator / denominator, n and days, right-aligned."""
    x = cell.x
    for text, (_, share) in zip(raw(figure), PARTS, strict=True):
        part = Box(x, cell.y, cell.w * share, ROW)
        x = part.right
        first = part.x == cell.x
        if text:
            size = _fitting(canvas, text, part.w - 2)
            colour = style.INK if first else style.MUTED
            canvas.text(part, text, size, bold=first, colour=colour, align="R")
        if first and figure.low_sample:  # hangs outside, so that the digits stay in line
            canvas.text(Box(part.right + 0.5, cell.y, 6, ROW), "*", SIZE, bold=True)


def _fitting(canvas: Canvas, text: str, room: float) -> float:
    """The size at which a number fits whole: it may shrink, it is never cut."""
    return SIZE * min(1.0, room / canvas.type.width(canvas.type.clean(text), SIZE, True))


def raw(figure: Figure) -> tuple[str, str, str, str]:
    """A figure's raw numbers as words: ("12.4 %", "12 / 97", "97", "28"); "–" for no data."""
    e = figure.evidence
    return (
        words.figure(figure),
        _quotient(figure),
        words.NONE if e.n is None else words.number(e.n),
        words.number(e.days_seen),
    )


def _quotient(figure: Figure) -> str:
    """ "12 / 97"; a level has a numerator alone, an extreme neither."""
    e = figure.evidence
    if e.numerator is None:
        return words.NONE
    seconds = figure.measure.unit is Unit.SECONDS and e.denominator is not None
    part = words.number(e.numerator) + (" s" if seconds else "")
    return part if e.denominator is None else f"{part} / {words.number(e.denominator)}"
