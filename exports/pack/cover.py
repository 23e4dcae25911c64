"""The cover: the whole organisation in thirty seconds."""

from __future__ import annotations

from collections.abc import Sequence

from aggregators import words
from aggregators.pooling.dashboard import Answer, Dashboard, Scorecard
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import Compare, Period
from exports.pack import comments, notes
from exports.pack.charts import sparkline
from exports.pack.comments import Comment
from exports.pack.finding import status_figure
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.style import Box

WIDE = style.RIGHT - style.LEFT
HEADER, ROWS, ANSWERS = 150.0, 168.0, 420.0
"""Where the scorecard's header, its rows and the answers begin."""

COLUMNS = (
    ("Domain", 0.0, 128.0),
    ("Headline", 132.0, 158.0),
    ("Change", 294.0, 122.0),
    ("Status", 420.0, 104.0),
    ("Trend", 528.0, 112.0),
    ("Worst workspace", 656.0, WIDE - 656.0),
)


def draw(
    canvas: Canvas, dashboard: Dashboard, restated: str = "", comment: Comment | None = None
) -> None:
    """The first page; ``restated`` is a sentence about figures that were told otherwise before. A comment
    stands at its foot, and what is above moves together."""
    canvas.page("Cover")
    x, y = style.LEFT, style.TOP
    canvas.text(
        Box(x, y, WIDE, 15),
        dashboard.organisation,
        style.LEAD + 1,
        bold=True,
        colour=style.ACCENT,
    )
    canvas.text(Box(x, y + 16, WIDE, 32), "Executive dashboard", style.COVER, bold=True)
    if restated:
        text_box = Box(x + WIDE / 2, y + 8, WIDE / 2, 44)
        canvas.paragraph(text_box, restated, style.BODY, colour=style.WATCH, leading=1.3)
    canvas.line((x, y + 56), (style.RIGHT, y + 56), style.INK, 1.2)
    _facts(canvas, dashboard, y + 63)
    taken = comments.height_needed(canvas, comment, WIDE)
    answers = ANSWERS - (taken + comments.GAP if comment else 0.0)
    beside = words.BESIDE[dashboard.period.compare]
    _scorecard(canvas, dashboard.scorecards, beside, answers)
    _answers(canvas, dashboard, Box(x, answers, WIDE, style.BOTTOM - answers))
    if comment:
        foot = Box(x, style.BOTTOM - taken + 4, WIDE, taken)
        comments.draw_comment(canvas, foot, comment)


def _facts(canvas: Canvas, dashboard: Dashboard, y: float) -> None:
    """Draws what the pack is of: period, comparison, last day, time zone, workspaces."""
    period, scope, zone = dashboard.period, dashboard.scope, dashboard.time_zone
    room = WIDE - 532
    out = notes.lines_about_left_out(scope, canvas.type, room - 76, style.TINY)
    as_of = formats.day(dashboard.as_of) if dashboard.as_of else formats.NONE
    computed = (
        [f"computed {notes.instant(dashboard.snapshot_at, zone)}"]
        if dashboard.snapshot_at
        else [notes.NO_SNAPSHOT]
    )
    facts: Sequence[tuple[float, float, str, str, list[str]]] = (
        (0, 150, "Period", formats.span(period.span), [formats.counted(period.days, "day")]),
        (160, 150, "Compared with", *_comparison(period)),
        (320, 112, "Data as of", as_of, ["end of day", *computed] if dashboard.as_of else computed),
        (438, 84, "Time zone", zone, []),
        (532, room, "Workspaces in scope", notes.counted_in(scope), out or [notes.NOBODY]),
    )
    for shift, wide, title, value, below in facts:
        text_box = Box(style.LEFT + shift, y, wide, 10)
        canvas.text(text_box, title, style.SMALL, colour=style.MUTED)
        canvas.text(Box(text_box.x, y + 11, wide, 14), value, style.LEAD, bold=True)
        for i, text in enumerate(below[:3]):
            line = Box(text_box.x, y + 26 + i * 9, wide, 9)
            canvas.text(line, text, style.TINY, colour=style.MUTED)


def _comparison(period: Period) -> tuple[str, list[str]]:
    """Days of the comparison, and which those are in words."""
    if period.compare is Compare.NONE:
        return "Nothing", []
    which = "the days before it" if period.compare is Compare.PREVIOUS else "a year ago"
    return formats.span(period.previous), [which]


def _scorecard(canvas: Canvas, scorecards: Sequence[Scorecard], before: str, end: float) -> None:
    """Rows down to ``end``; ``before`` are the days that the faint line is of."""
    for title, shift, wide in COLUMNS:
        title = f"Trend, {before} faint" if title == "Trend" and before else title
        text_box = Box(style.LEFT + shift, HEADER, wide, 12)
        canvas.text(text_box, title, style.SMALL, colour=style.MUTED)
    canvas.line((style.LEFT, ROWS - 4), (style.RIGHT, ROWS - 4), style.RULE, 0.8)
    high = min(40.0, (end - ROWS - 8) / max(len(scorecards), 1))
    for i, scorecard in enumerate(scorecards):
        _row(canvas, i + 1, scorecard, ROWS + i * high, high)


def _row(canvas: Canvas, number: int, scorecard: Scorecard, y: float, high: float) -> None:
    def cell(column: int, top: float = 0.0, tall: float = high - 4) -> Box:
        return Box(style.LEFT + COLUMNS[column][1], y + top, COLUMNS[column][2], tall)

    head, first = scorecard.headline, cell(0)
    canvas.text(first, str(number), style.SMALL, colour=style.MUTED)
    after = Box(first.x + 14, y, first.w - 14, first.h)
    canvas.text(after, scorecard.domain.title, style.LEAD, bold=True)
    canvas.text(cell(1, 0, high - 18), words.figure(head), 15, bold=True)
    canvas.text(cell(1, high - 17, 11), notes.label(head), style.SMALL, colour=style.MUTED)
    canvas.pill(cell(2, (high - 19) / 2, 15), head)
    _status(canvas, scorecard, cell(3))
    sparkline(canvas, cell(4, 5, high - 14), head)
    _worst(canvas, scorecard, cell(5))
    end = y + high - 4
    canvas.line((style.LEFT, end), (style.RIGHT, end), style.GRID, 0.6)


def _status(canvas: Canvas, scorecard: Scorecard, cell: Box) -> None:
    """The domain's status; named where it is that of another figure than the headline."""
    figure = status_figure(scorecard)
    if figure is scorecard.headline:
        canvas.status(cell, figure.status)
        return
    upper = Box(cell.x, cell.y + cell.h / 2 - 11, cell.w, 11)
    canvas.status(upper, figure.status)
    why = f"{figure.measure.title}: {words.figure(figure)}"
    lower = Box(cell.x + 12, upper.bottom, cell.w - 12, 10)
    canvas.text(lower, why, style.TINY, colour=style.MUTED)


def _worst(canvas: Canvas, scorecard: Scorecard, cell: Box) -> None:
    worst = scorecard.cards.worst()
    if worst is None:
        canvas.text(cell, formats.NONE, colour=style.MUTED)
        return
    card, figure = worst.card, worst.figure
    upper = Box(cell.x, cell.y + cell.h / 2 - 11, cell.w, 11)
    also = (
        f" and {formats.counted(worst.equal, 'other')}" if worst.equal and not worst.above else ""
    )
    canvas.text(upper, notes.workspace_name(card, canvas.type) + also, style.BODY)
    what = notes.label(figure) if figure.measure is not scorecard.headline.measure else ""
    text = " ".join(filter(None, (what or figure.group, words.figure(figure))))
    text += ", as ranked" if worst.above else ""
    lower = Box(cell.x, upper.bottom, cell.w, 10)
    canvas.text(lower, text, style.TINY, colour=style.MUTED)


def _answers(canvas: Canvas, dashboard: Dashboard, box: Box) -> None:
    """The questions, those with something to report first."""
    canvas.text(Box(box.x, box.y, WIDE, 14), "Needs attention", style.LEAD + 1, bold=True)
    y = box.y + 18
    ordered = sorted(dashboard.answers, key=lambda answer: not answer.found)
    if not ordered:
        why = notes.why_no_figures(dashboard) or "Nothing was asked."
        canvas.text(Box(style.LEFT, y, WIDE, 14), f"Nothing to report. {why}", colour=style.MUTED)
    high = min(28.0, (box.bottom - y) / max(len(ordered), 1))
    for i, answer in enumerate(ordered):
        _answer(canvas, answer, Box(style.LEFT, y + i * high, WIDE, high))


def _answer(canvas: Canvas, answer: Answer, row: Box) -> None:
    colour = style.INK if answer.found else style.MUTED
    line = Box(row.x, row.y + 4, 138, 11)
    canvas.line((row.x, row.y), (row.right, row.y), style.GRID, 0.6)
    canvas.text(line, answer.question, bold=answer.found, colour=colour)
    figure = answer.figure if answer.found else "Nothing to report"
    canvas.text(
        Box(row.x + 142, line.y, 86, 11),
        figure,
        style.LEAD if answer.found else style.BODY,
        bold=answer.found,
        colour=colour,
        whole=True,
    )
    text_box = Box(row.x + 240, line.y, row.w - 240, row.h - 4)
    canvas.paragraph(text_box, answer.sentence, style.BODY, colour=colour, leading=1.3)
