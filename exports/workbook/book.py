"""The workbook: a summary, who made it and when, then a sheet a domain with every figure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.measure import Unit
from aggregators.vocabulary.period import Compare, Period, Span
from exports.spreadsheet import is_formula
from exports.tables import COLUMNS, rows
from exports.workbook import summary
from exports.workbook.looks import Cell, Looks, in_unit, looks, write

UNIT, IN_UNIT = COLUMNS.index("unit"), ("value", "previous", "change", "target")
"""Where a row has its unit, and the columns that are in it."""
WIDE = {"workspace": 18, "name": 28, "measure": 26, "domain": 13, "group": 14, "verdict": 15}
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    # Only there does Excel show a duration below zero.
    "date_1904": True,
}


def as_xlsx(
    dashboard: Dashboard, *, requested_by: str, exported_at: datetime, export_id: str
) -> bytes:
    """A workbook whose cells are typed and whose headers stay in sight; durations are Excel's own. No text
    is taken for a formula or an address."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, OPTIONS)
    book.set_properties(
        {
            "title": f"{dashboard.organisation}: Executive dashboard",
            "author": requested_by,
            "keywords": f"export:{export_id}",
            "created": exported_at.replace(tzinfo=None),
        }
    )
    shown = looks(book)
    summary.draw(book.add_worksheet("Summary"), shown, dashboard)
    _write_about(
        book.add_worksheet("About"),
        shown,
        {
            "Organisation": dashboard.organisation,
            "Period": _days(dashboard.period.span),
            "Compared with": _compared_days(dashboard.period),
            "Time zone": dashboard.time_zone,
            "Workspaces": str(len(dashboard.scope.slugs)),
            "Exported by": requested_by,
            "Exported at": f"{exported_at.isoformat(timespec='seconds')} ({dashboard.time_zone})",
            "Export": export_id,
            "Units": "ratios as percent, durations as hours:minutes:seconds, empty: no data",
        },
    )
    every_row = list(rows(dashboard))
    for scorecard in dashboard.scorecards:
        mine = [row for row in every_row if row[0] == scorecard.domain.key]
        _sheet(book.add_worksheet(scorecard.domain.title[:31]), shown, mine)
    book.close()
    return out.getvalue()


def _compared_days(period: Period) -> str:
    """Days of the comparison in words."""
    return "nothing" if period.compare is Compare.NONE else _days(period.previous)


def _days(span: Span) -> str:
    return f"{span.start} to {span.end}"


def _write_about(sheet: Any, shown: Looks, lines: Mapping[str, str]) -> None:
    """Writes the sheet that says what the book is of."""
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 60)
    for line, (name, value) in enumerate(lines.items()):
        sheet.write_string(line, 0, name, shown["bold"])
        sheet.write_string(line, 1, value, shown["quoted"] if is_formula(value) else None)


def _sheet(sheet: Any, shown: Looks, listed: Sequence[tuple[Cell, ...]]) -> None:
    """Writes a domain's rows."""
    sheet.freeze_panes(1, 3)
    for column, name in enumerate(COLUMNS):
        sheet.set_column(column, column, WIDE.get(name, max(11, len(name) + 3)))
        sheet.write_string(0, column, name, shown["head"])
    for line, row in enumerate(listed, 1):
        unit = Unit(str(row[UNIT]))
        for column, cell in enumerate(row):
            look = shown["plain"]
            if COLUMNS[column] in IN_UNIT and isinstance(cell, float | int):
                cell, look = in_unit(cell, unit), shown.get(unit, look)
            elif isinstance(cell, str):
                look, cell = None, "h:mm:ss" if column == UNIT and unit is Unit.SECONDS else cell
            write(sheet, (line, column), cell, look, shown["quoted"])
    sheet.autofilter(0, 0, max(len(listed), 1), len(COLUMNS) - 1)
