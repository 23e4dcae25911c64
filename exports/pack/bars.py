"""The bars picture: a bar per group and workspace on one 0 to 100 % scale, with the target's tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aggregators import words
from aggregators.figures import Figure, Scorecard
from aggregators.measure import Domain, Status
from aggregators.rollup import badness
from exports.pack import charts
from exports.pack.sheet import ACCENT, BAD, MUTED, NO_DATA, RULE, TEXT, Box, Sheet

NAME, ROW, HEAD, MOST = 132.0, 28.0, 30.0, 4


def bars(sheet: Sheet, scorecard: Scorecard, box: Box) -> None:
    """Draw the organisation and the worst workspaces that fit; at most MOST groups, worst first."""
    domain = scorecard.domain
    every = groups(scorecard)
    shown = every[:MOST]
    width = (box.w - NAME) / max(1, len(shown))
    for i, group in enumerate(shown):
        sheet.say(box.x + NAME + i * width, box.y + 6, width - 14, group, 9.5, bold=True)
    _legend(sheet, box, domain, len(every) - len(shown))
    sheet.rule(box.x, box.y + HEAD - 5, box.right, MUTED)
    y = box.y + HEAD
    rows = [("Organisation", scorecard.headline)]
    rows += [(c.name, c.figures[domain.headline]) for c in scorecard.cards]
    fit = int((box.h - HEAD - 16) // ROW)
    for i, (name, figure) in enumerate(rows[:fit]):
        row = Box(box.x, y, box.w, ROW)
        _row(sheet, row, name, figure, shown, domain, bold=not i)
        sheet.rule(box.x, y + ROW - 4, box.right, RULE if i else MUTED)
        y += ROW
    if len(rows) > fit:
        text = f"{words.counted(len(rows) - fit, 'more workspace')} in the appendix"
        sheet.say(box.x, y - 2, NAME, text, 8, colour=MUTED)


def groups(scorecard: Scorecard) -> list[str]:
    """Every group, the organisation's worst first; those of a workspace alone after them."""
    own = scorecard.headline.by or {}
    others: Iterable[Mapping[str, Figure]] = (
        card.figures[scorecard.domain.headline].by or {} for card in scorecard.cards
    )
    extra = sorted({g for by in others for g in by} - set(own))
    return [*sorted(own, key=lambda g: (-badness(own[g]), g)), *extra]


def _legend(sheet: Sheet, box: Box, domain: Domain, hidden: int) -> None:
    parts = ["Bars 0 to 100 %"]
    if domain.target is not None:
        parts.append(f"tick = target {words.percent(domain.target, 0)}")
    if hidden > 0:
        more = words.counted(hidden, f"more {domain.by or 'group'}")
        parts.append(f"{more} in the appendix")
    sheet.say(box.x + NAME, box.bottom - 11, box.w - NAME, "; ".join(parts), 8, colour=MUTED)


def _row(
    sheet: Sheet,
    row: Box,
    name: str,
    figure: Figure,
    shown: list[str],
    domain: Domain,
    *,
    bold: bool,
) -> None:
    sheet.say(row.x, row.y + 5, NAME - 10, name, 9, bold=bold)
    width = (row.w - NAME) / max(1, len(shown))
    for i, group in enumerate(shown):
        cell = Box(row.x + NAME + i * width, row.y, width - 14, row.h)
        _bar(sheet, cell, (figure.by or {}).get(group), domain)


def _bar(sheet: Sheet, cell: Box, figure: Figure | None, domain: Domain) -> None:
    if figure is None or figure.value is None:
        sheet.say(cell.x, cell.y + 5, cell.w, "not set up", 8.5, colour=NO_DATA)
        return
    ink = BAD if figure.status is Status.BAD else TEXT
    sheet.say(cell.x, cell.y - 1, 60, words.figure(figure), 9, bold=True, colour=ink)
    alarm = dropped(figure, domain)
    moved = f"{words.arrow(figure)} {words.delta(figure)}".strip()
    sheet.say(
        cell.x + 44,
        cell.y,
        cell.w - 44,
        moved,
        8,
        bold=alarm,
        colour=BAD if alarm else MUTED,
        align="R",
    )
    colour = BAD if figure.status is Status.BAD else ACCENT
    charts.bar(sheet, Box(cell.x, cell.y + 13, cell.w, 5), figure.value, colour, domain.target)


def dropped(figure: Figure, domain: Domain) -> bool:
    """Whether the figure fell by strictly more than the domain's alert."""
    limit = domain.drop_alert
    return limit is not None and figure.delta is not None and figure.delta < -limit - 1e-12
