"""The first sheet: the headlines of the domains and the answers, to be read before anything is reckoned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aggregators import words
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit
from exports.workbook.looks import Cell, Looks, in_unit, write

HEAD = (
    ("Domain", 18),
    ("Figure", 26),
    ("Value", 11),
    ("Before", 11),
    ("Change", 11),
    ("Verdict", 17),
    ("Standing", 11),
    ("Target", 17),
    ("Worst workspace", 24),
    ("Its figure", 22),
)
VALUES, STANDING = (2, 3), 6
QUESTION, ANSWER = 0, 1
LINE = 118
"""Letters of a sentence that go on one line beside its question."""


def draw(sheet: Any, looks: Looks, dashboard: Dashboard) -> None:
    """Title, a row a domain and group, the answers; set to print on one page."""
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for column, (_, wide) in enumerate(HEAD):
        sheet.set_column(column, column, wide)
    period = dashboard.period
    period_words = f"{formats.span(period.span)} {words.compared_with(period)}".rstrip()
    write(sheet, (0, 0), dashboard.organisation, looks["title"], looks["quoted"])
    about = f"Executive dashboard · {period_words} · {dashboard.time_zone}"
    sheet.write_string(1, 0, about, looks["quiet"])
    line = _table(sheet, looks, dashboard.scorecards, 3)
    _answers(sheet, looks, dashboard, line + 1)


def _table(sheet: Any, looks: Looks, scorecards: Sequence[Scorecard], line: int) -> int:
    for column, (title, _) in enumerate(HEAD):
        sheet.write_string(line, column, title, looks["head"])
    for scorecard in scorecards:
        for figure in _headlines(scorecard):
            line += 1
            for column, cell in enumerate(_cells(scorecard, figure)):
                shown = _look(looks, column, figure)
                write(sheet, (line, column), cell, shown, looks["quoted"])
    return line + 1


def _headlines(scorecard: Scorecard) -> Iterator[Figure]:
    """The headline, or that of each group."""
    by = scorecard.headline.by
    yield from by.values() if by else (scorecard.headline,)


def _cells(scorecard: Scorecard, figure: Figure) -> Iterator[Cell]:
    measure = figure.measure
    title = measure.title + (f", {figure.group}" if figure.group else "")
    yield from (scorecard.domain.title, title)
    before = figure.previous if figure.comparable else None
    for amount in (figure.value, before):
        yield None if amount is None else in_unit(amount, measure.unit)
    yield words.delta(figure)
    yield words.verdict(figure) if figure.delta is not None else ""
    yield words.STANDING[figure.status] if words.aim(measure) else ""
    yield words.aim(measure)
    worst = scorecard.cards.worst()
    if worst is None or (figure.group and worst.figure.group != figure.group):
        return
    yield worst.card.name
    group = f"{worst.figure.group} " if worst.figure.group else ""
    yield f"{worst.figure.measure.title}: {group}{words.figure(worst.figure)}"


def _look(looks: Looks, column: int, figure: Figure) -> Any:
    if column in VALUES:
        unit = figure.measure.unit
        return looks.get(unit if unit is not Unit.COUNT else "plain", looks["plain"])
    return looks.get(figure.status) if column == STANDING else None


def _answers(sheet: Any, looks: Looks, dashboard: Dashboard, line: int) -> None:
    sheet.write_string(line, QUESTION, "Needs attention", looks["bold"])
    for number, answer in enumerate(dashboard.answers, line + 1):
        sheet.set_row(number, 15 * (1 + len(answer.sentence) // LINE))
        sheet.write_string(number, QUESTION, answer.question, looks["wrapped"])
        sheet.merge_range(number, ANSWER, number, len(HEAD) - 1, "", looks["wrapped"])
        write(sheet, (number, ANSWER), answer.sentence, looks["wrapped"], looks["wrapped quoted"])
