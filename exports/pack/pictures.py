"""The right of a domain's page: where it stands by workspace, in the picture its domain names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aggregators import groups, words
from aggregators.figures import Card, Figure, Scorecard
from aggregators.groups import Groups
from aggregators.measure import Better, Domain, Measure, Status, Unit
from aggregators.rollup import ranked
from exports.pack import notes, style
from exports.pack.canvas import Canvas
from exports.pack.finding import lowered
from exports.pack.style import Box

WORST, LEAST, HIGH = 10, 3, 31.5
"""Workspaces that a ranking shows at most, those that a second one needs room for, a row's height."""


def draw(canvas: Canvas, box: Box, scorecard: Scorecard) -> None:
    """The domain's picture, a ranking unless it names another one."""
    PICTURES.get(scorecard.domain.picture, ranking)(canvas, box, scorecard)


def _heading(canvas: Canvas, box: Box, title: str, shown: int, total: int) -> None:
    canvas.text(Box(box.x, box.y, box.w - 60, 12), title, style.BODY, bold=True)
    if total > shown:
        place = Box(box.right - 60, box.y, 60, 12)
        text = f"{words.number(shown)} of {words.number(total)}"
        canvas.text(place, text, style.SMALL, colour=style.MUTED, align="R")


def _rest(
    canvas: Canvas,
    box: Box,
    y: float,
    left: int,
    note: str = "",
    also: str = "",
    which: str = "more ",
) -> None:
    """How many workspaces are not shown here and what of them, after a note on how to read it."""
    counted = words.counted(left, f"{which}workspace")
    more = f"{counted} in the appendix{also}." if left > 0 else ""
    if text := " ".join(filter(None, (note, more))):
        canvas.text(Box(box.x, y, box.w, 10), text, style.TINY, colour=style.MUTED)


def tone(status: Status) -> str:
    """The colour of a bar: a status that is no news is the series' own."""
    return style.COLOUR[status] if status in (Status.BAD, Status.WATCH) else style.ACCENT


def ranking(canvas: Canvas, box: Box, scorecard: Scorecard) -> None:
    """The worst workspaces by the headline and, where there is room, by what the domain names its worst
    by: rank, name, bar, value, change."""
    domain, cards = scorecard.domain, scorecard.cards
    y = _worst(canvas, box, cards, domain.measure(domain.headline))
    by, rest = domain.worst_by, box.below(y + 20)
    if by and by != domain.headline and len(cards) > 1 and rest.h > 20 + HIGH * LEAST:
        _worst(canvas, rest, ranked(cards, domain, by), domain.measure(by))


def _worst(canvas: Canvas, box: Box, cards: Sequence[Card], measure: Measure) -> float:
    """As many as have room of those that could stand better; returns the y below."""
    key, total = measure.key, len(cards)
    measured = [c for c in cards if c.figures[key].has_data]
    best = [c.figures[key] for c in measured if _at_best(c.figures[key])]
    shown = [c for c in measured if not _at_best(c.figures[key])]
    del shown[min(WORST, int((box.h - 34) / HIGH)) :]
    title = "Worst" if total > 1 else "Workspace"
    title = title if shown or not best else "No workspace stands out"
    _heading(canvas, box, f"{title} by {lowered(measure.title)}", len(shown) or total, total)
    top = _full([c.figures[key] for c in shown])
    for i, card in enumerate(shown):
        row = Box(box.x, box.y + 20 + i * HIGH, box.w, HIGH)
        _ranked(canvas, row, card, card.figures[key], top)
    y, left = box.y + 22 + len(shown) * HIGH, total - len(shown)
    share = "all" if len(best) == left else f"{words.number(len(best))} of them"
    also = f", {share} at {words.figure(best[0])}" if best else ""
    _rest(canvas, box, y, left, also=also, which="more " if shown else "")
    return y + 10


def _at_best(figure: Figure) -> bool:
    """Whether it could not stand better: a list of the worst would be wrong about it."""
    if figure.status is Status.BAD or figure.over_budget:
        return False
    if figure.measure.better is Better.LOWER:
        return figure.value == 0
    return figure.measure.unit is Unit.RATIO and figure.value == 1


def _full(figures: Sequence[Figure]) -> float:
    """What a full bar stands for: the whole where a high share is good, else the largest value."""
    if any(f.measure.unit is Unit.RATIO and f.measure.better is Better.HIGHER for f in figures):
        return 1.0
    return max((abs(f.value or 0.0) for f in figures), default=0.0)


def _ranked(canvas: Canvas, row: Box, card: Card, figure: Figure, top: float) -> None:
    """One workspace: words above, its bar below; over budget fills the bar."""
    indent, line = 18.0, 12.0
    canvas.text(
        Box(row.x, row.y, indent - 5, line),
        str(card.rank),
        style.SMALL,
        colour=style.MUTED,
        align="R",
    )
    name = Box(row.x + indent, row.y, 118, line)
    canvas.text(name, notes.called(card, canvas.type), style.BODY)
    value = Box(name.right, row.y, 62, line)
    _valued(canvas, value, figure)
    change = Box(value.right + 8, row.y, row.right - value.right - 8, line)
    _changed(canvas, change, figure)
    track = Box(row.x + indent, row.y + 14, row.w - indent, 5)
    canvas.fill(track, style.TINT)
    share = 1.0 if figure.over_budget else abs(figure.value or 0.0) / top if top else 0.0
    if share > 0:
        canvas.fill(Box(track.x, track.y, max(track.w * share, 0.8), track.h), tone(figure.status))


def _valued(canvas: Canvas, box: Box, figure: Figure) -> None:
    text, loud = words.figure(figure), figure.status in (Status.BAD, Status.WATCH)
    colour = style.COLOUR[figure.status] if loud else style.INK
    canvas.text(box, text, bold=True, colour=colour, align="R")
    if figure.low_sample:  # hangs outside, so that the digits stay in line
        canvas.text(Box(box.right + 1, box.y, 7, box.h), "*", bold=True, colour=colour)
    if loud:
        wide = canvas.type.width(canvas.type.clean(text), style.BODY, True)
        canvas.mark(figure.status, (box.right - wide - 7, box.y + box.h / 2), 2.1)


def _changed(canvas: Canvas, box: Box, figure: Figure, size: float = style.SMALL) -> None:
    """The change in a few letters; its colour says better or worse, its sign the direction."""
    text = " ".join(filter(None, (words.arrow(figure), words.delta(figure))))
    loud = figure.tone in (Status.BAD, Status.WATCH)
    if figure.delta is not None and words.is_nothing(figure.delta, figure.measure.unit):
        text, loud = "No change", False
    colour = style.COLOUR[figure.tone] if loud else style.MUTED
    canvas.text(box, text, size, colour=colour, align="R")


def matrix(canvas: Canvas, box: Box, scorecard: Scorecard) -> None:
    """Workspaces by the domain's columns; a bad cell is solid red, bold and marked "!"."""
    measures = [scorecard.domain.measure(key) for key in scorecard.domain.columns]
    high, top = 15.5, box.y + 46
    room = int((box.bottom - top - high - 14) / high)
    cards = scorecard.cards[:room]
    _heading(canvas, box, "Workspaces, worst first", len(cards), len(scorecard.cards))
    columns = _columns(box, len(measures))
    for measure, column in zip(measures, columns, strict=True):
        _titled(canvas, Box(column.x - 1, box.y + 16, column.w - 3, 26), measure)
    for i, card in enumerate(cards):
        y = top + i * high
        canvas.line((box.x, y), (box.right, y), style.GRID, 0.6)
        name = Box(box.x, y, columns[0].x - box.x - 4, high)
        canvas.text(name, notes.called(card, canvas.type))
        for measure, column in zip(measures, columns, strict=True):
            _cell(canvas, Box(column.x, y, column.w, high), card.figures[measure.key])
    _total(canvas, Box(box.x, top + len(cards) * high, box.w, high), columns, scorecard)
    _rest(canvas, box, top + (len(cards) + 1) * high + 4, len(scorecard.cards) - len(cards))


def _columns(box: Box, count: int) -> list[Box]:
    wide = min(49.0, (box.w - 80) / max(count, 1))
    return [Box(box.right - wide * (count - i), box.y, wide, box.h) for i in range(count)]


def _titled(canvas: Canvas, box: Box, measure: Measure) -> None:
    """A column's title in at most three lines, standing on the table."""
    lines = canvas.type.lines(measure.title, box.w, style.TINY, False, 3)
    for i, text in enumerate(lines):
        y = box.bottom - (len(lines) - i) * 8.5
        canvas.text(Box(box.x, y, box.w, 8.5), text, style.TINY, colour=style.MUTED, align="R")


def _cell(canvas: Canvas, box: Box, figure: Figure) -> None:
    text, bad = words.figure(figure), figure.status is Status.BAD
    inner = Box(box.x + 2, box.y, box.w - 6, box.h)
    if bad:
        canvas.fill(Box(box.x + 2, box.y + 1, box.w - 2, box.h - 2), style.BAD, 2)
        canvas.text(inner, f"{text} !", bold=True, colour=style.WHITE, align="R")
        return
    canvas.text(inner, text, colour=style.INK if figure.value else style.MUTED, align="R")


def _total(canvas: Canvas, row: Box, columns: Sequence[Box], scorecard: Scorecard) -> None:
    """The organisation. Thresholds are a workspace's, so its cells are plain."""
    canvas.line((row.x, row.y), (row.right, row.y), style.INK, 0.9)
    canvas.text(Box(row.x, row.y, columns[0].x - row.x - 4, row.h), "Organisation", bold=True)
    for key, column in zip(scorecard.domain.columns, columns, strict=True):
        place = Box(column.x + 2, row.y, column.w - 6, row.h)
        canvas.text(place, words.figure(scorecard.figures[key]), bold=True, align="R")


def bars(canvas: Canvas, box: Box, scorecard: Scorecard) -> None:
    """A bar per workspace and group, 0 to 100 %, with the target's tick and the drop's chevron."""
    domain, high, gap = scorecard.domain, 11.5, 6.0
    every = groups.every(scorecard, domain.headline)
    blocks = [(card, groups.of(card, domain.headline, every)) for card in scorecard.cards]
    y, drawn = box.y + 20, 0
    for card, block in blocks:
        rows = [*block.rows, *([(_absent(block), None)] if block.absent else [])]
        tall = high * max(len(rows), 1) + gap
        if drawn and y + tall > box.bottom - 8:
            break
        canvas.line((box.x, y - gap / 2), (box.right, y - gap / 2), style.GRID, 0.6)
        canvas.text(Box(box.x, y, 82, high), notes.called(card, canvas.type))
        for j, (group, figure) in enumerate(rows):
            row = Box(box.x + 88, y + j * high, box.w - 88, high)
            if row.bottom <= box.bottom:
                _bar(canvas, row, group, figure, domain)
        y, drawn = y + tall, drawn + 1
    title = f"{scorecard.headline.measure.title} per {domain.by}, worst first"
    _heading(canvas, box, title, drawn, len(blocks))
    note = f"Tick: target {words.percent(domain.target, 0)}." if domain.target else ""
    _rest(canvas, box, y - 2, len(blocks) - drawn, note)


def _absent(block: Groups) -> str:
    return f"{len(block.absent)} others" if block.rows else f"All {len(block.absent)}"


def _bar(canvas: Canvas, row: Box, group: str, figure: Figure | None, domain: Domain) -> None:
    canvas.text(Box(row.x, row.y, 44, row.h), group, style.SMALL, colour=style.MUTED)
    track = Box(row.x + 47, row.y + 3.2, row.w - 47 - 96, row.h - 6.4)
    if figure is None or not figure.has_data:
        place = Box(track.x, row.y, track.w, row.h)
        canvas.text(place, "not set up", style.SMALL, colour=style.MUTED)
        return
    canvas.fill(track, style.GRID)
    share = min(max(figure.value or 0.0, 0.0), 1.0)
    if share > 0:
        canvas.fill(Box(track.x, track.y, track.w * share, track.h), tone(figure.status))
    if domain.target is not None:
        x = track.x + track.w * domain.target
        canvas.line((x, track.y - 2), (x, track.bottom + 2), style.INK, 1.1)
    value = Box(track.right + 2, row.y, 36, row.h)
    canvas.text(value, words.figure(figure), style.SMALL, bold=True, align="R")
    _points(canvas, Box(value.right + 6, row.y, row.right - value.right - 6, row.h), figure, domain)


def _points(canvas: Canvas, box: Box, figure: Figure, domain: Domain) -> None:
    """The change in points; beyond the alert the chevron, solid red."""
    if not groups.dropped(figure, domain):
        _changed(canvas, box, figure, style.TINY)
        return
    chip = Box(box.x, box.y + 0.6, box.w, box.h - 1.2)
    canvas.fill(chip, style.BAD, 2)
    text = f"▼ {words.points(figure.delta or 0.0)}"
    inner = Box(box.x, box.y, box.w - 3, box.h)
    canvas.text(inner, text, style.TINY + 0.3, bold=True, colour=style.WHITE, align="R")


PICTURES: dict[str, Callable[[Canvas, Box, Scorecard], None]] = {
    "cards": ranking,
    "matrix": matrix,
    "bars": bars,
}
