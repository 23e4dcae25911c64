"""The page of a domain, one template: its finding, figures, trend, workspaces and small print."""

from __future__ import annotations

from collections.abc import Iterator

from aggregators import words
from aggregators.figures import Dashboard, Figure, Scorecard
from aggregators.measure import Domain
from exports.pack import moved, notes, pictures, style
from exports.pack.canvas import Canvas
from exports.pack.charts import known, sparkline, trend
from exports.pack.finding import finding, lowered
from exports.pack.style import Box

WIDE = style.RIGHT - style.LEFT
BODY_TOP, FOOT_TOP = 98.0, 480.0
FIGURES = Box(style.LEFT, BODY_TOP, 158, FOOT_TOP - BODY_TOP - 8)
TREND = Box(FIGURES.right + 24, BODY_TOP, 270, FIGURES.h)
PLACES = Box(TREND.right + 24, BODY_TOP, style.RIGHT - TREND.right - 24, FIGURES.h)


def draw(canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard) -> None:
    """A page with what the domain has to say, or why it has nothing."""
    canvas.page(scorecard.domain.title)
    why = notes.nothing(dashboard) or scorecard.why_empty
    if why:
        _masthead(canvas, dashboard, scorecard, why)
        _nothing(canvas, dashboard, scorecard.domain)
        return

    def short(name: str) -> str:
        return canvas.type.fit(name, 230, style.TITLE, True)

    said = finding(scorecard, lambda card: short(notes.called(card, canvas.type)))
    _masthead(canvas, dashboard, scorecard, said)
    _figures(canvas, FIGURES, scorecard, dashboard)
    _trends(canvas, TREND, scorecard, dashboard)
    pictures.draw(canvas, PLACES, scorecard)
    _foot(canvas, dashboard, scorecard)


def _masthead(canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard, said: str) -> None:
    """Domain and period over the sentence that is the page's title."""
    x, y, period = style.LEFT, style.TOP, dashboard.period
    canvas.text(
        Box(x, y, 300, 12), scorecard.domain.title, style.BODY + 1, bold=True, colour=style.ACCENT
    )
    organisation = canvas.type.fit(dashboard.organisation, 190, style.SMALL)
    about = (
        f"{organisation} · {words.span(period.span)} vs {words.span(period.span.before)}"
        f" · {dashboard.time_zone}"
    )
    place = Box(x + 300, y, WIDE - 300, 12)
    canvas.text(place, about, style.SMALL, colour=style.MUTED, align="R")
    lines = canvas.type.lines(said, WIDE, style.TITLE, True, 2)
    size = style.TITLE if len(lines) == 1 else style.TITLE - 2.5
    end = canvas.paragraph(Box(x, y + 15, WIDE, 44), said, size, bold=True, leading=1.3)
    rule = y + 58 if end > y + 46 else y + 46
    canvas.line((x, rule), (style.RIGHT, rule), style.INK, 1.2)


# Left: the figures


def _figures(canvas: Canvas, box: Box, scorecard: Scorecard, dashboard: Dashboard) -> None:
    head, y = scorecard.headline, box.y
    canvas.text(
        Box(box.x, y, box.w, 12), notes.label(head), style.BODY, bold=True, colour=style.MUTED
    )
    y = _headline(canvas, box.below(y + 12), head) if head.has_data else y + 18
    y = _standing(canvas, Box(box.x, y, box.w, 40), head)
    step = min(1.0, (box.bottom - y) / max(_height(scorecard), 1))
    for figure, under in _supporting(scorecard):
        y = _supported(canvas, Box(box.x, y, box.w, 24), scorecard, figure, under, step)


def _headline(canvas: Canvas, box: Box, head: Figure) -> float:
    """The figure, as large as the column takes it, its change and what it was; returns the y below."""
    text = words.figure(head)
    width = canvas.type.width(canvas.type.clean(text), style.FIGURE, True)
    size = min(style.FIGURE, style.FIGURE * box.w / max(width, 1))
    canvas.text(Box(box.x, box.y, box.w, 40), text, size, bold=True)
    canvas.pill(Box(box.x, box.y + 44, box.w, 16), head, style.BODY)
    if head.delta is None:
        return box.y + 68
    before = f"{words.value(head.previous, head.measure.unit)} in the previous period"
    canvas.text(Box(box.x, box.y + 64, box.w, 11), before, style.SMALL, colour=style.MUTED)
    return box.y + 82


def _standing(canvas: Canvas, box: Box, head: Figure) -> float:
    """The status and from where it is given; returns the y below."""
    limits = words.thresholds(head.measure)
    if not limits:
        text = "No threshold is set for this figure."
        return canvas.paragraph(box, text, style.SMALL, colour=style.MUTED) + 8
    canvas.status(Box(box.x, box.y, box.w, 12), head.status)
    return canvas.paragraph(box.below(box.y + 14), limits, style.TINY, colour=style.MUTED) + 6


def _supporting(scorecard: Scorecard) -> Iterator[tuple[Figure, bool]]:
    """What stands under the headline, each once: its other groups, its besides, then each supporting
    measure with its own besides (True: set smaller, under the one before)."""
    head, seen = scorecard.headline, {scorecard.domain.headline}
    for group, figure in sorted((head.by or {}).items()):
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


def _height(scorecard: Scorecard) -> float:
    return sum(12.5 if under else 27.0 for _, under in _supporting(scorecard)) + 4


def _supported(
    canvas: Canvas, row: Box, scorecard: Scorecard, figure: Figure, under: bool, step: float
) -> float:
    """One supporting figure: title, value, and for a main one its change; returns the y below."""
    value, size = _of_total(scorecard, figure), style.SMALL if under else style.BODY
    if not under:
        canvas.line((row.x, row.y), (row.right, row.y), style.GRID, 0.6)
    y = row.y if under else row.y + 2.5 * step
    wide = min(canvas.type.width(canvas.type.clean(value), size, True) + 4, 90)
    indent = 8 if under else 0
    title = Box(row.x + indent, y, row.w - wide - indent, 11)
    canvas.text(title, notes.label(figure), size, colour=style.MUTED if under else style.INK)
    canvas.text(Box(row.right - wide, y, wide, 11), value, size, bold=not under, align="R")
    if under:
        return y + 12.5 * step
    small = Box(row.x, y + 11 * step, row.w, 11)
    change = " ".join(filter(None, (words.arrow(figure), words.change(figure))))
    change = change if figure.has_data else words.STATUS[figure.status].lower()
    holder = _holder(scorecard, figure)
    wide = canvas.type.width(canvas.type.clean(change), style.TINY)
    loud = figure.change == "worse"
    colour = style.COLOUR[figure.tone] if loud else style.MUTED
    canvas.text(small, change, style.TINY, colour=colour)
    rest = Box(row.x + wide + 8, small.y, row.w - wide - 8, 11)
    canvas.text(rest, holder, style.TINY, colour=style.MUTED, align="R")
    return row.y + 27.0 * step


def _of_total(scorecard: Scorecard, figure: Figure) -> str:
    total = figure.measure.of_total
    if not total or not figure.has_data:
        return words.figure(figure)
    return f"{words.figure(figure)} of {words.figure(scorecard.figures[total])}"


def _holder(scorecard: Scorecard, figure: Figure) -> str:
    """The object that holds an extreme, and the workspace it is in."""
    names = {card.slug: card.name for card in scorecard.cards}
    held = (figure.evidence.name, names.get(figure.evidence.workspace or ""))
    return ", ".join(filter(None, held)) if figure.has_data else ""


# Centre: the trends


def _trends(canvas: Canvas, box: Box, scorecard: Scorecard, dashboard: Dashboard) -> None:
    """The headline's trend, what moved it, and under it the trends of what supports it."""
    head, period = scorecard.headline, dashboard.period
    canvas.text(Box(box.x, box.y, box.w, 12), notes.label(head), style.BODY, bold=True)
    pooled = f"each point pools the {words.counted(period.window, 'day')} up to it"
    single = "end of each day" if period.step == 1 else f"every {words.counted(period.step, 'day')}"
    canvas.text(
        Box(box.x, box.y + 12, box.w, 10),
        (pooled if head.measure.trailing else single).capitalize(),
        style.TINY,
        colour=style.MUTED,
    )
    others = [f for f, under in _supporting(scorecard) if not under and known(f.series)][:4]
    high = 34.0
    y = box.bottom - high * len(others)
    listed = moved.rows(canvas, scorecard)
    top = y - moved.height(listed)
    trend(canvas, Box(box.x, box.y + 26, box.w, top - box.y - 38), head, period)
    moved.draw(canvas, Box(box.x, top, box.w, y - top), scorecard, listed)
    for figure in others:
        _mini(canvas, Box(box.x, y, box.w, high), scorecard, figure)
        y += high


def _mini(canvas: Canvas, row: Box, scorecard: Scorecard, figure: Figure) -> None:
    """A supporting figure's small trend."""
    canvas.line((row.x, row.y), (row.right, row.y), style.GRID, 0.6)
    title, leading = notes.label(figure), 1.25
    lines = len(canvas.type.lines(title, 84, style.SMALL, most=2))
    high = lines * style.SMALL * leading
    place = Box(row.x, row.y + (row.h - high) / 2, 84, high)
    canvas.paragraph(place, title, style.SMALL, colour=style.MUTED, leading=leading)
    sparkline(canvas, Box(row.x + 92, row.y + 7, row.w - 92 - 66, row.h - 14), figure)
    place = Box(row.right - 62, row.y, 62, row.h)
    canvas.text(place, words.figure(figure), bold=True, align="R")


# Foot: what the page rests on


def _foot(canvas: Canvas, dashboard: Dashboard, scorecard: Scorecard) -> None:
    """Definition, evidence and what was left out, side by side."""
    canvas.line((style.LEFT, FOOT_TOP), (style.RIGHT, FOOT_TOP), style.RULE, 0.8)
    measure = scorecard.headline.measure
    blocks = (
        ("How it is counted", [measure.definition, measure.why], FIGURES.x, FIGURES.w + 130),
        ("What it rests on", _evidence(scorecard, dashboard), FIGURES.x + 312, 190),
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


def _evidence(scorecard: Scorecard, dashboard: Dashboard) -> list[str]:
    """Sample, days seen, the oldest snapshot behind it, the benchmark's band."""
    head = scorecard.headline
    sample = " · ".join(filter(None, (words.evidence(head), f"{words.days_seen(head)} seen")))
    if head.low_sample:
        sample += " · low sample"
    band = head.measure.band(head.value)
    oldest, as_of = scorecard.oldest_snapshot_day, dashboard.as_of
    return [
        sample,
        f"Benchmark band: {band}; never used for the status" if band else "",
        f"Oldest snapshot among the workspaces: {words.day(oldest)}"
        if oldest and as_of and oldest < as_of
        else "",
    ]


def _missing(canvas: Canvas, scorecard: Scorecard, dashboard: Dashboard) -> list[str]:
    """Workspaces without a figure, with too small a sample, left out, or not read."""
    heads = [card.figures[scorecard.domain.headline] for card in scorecard.cards]
    silent = sum(not f.has_data for f in heads)
    few = sum(f.low_sample for f in heads)
    title = lowered(scorecard.headline.measure.title)
    found = [
        f"{words.counted(silent, 'workspace')} without data for {title}" if silent else "",
        f"* {words.counted(few, 'workspace')} with a low sample, ranked after the others"
        if few
        else "",
        *notes.left_out(dashboard.scope, canvas.type, 180, style.SMALL),
    ]
    return [text for text in found if text] or ["Nothing."]


# No data


def _nothing(canvas: Canvas, dashboard: Dashboard, domain: Domain) -> None:
    """What the page will show once there is something, so that its place is not a riddle."""
    panel = Box(style.LEFT, BODY_TOP, WIDE, 260)
    canvas.fill(panel, style.TINT, 8)
    x, y, wide = panel.x + 28, panel.y + 26, 330.0
    out = notes.left_out(dashboard.scope, canvas.type, 240, style.SMALL)
    steps = [
        f"Data as of {words.day(dashboard.as_of)}." if dashboard.as_of else "",
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
        place = Box(x, y + 12, 420, 34)
        y = canvas.paragraph(place, measure.definition, style.SMALL, colour=style.MUTED) + 9
