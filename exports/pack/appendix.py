"""The appendix: every workspace's raw numbers, domain by domain, row after row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from aggregators import words
from aggregators.name_order import by_name
from aggregators.pooling.cards import Card
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Measure, Unit
from exports.pack import notes
from exports.pack.flow import HEAD, NOTE, ROW, balanced_blocks
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.ink import Cell, TextColumn
from exports.pack.paper.style import Box

WIDE = style.RIGHT - style.LEFT
NAME, GROUP, WIDEST_GROUP = 122.0, 46.0, 104.0
PARTS = (("value", 0.3), ("num. / den.", 0.39), ("n", 0.18), ("days", 0.13))
SIZE, SPACE = 7.0, 3.0
"""Of the type, and between two numbers."""
EXPLAINED = (
    "–  no data: not tracked, nothing to count, or no snapshot in the period; never 0.     "
    "*  few events.     num. / den.  numerator / denominator, durations in "
    "seconds.     n  events behind the value.     days  days with a snapshot."
)


class AppendixRow(NamedTuple):
    """A workspace (None: the organisation), or one of its groups, with a figure per column."""

    card: Card | None
    group: str
    figures: Sequence[Figure]


class Columns(NamedTuple):
    """A domain's columns; a measure has five: those of ``PARTS``, and after the first its star."""

    organisation: TextColumn
    name: TextColumn
    group: TextColumn | None
    numbers: list[list[TextColumn]]


def columns(domain: Domain) -> tuple[Measure, ...]:
    """The measures that the appendix prints for a domain."""
    keys = domain.columns or (domain.headline, *domain.supporting)
    return tuple(domain.measure(key) for key in keys)


def rows(scorecard: Scorecard) -> Iterator[AppendixRow]:
    """The organisation, then every workspace by name; with groups a row for each of them."""
    if scorecard.is_empty:
        return
    measures = columns(scorecard.domain)
    yield from _rows(None, scorecard.figures, measures)
    for card in by_name(sorted(scorecard.cards, key=lambda c: c.slug), lambda c: c.name):
        yield from _rows(card, card.figures, measures)


def _rows(
    card: Card | None, figures: Mapping[str, Figure], measures: Sequence[Measure]
) -> Iterator[AppendixRow]:
    shown = [figures[measure.key] for measure in measures]
    groups = _groups(shown)
    if not groups:
        yield AppendixRow(card, "", shown)
    for group in groups:
        yield AppendixRow(card, group, [(f.by or {}).get(group, Figure(f.table)) for f in shown])


def draw(canvas: Canvas, dashboard: Dashboard) -> None:
    """The sheets, each domain's rows under its header."""
    scorecards, sheet = dashboard.scorecards, 0
    _sheet(canvas, dashboard, "Appendix")
    rest = [rows(scorecard) for scorecard in scorecards]
    for block in balanced_blocks([_count(scorecard) for scorecard in scorecards]):
        if block.sheet != sheet:
            _sheet(canvas, dashboard)
            sheet = block.sheet
        scorecard = scorecards[block.domain]
        if not block.rows:
            _draw_empty_domain(canvas, dashboard, scorecard, block.y)
            continue
        more = ", continued" if block.is_continued else ""
        listed = list(islice(rest[block.domain], block.rows))
        _block(canvas, f"{scorecard.domain.title}{more}", scorecard, listed, block.y)


def _count(scorecard: Scorecard) -> int:
    """How many rows a scorecard has."""
    if scorecard.is_empty:
        return 0
    measures = columns(scorecard.domain)
    every = (scorecard.figures, *(card.figures for card in scorecard.cards))
    return sum(max(1, len(_groups([f[m.key] for m in measures]))) for f in every)


def _groups(shown: Sequence[Figure]) -> list[str]:
    return sorted({group for figure in shown for group in figure.by or ()})


def _sheet(canvas: Canvas, dashboard: Dashboard, section: str | None = None) -> None:
    """A page with what stands on each of them."""
    canvas.page(section)
    y, period = style.TOP - 6, dashboard.period
    canvas.text(Box(style.LEFT, y, 300, 16), "Appendix: raw numbers", style.LEAD + 1, bold=True)
    organisation = canvas.type.fit(dashboard.organisation, 190, style.SMALL)
    about = f"{organisation} · {formats.span(period.span)} · {dashboard.time_zone}"
    corner = Box(style.LEFT + 300, y, WIDE - 300, 16)
    canvas.text(corner, about, style.SMALL, colour=style.MUTED, align="R")
    canvas.line((style.LEFT, y + 20), (style.RIGHT, y + 20), style.INK, 1.2)
    canvas.text(Box(style.LEFT, NOTE, WIDE, 10), EXPLAINED, style.TINY, colour=style.MUTED)


def _title(canvas: Canvas, title: str, y: float) -> None:
    canvas.text(Box(style.LEFT, y, WIDE, 14), title, style.BODY + 1, bold=True, colour=style.ACCENT)


def _draw_empty_domain(
    canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard, y: float
) -> None:
    """A domain without a row says why."""
    _title(canvas, scorecard.domain.title, y)
    why = notes.why_no_figures(dashboard) or scorecard.why_empty or scorecard.domain.empty
    canvas.text(Box(style.LEFT, y + 16, WIDE, 12), why, colour=style.MUTED)


def _block(
    canvas: Canvas, title: str, scorecard: Scorecard, listed: Sequence[AppendixRow], y: float
) -> None:
    """Rows of one domain on one sheet, under their header."""
    _title(canvas, title, y)
    domain = scorecard.domain
    placed, top = _columns(domain, _group_width(canvas, scorecard)), y + HEAD
    _head(canvas, domain, placed, y + 15)
    canvas.rules((top + ROW * (i + 1) for i in range(len(listed))), style.GRID, 0.4)
    for i, row in enumerate(listed):
        canvas.row(top + i * ROW, ROW, SIZE, _cells(canvas, row, placed))


def _group_width(canvas: Canvas, scorecard: Scorecard) -> float:
    """Points that the names of the groups need, within bounds; 0 in a domain without any."""
    if not scorecard.domain.by:
        return 0.0
    names = map(canvas.type.clean, scorecard.headline.by or ())
    widest = max((canvas.type.width(name, SIZE) for name in names), default=0.0)
    return min(max(widest + 6, GROUP), WIDEST_GROUP)


def _columns(domain: Domain, group: float) -> Columns:
    """Where a domain's columns lie, and how they look; that of the groups takes so much."""
    first, measures = style.LEFT + NAME + group, columns(domain)
    wide = (style.RIGHT - first) / len(measures)
    return Columns(
        TextColumn(style.LEFT, NAME - 4, SIZE, bold=True),
        TextColumn(style.LEFT, NAME - 4, SIZE),
        TextColumn(style.LEFT + NAME, group - 4, SIZE) if domain.by else None,
        [_parts(first + i * wide + 10, wide - 10) for i in range(len(measures))],
    )


def _parts(x: float, wide: float) -> list[TextColumn]:
    """The columns of a measure, right-aligned."""
    parts: list[TextColumn] = []
    for _, share in PARTS:
        part = TextColumn(
            x + SPACE, wide * share - SPACE, SIZE, False, style.MUTED, "R", whole=True
        )
        x += wide * share
        if not parts:  # the star hangs outside, so that the digits stay in line
            part = part._replace(bold=True, colour=style.INK)
            parts = [part, TextColumn(x + 0.5, 6, SIZE, bold=True)]
        else:
            parts.append(part)
    return parts


def _head(canvas: Canvas, domain: Domain, placed: Columns, y: float) -> None:
    """The header: measures, and under each its parts."""
    under = y + 12
    cells = [(_quiet(placed.name), "Workspace")]
    if placed.group:
        cells.append((_quiet(placed.group), (domain.by or "").capitalize()))
    for measure, parts in zip(columns(domain), placed.numbers, strict=True):
        first, last = parts[0], parts[-1]
        over = Box(first.x, y, last.x + last.w - first.x, 11)
        canvas.text(over, measure.title, SIZE, bold=True, align="R")
        canvas.line((over.x, under), (over.right, under), style.RULE, 0.5)
        shown = (first, *parts[2:])
        cells += [(_quiet(p), name) for p, (name, _) in zip(shown, PARTS, strict=True)]
    canvas.row(under, 11, style.TINY, cells)
    canvas.line((style.LEFT, y + 25), (style.RIGHT, y + 25), style.PREVIOUS, 0.8)


def _quiet(column: TextColumn) -> TextColumn:
    return column._replace(size=style.TINY, bold=False, colour=style.MUTED)


def _cells(canvas: Canvas, row: AppendixRow, placed: Columns) -> Iterator[Cell]:
    """A row's cells, in reading order."""
    if row.card:
        yield placed.name, notes.workspace_name(row.card, canvas.type)
    else:
        yield placed.organisation, "Organisation"
    if placed.group:
        yield placed.group, row.group or formats.NONE
    for figure, (value, star, *others) in zip(row.figures, placed.numbers, strict=True):
        first, *rest = raw_numbers(figure)
        yield value, first
        if figure.low_sample:
            yield star, "*"
        yield from zip(others, rest, strict=True)


def raw_numbers(figure: Figure) -> tuple[str, str, str, str]:
    """A figure's raw numbers as words: ("12.4 %", "12 / 97", "97", "28"); "–" for no data."""
    e = figure.evidence
    return (
        words.figure(figure),
        _quotient(figure),
        formats.NONE if e.n is None else formats.number(e.n),
        formats.number(e.days_seen),
    )


def _quotient(figure: Figure) -> str:
    """ "12 / 97"; a level has a numerator alone, an extreme neither."""
    e = figure.evidence
    if e.numerator is None:
        return formats.NONE
    seconds = figure.measure.unit is Unit.SECONDS and e.denominator is not None
    part = formats.number(e.numerator) + (" s" if seconds else "")
    return part if e.denominator is None else f"{part} / {formats.number(e.denominator)}"
