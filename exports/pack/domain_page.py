"""The page of a domain, one template: its finding, figures, trend, workspaces and small print."""

from __future__ import annotations

from collections.abc import Iterator

from aggregators import words
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Figure, Tone
from aggregators.vocabulary import formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import Status
from exports.pack import comments, marks, notes
from exports.pack.charts import sparkline
from exports.pack.comments import Comment
from exports.pack.finding import finding
from exports.pack.paper import style
from exports.pack.paper.canvas import Canvas
from exports.pack.paper.style import Box
from exports.pack.places import table

WIDE = style.RIGHT - style.LEFT
BODY_TOP, FOOT_TOP = 98.0, 480.0
FIGURES = Box(style.LEFT, BODY_TOP, 142, FOOT_TOP - BODY_TOP - 8)
PLACES = Box(FIGURES.right + 22, BODY_TOP, style.RIGHT - FIGURES.right - 22, FIGURES.h)
SMALLEST = 0.75
"""Part of its size to which a figure's title shrinks before it is cut."""
BY_NAME = 6
"""Groups of the headline that are listed by name; of more the worst, as far as they have room."""
TREND = 54.0
"""Height of the headline's line, where the figures leave room for it."""


def draw(
    canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard, comment: Comment | None = None
) -> None:
    """A page with what the domain has to say, and people of it, or why it has nothing."""
    canvas.page(scorecard.domain.title)
    why = notes.why_no_figures(dashboard) or scorecard.why_empty
    if why:
        _masthead(canvas, dashboard, scorecard, why)
        _nothing(canvas, dashboard, scorecard.domain)
        return

    def short(name: str) -> str:
        return canvas.type.fit(name, 230, style.TITLE, True)

    claim = finding(scorecard, lambda card: short(notes.workspace_name(card, canvas.type)))
    _masthead(canvas, dashboard, scorecard, claim)
    _figures(canvas, FIGURES, scorecard, dashboard)
    comment_height = comments.height(canvas, PLACES.w, scorecard, comment)
    places = Box(
        PLACES.x,
        PLACES.y,
        PLACES.w,
        PLACES.h - (comment_height + comments.GAP if comment_height else 0.0),
    )
    table.draw(canvas, places, scorecard, dashboard)
    if comment_height:
        below = Box(PLACES.x, places.bottom + comments.GAP, PLACES.w, comment_height)
        comments.draw(canvas, below, scorecard, dashboard, comment)
    _foot(canvas, dashboard, scorecard)


def _masthead(canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard, claim: str) -> None:
    """Domain and period over the sentence that is the page's title."""
    x, y, period = style.LEFT, style.TOP, dashboard.period
    canvas.text(
        Box(x, y, 300, 12), scorecard.domain.title, style.BODY + 1, bold=True, colour=style.ACCENT
    )
    organisation = canvas.type.fit(dashboard.organisation, 190, style.SMALL)
    about = (
        f"{organisation} · {formats.span(period.span)} {words.compared_with(period)}".rstrip()
        + f" · {dashboard.time_zone}"
    )
    text_box = Box(x + 300, y, WIDE - 300, 12)
    canvas.text(text_box, about, style.SMALL, colour=style.MUTED, align="R")
    lines = canvas.type.lines(claim, WIDE, style.TITLE, True, 2)
    size = style.TITLE if len(lines) == 1 else style.TITLE - 2.5
    end = canvas.paragraph(Box(x, y + 15, WIDE, 44), claim, size, bold=True, leading=1.3)
    rule = y + 58 if end > y + 46 else y + 46
    canvas.line((x, rule), (style.RIGHT, rule), style.INK, 1.2)


# Left: the figures


def _figures(canvas: Canvas, box: Box, scorecard: Scorecard, dashboard: Dashboard) -> None:
    head, y = scorecard.headline, box.y
    title = Box(box.x, y, box.w, 24)
    y = canvas.paragraph(title, notes.label(head), style.BODY, bold=True, colour=style.MUTED)
    y = _headline(canvas, box.below(y), head) if head.has_data else y + 6
    y = _status(canvas, box.below(y), scorecard)
    shown = list(_supporting(scorecard))
    words_of = notes.verdicts(head)
    high = len(canvas.type.lines(words_of, box.w, style.TINY)) * style.TINY * 1.35
    left = box.bottom - y - TREND - high - 10
    if left >= sum(map(_row_height, shown)):
        y = _over_time(canvas, Box(box.x, y, box.w, TREND), scorecard)
    y = _draw_supporting(canvas, box.below(y), scorecard, shown)
    if box.bottom - y >= high + 8:
        low = Box(box.x, y + 8, box.w, high)
        canvas.paragraph(low, words_of, style.TINY, colour=style.MUTED)


def _over_time(canvas: Canvas, box: Box, scorecard: Scorecard) -> float:
    """The headline's line with that of what it is compared with; returns the y below."""
    head, plot = scorecard.headline, Box(box.x, box.y + 2, box.w - 4, box.h - 20)
    sparkline(canvas, plot, head)
    marks.draw_along(canvas, plot, head.series, marks.of_line(scorecard))
    low = Box(box.x, box.bottom - 15, box.w, 9)
    if before := words.BESIDE[head.table.compare]:
        canvas.text(low, f"{before} faint", style.TINY, colour=style.MUTED)
    return box.bottom


def _draw_supporting(
    canvas: Canvas, box: Box, scorecard: Scorecard, shown: list[tuple[Figure, bool]]
) -> float:
    """As many supporting figures as have room, and how many more; returns the y below."""
    y, last = box.y, len(shown)
    if sum(map(_row_height, shown)) > box.h:
        room, last = box.h - 12, 0
        while room >= _row_height(shown[last]):
            room -= _row_height(shown[last])
            last += 1
    for figure, under in shown[:last]:
        y = _draw_supporting_figure(canvas, Box(box.x, y, box.w, 24), scorecard, figure, under)
    if rest := len(shown) - last:
        text = f"{formats.counted(rest, 'more figure')} in the appendix"
        canvas.text(Box(box.x, y + 1, box.w, 10), text, style.TINY, colour=style.MUTED)
        y += 12
    return y


def _headline(canvas: Canvas, box: Box, head: Figure) -> float:
    """The figure, as large as the column takes it, its change and what it was; returns the y below."""
    text = words.figure(head)
    width = canvas.type.width(canvas.type.clean(text), style.FIGURE, True)
    size = min(style.FIGURE, style.FIGURE * box.w / max(width, 1))
    canvas.text(Box(box.x, box.y, box.w, 38), text, size, bold=True)
    canvas.pill(Box(box.x, box.y + 40, box.w, 15), head, style.SMALL)
    under = Box(box.x, box.y + 59, box.w, 20)
    return canvas.paragraph(under, notes.counts_clause(head), style.SMALL, colour=style.MUTED) + 6


def _status(canvas: Canvas, box: Box, scorecard: Scorecard) -> float:
    """The status, from where it is given, and how many workspaces are off it; returns the y below."""
    head = scorecard.headline
    whose = words.giver_of_target(head.measure)
    limits = words.thresholds(head.measure) + (f"; target {whose}" if whose else "")
    if not limits:
        text = "No threshold is set for this figure."
        return canvas.paragraph(box, text, style.SMALL, colour=style.MUTED) + 8
    canvas.status(Box(box.x, box.y, box.w, 12), head.status, style.SMALL)
    y = canvas.paragraph(box.below(box.y + 13), limits, style.TINY, colour=style.MUTED) + 4
    if len(scorecard.cards) > 1 and (off := notes.off_target(scorecard)):
        canvas.mark(Status.BAD, (box.x + 4, y + 5), 2.8)
        text_box = Box(box.x + 12, y, box.w - 12, 21)
        y = canvas.paragraph(text_box, off, style.SMALL, bold=True, colour=style.BAD) + 4
    return y + 4


def _supporting(scorecard: Scorecard) -> Iterator[tuple[Figure, bool]]:
    """Figures under the headline, each once: its other groups, its besides, then each supporting
    measure with its own besides (True: set smaller, under the one before)."""
    head, seen = scorecard.headline, {scorecard.domain.headline}
    groups = sorted((head.by or {}).items())
    if len(groups) > BY_NAME:
        groups.sort(key=lambda each: (not each[1].has_data, -_bad(each[1])))
    for group, figure in groups:
        if group != head.group:
            yield figure, False
    keys = [(key, True) for key in head.measure.beside]
    for key in scorecard.domain.supporting:
        keys += [(key, False), *((k, True) for k in scorecard.domain.measure(key).beside)]
    wanted = set(scorecard.domain.supporting)
    for key, under in keys:
        if key not in seen and not (under and key in wanted):
            seen.add(key)
            yield scorecard.figures[key], under


def _bad(figure: Figure) -> float:
    return figure.measure.badness(figure.value or 0.0)


def _row_height(shown: tuple[Figure, bool]) -> float:
    """Points that a supporting figure takes; one under another takes less."""
    return 12.0 if shown[1] else 25.5


def _draw_supporting_figure(
    canvas: Canvas, row: Box, scorecard: Scorecard, figure: Figure, under: bool
) -> float:
    """Draws a supporting figure: title, value, and for a main one its change; returns the y below."""
    value, size = _of_total(scorecard, figure), style.SMALL if under else style.BODY
    if not under:
        canvas.line((row.x, row.y), (row.right, row.y), style.GRID, 0.6)
    y = row.y if under else row.y + 2.5
    wide = min(canvas.type.width(canvas.type.clean(value), size, True) + 4, 80)
    indent = 8 if under else 0
    title = Box(row.x + indent, y, row.w - wide - indent, 11)
    ink = style.MUTED if under else style.INK
    label = _figure_title(scorecard, figure)
    wanted = title.w / max(canvas.type.width(canvas.type.clean(label), 1.0), 1.0)
    smaller = size if under else max(min(size, wanted), size * SMALLEST)
    canvas.text(title, label, smaller, colour=ink, whole=under)
    canvas.text(Box(row.right - wide, y, wide, 11), value, size, bold=not under, align="R")
    if under:
        return y + 12.0
    small = Box(row.x, y + 10.5, row.w, 11)
    change = " ".join(filter(None, (words.arrow(figure), words.change(figure))))
    change = change if figure.has_data else words.STATUS[figure.status].lower()
    holder = _holder(scorecard, figure)
    wide = canvas.type.width(canvas.type.clean(change), style.TINY)
    colour = style.BAD if figure.tone in (Tone.WORSE, Tone.LIKELY_WORSE) else style.MUTED
    canvas.text(small, change, style.TINY, colour=colour)
    rest = Box(row.x + wide + 8, small.y, row.w - wide - 8, 11)
    canvas.text(rest, holder, style.TINY, colour=style.MUTED, align="R")
    return row.y + 25.5


def _figure_title(scorecard: Scorecard, figure: Figure) -> str:
    """A figure's title; of another group of the headline that alone."""
    is_head = figure.measure.key == scorecard.domain.headline and figure.group
    return figure.group or "" if is_head else notes.label(figure)


def _of_total(scorecard: Scorecard, figure: Figure) -> str:
    total = figure.measure.of_total
    if not total or not figure.has_data:
        return words.figure(figure)
    return f"{words.figure(figure)} of {words.figure(scorecard.figures[total])}"


def _holder(scorecard: Scorecard, figure: Figure) -> str:
    """The object that holds an extreme, and the workspace it is in."""
    names = {card.slug: card.name for card in scorecard.cards}
    holders = (figure.evidence.name, names.get(figure.evidence.workspace or ""))
    return ", ".join(filter(None, holders)) if figure.has_data else ""


# Foot: what the page rests on


def _foot(canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard) -> None:
    """Definition, evidence and what was left out, side by side."""
    canvas.line((style.LEFT, FOOT_TOP), (style.RIGHT, FOOT_TOP), style.RULE, 0.8)
    measure = scorecard.headline.measure
    blocks = (
        ("How it is counted", [measure.definition, measure.why], FIGURES.x, 288),
        ("What it rests on", notes.rests_on(scorecard, dashboard.as_of), FIGURES.x + 312, 190),
        ("What was left out", _missing(canvas, scorecard, dashboard), FIGURES.x + 526, 236),
    )
    for title, texts, x, wide in blocks:
        y = FOOT_TOP + 7
        canvas.text(Box(x, y, wide, 10), title, style.SMALL, bold=True)
        y += 12
        for text in filter(None, texts):
            box = Box(x, y, wide, style.BOTTOM + 2 - y)
            if box.h >= style.SMALL:
                y = canvas.paragraph(box, text, style.SMALL - 0.5, colour=style.MUTED) + 1


def _missing(canvas: Canvas, scorecard: Scorecard, dashboard: Dashboard) -> list[str]:
    """Workspaces without a figure, with a small sample, left out, or not read."""
    out = notes.lines_about_left_out(dashboard.scope, canvas.type, 180, style.SMALL)
    return [*notes.missing_and_few(scorecard), *out] or ["Nothing."]


# No data


def _nothing(canvas: Canvas, dashboard: Dashboard, domain: Domain) -> None:
    """Titles and definitions that the page will fill once there is something."""
    panel = Box(style.LEFT, BODY_TOP, WIDE, 260)
    canvas.fill(panel, style.TINT, 8)
    x, y, wide = panel.x + 28, panel.y + 26, 330.0
    out = notes.lines_about_left_out(dashboard.scope, canvas.type, 240, style.SMALL)
    steps = [
        f"Data as of {formats.day(dashboard.as_of)}." if dashboard.as_of else "",
        f"{notes.counted_in(dashboard.scope)} workspaces in scope.",
        *(f"Left out: {text}" for text in out),
    ]
    canvas.text(Box(x, y, wide, 14), "No figures on this page", style.LEAD + 1, bold=True)
    y += 22
    for text in filter(None, steps):
        y = canvas.paragraph(Box(x, y, 240, 60), text, colour=style.MUTED) + 3
    x, y = panel.x + 310, panel.y + 26
    canvas.text(Box(x, y, wide, 14), "What will stand here", style.LEAD + 1, bold=True)
    y += 22
    for key in dict.fromkeys((domain.headline, *domain.supporting)):
        measure = domain.measure(key)
        canvas.text(Box(x, y, 400, 12), measure.title, bold=True)
        text_box = Box(x, y + 12, 420, 34)
        y = canvas.paragraph(text_box, measure.definition, style.SMALL, colour=style.MUTED) + 9
