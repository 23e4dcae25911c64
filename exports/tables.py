"""The appendix as data: one tidy row for each figure of the organisation and of every workspace."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from aggregators.cells import harmless, is_formula
from aggregators.figures import Dashboard, Figure
from aggregators.measure import Unit
from aggregators.period import Span

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
    "numerator",
    "denominator",
    "events",
    "days_seen",
    "days_expected",
    "low_sample",
    "status",
    "start",
    "end",
)
UNIT, IN_UNIT = COLUMNS.index("unit"), ("value", "previous", "change")
"""Where a row has its unit, and the columns that are in it."""
Looks = Mapping[Any, Any]
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
            yield from _of(figure, (key, "", "Organisation", None))
        for card in scorecard.cards:
            for figure in card.figures.values():
                yield from _of(figure, (key, card.slug, card.name, card.rank))


def _of(figure: Figure, where: tuple[Cell, ...]) -> Iterator[tuple[Cell, ...]]:
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
            seen.numerator,
            seen.denominator,
            seen.n,
            seen.days_seen,
            seen.days_expected,
            one.low_sample,
            one.status.value,
        )


def as_csv(dashboard: Dashboard) -> bytes:
    """UTF-8 with a byte order mark, for spreadsheets; a text that they would take for a formula is
    quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_plain(cell) for cell in row] for row in rows(dashboard))
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> object:
    """A whole number without a fraction of 0."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else harmless(cell)


def as_xlsx(
    dashboard: Dashboard, *, requested_by: str, exported_at: datetime, export_id: str
) -> bytes:
    """A workbook: who and when, then a sheet a domain with typed cells and a frozen header. No text is
    taken for a formula or an address."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties(
        {
            "title": f"{dashboard.organisation}: Executive dashboard",
            "author": requested_by,
            "keywords": f"export:{export_id}",
            "created": exported_at.replace(tzinfo=None),
        }
    )
    looks = _looks(book)
    _about(
        book.add_worksheet("About"),
        looks,
        {
            "Organisation": dashboard.organisation,
            "Period": _days(dashboard.period.span),
            "Compared with": _days(dashboard.period.previous),
            "Time zone": dashboard.time_zone,
            "Workspaces": str(len(dashboard.scope.slugs)),
            "Exported by": requested_by,
            "Exported at": exported_at.isoformat(timespec="seconds"),
            "Export": export_id,
            "Units": "ratios as percent, durations in seconds, empty: no data",
        },
    )
    found = list(rows(dashboard))
    for scorecard in dashboard.scorecards:
        mine = [row for row in found if row[0] == scorecard.domain.key]
        _sheet(book.add_worksheet(scorecard.domain.title[:31]), looks, mine)
    book.close()
    return out.getvalue()


def _looks(book: xlsxwriter.Workbook) -> Looks:
    """How cells are shown, by what they hold."""
    return {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "quoted": book.add_format({"quote_prefix": True}),
        "plain": book.add_format({"num_format": "#,##0.###"}),
        Unit.RATIO: book.add_format({"num_format": "0.0%"}),
        Unit.SECONDS: book.add_format({"num_format": "#,##0"}),
    }


def _days(span: Span) -> str:
    return f"{span.start} to {span.end}"


def _about(sheet: Any, looks: Looks, told: Mapping[str, str]) -> None:
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 60)
    for line, (name, value) in enumerate(told.items()):
        sheet.write_string(line, 0, name, looks["head"])
        sheet.write_string(line, 1, value, looks["quoted"] if is_formula(value) else None)


def _sheet(sheet: Any, looks: Looks, listed: Sequence[tuple[Cell, ...]]) -> None:
    """One domain's rows."""
    sheet.freeze_panes(1, 3)
    sheet.set_column(0, 1, 16)
    sheet.set_column(2, 2, 28)
    sheet.set_column(3, len(COLUMNS) - 1, 12)
    sheet.write_row(0, 0, COLUMNS, looks["head"])
    for line, row in enumerate(listed, 1):
        styled = looks.get(Unit(str(row[UNIT])), looks["plain"])
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(
                    line, column, cell, looks["quoted"] if is_formula(cell) else None
                )
            elif isinstance(cell, bool):
                sheet.write_boolean(line, column, cell)
            elif cell is not None:
                look = styled if COLUMNS[column] in IN_UNIT else looks["plain"]
                sheet.write_number(line, column, cell, look)
    sheet.autofilter(0, 0, max(len(listed), 1), len(COLUMNS) - 1)
