"""The matrix picture: workspaces by measures, cells past their threshold solid red."""

from __future__ import annotations

from collections.abc import Mapping

from aggregators import words
from aggregators.figures import Figure, Scorecard
from aggregators.measure import Status
from exports.pack.sheet import BAD, MUTED, NO_DATA, PAPER, RULE, TEXT, Box, Sheet

NAME, ROW, HEAD = 176.0, 22.0, 34.0


def matrix(sheet: Sheet, scorecard: Scorecard, box: Box) -> None:
    """Draw the worst workspaces that fit, worst first, and the organisation as the last row."""
    domain = scorecard.domain
    width = (box.w - NAME) / max(1, len(domain.columns))
    for i, key in enumerate(domain.columns):
        title = domain.measure(key).title
        lines = sheet.broken(title, width - 12, 8.5, bold=True, lines=2)
        y = box.y + 2 + (2 - len(lines)) * 11
        for line in lines:
            x = box.x + NAME + i * width
            sheet.say(x, y, width - 6, line, 8.5, bold=True, align="R")
            y += 11
    sheet.say(box.x, box.y + 13, NAME, "Workspaces, worst first", 8.5, bold=True)
    sheet.rule(box.x, box.y + HEAD - 4, box.right, MUTED)
    fit = int((box.h - HEAD - ROW - 18) // ROW)
    y = box.y + HEAD
    for card in scorecard.cards[:fit]:
        _row(sheet, Box(box.x, y, box.w, ROW), card.name, card.figures, domain.columns)
        sheet.rule(box.x, y + ROW - 2, box.right, RULE)
        y += ROW
    if more := len(scorecard.cards) - fit:
        text = f"{words.counted(more, 'more workspace')} in the appendix" if more > 0 else ""
        y = sheet.say(box.x, y, box.w, text, 8, colour=MUTED) if text else y
    sheet.rule(box.x, y + 1, box.right, TEXT)
    _row(
        sheet,
        Box(box.x, y + 4, box.w, ROW),
        "Organisation",
        scorecard.figures,
        domain.columns,
        bold=True,
    )


def _row(
    sheet: Sheet,
    box: Box,
    name: str,
    figures: Mapping[str, Figure],
    columns: tuple[str, ...],
    *,
    bold: bool = False,
) -> None:
    sheet.say(box.x, box.y + 3, NAME - 8, name, 9, bold=bold)
    width = (box.w - NAME) / max(1, len(columns))
    for i, key in enumerate(columns):
        cell = Box(box.x + NAME + i * width, box.y, width, box.h)
        _cell(sheet, cell, figures[key], bold=bold)


def _cell(sheet: Sheet, cell: Box, figure: Figure, *, bold: bool) -> None:
    text, alarm = words.figure(figure), figure.status is Status.BAD
    if alarm:
        wide = max(44.0, sheet.width(text, 9.5, bold=True) + 26)
        shape = Box(cell.right - wide, cell.y + 1, wide, cell.h - 4)
        sheet.block(shape, BAD, radius=3)
        sheet.say(shape.x + 7, cell.y + 3, 8, "!", 9.5, bold=True, colour=PAPER)
    ink = PAPER if alarm else TEXT if figure.has_data else NO_DATA
    sheet.say(cell.x, cell.y + 3, cell.w - 6, text, 9.5, bold=bold or alarm, colour=ink, align="R")
