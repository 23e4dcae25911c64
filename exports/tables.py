"""The appendix as data: one tidy row for each figure of the organisation and of every workspace."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from exports.spreadsheet import harmless

COLUMNS = (
    "domain",
    "workspace",
    "name",
    "rank",
    "measure",
    "group",
    "unit",
    "value",
    "previous",
    "change",
    "verdict",
    "numerator",
    "denominator",
    "events",
    "days_seen",
    "days_expected",
    "low_sample",
    "status",
    "target",
    "target_met",
    "target_set_by",
    "start",
    "end",
)
Cell = str | float | int | bool | None


def rows(dashboard: Dashboard) -> Iterator[tuple[Cell, ...]]:
    """The rows under ``COLUMNS``: ratios 0..1, durations in seconds, no data empty. The organisation's
    have no workspace and no rank. ``start`` and ``end`` are the period's first and last day."""
    span = dashboard.period.span
    days = span.start.isoformat(), span.end.isoformat()
    for row in _figures(dashboard):
        yield (*row, *days)


def _figures(dashboard: Dashboard) -> Iterator[tuple[Cell, ...]]:
    for scorecard in dashboard.scorecards:
        key = scorecard.domain.key
        for figure in scorecard.figures.values():
            yield from _figure_rows(figure, (key, "", "Organisation", None))
        for card in scorecard.cards:
            for figure in card.figures.values():
                yield from _figure_rows(figure, (key, card.slug, card.name, card.rank))


def _figure_rows(figure: Figure, where: tuple[Cell, ...]) -> Iterator[tuple[Cell, ...]]:
    """Rows of a figure under ``COLUMNS``, one for each group; ``where`` are the first cells."""
    for one in figure.by.values() if figure.by else (figure,):
        seen = one.evidence
        yield (
            *where,
            one.measure.key,
            one.group or "",
            one.measure.unit.value,
            one.value,
            one.previous if one.comparable else None,
            one.delta,
            one.verdict.value,
            seen.numerator,
            seen.denominator,
            seen.n,
            seen.days_seen,
            seen.days_expected,
            one.low_sample,
            one.status.value,
            *_target(one),
        )


def _target(figure: Figure) -> tuple[Cell, ...]:
    """Target, whether it is met, and whose it is."""
    aim = figure.measure.aim
    return (aim.value, figure.meets_target, aim.origin.value) if aim else (None, None, None)


def as_csv(dashboard: Dashboard) -> bytes:
    """UTF-8 with a byte order mark, for spreadsheets; a text that they would take for a formula is
    quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_cell_value(cell) for cell in row] for row in rows(dashboard))
    return out.getvalue().encode("utf-8-sig")


def _cell_value(cell: Cell) -> object:
    """A whole number without a fraction of 0."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else harmless(cell)
