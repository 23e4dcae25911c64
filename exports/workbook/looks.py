"""Cells of the workbook: how each is shown by what it holds, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xlsxwriter

from aggregators.vocabulary.measure import Status, Unit
from exports.spreadsheet import is_formula

DAY = 86400
Cell = str | float | int | bool | None
Looks = Mapping[Any, Any]
DURATION = "[h]:mm:ss"
NUMBERS = {
    Unit.RATIO: "0.0%",
    Unit.SECONDS: DURATION,
    Unit.PER_DAY: "#,##0.00",
    Unit.BURN: '0.0"×"',
}
"""Formats of a unit's numbers; of the others whole numbers as they are."""


def looks(book: xlsxwriter.Workbook) -> Looks:
    """Formats by what a cell holds: a unit, a status, a name of what it is for."""
    red, amber, teal = "#9E0B3A", "#8A5A00", "#1B6B74"
    return {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "quiet": book.add_format({"font_color": "#4B5866"}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "bold": book.add_format({"bold": True}),
        "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
        "wrapped quoted": book.add_format(
            {"text_wrap": True, "valign": "top", "quote_prefix": True}
        ),
        "quoted": book.add_format({"quote_prefix": True}),
        "plain": book.add_format({"num_format": "#,##0.###"}),
        **{unit: book.add_format({"num_format": shown}) for unit, shown in NUMBERS.items()},
        Status.BAD: book.add_format({"bold": True, "font_color": red}),
        Status.WATCH: book.add_format({"font_color": amber}),
        Status.GOOD: book.add_format({"font_color": teal}),
    }


def in_unit(amount: float, unit: Unit) -> float:
    """A number as the workbook holds it: a duration in days, which spreadsheets reckon in."""
    return amount / DAY if unit is Unit.SECONDS else amount


def write(sheet: Any, at: tuple[int, int], cell: Cell, shown: Any, quoted: Any) -> None:
    """Writes a cell as the type that it is; an empty one is left empty, a text that might be taken for a
    formula is quoted."""
    if isinstance(cell, str):
        sheet.write_string(*at, cell, quoted if is_formula(cell) else shown)
    elif isinstance(cell, bool):
        sheet.write_boolean(*at, cell)
    elif cell is not None:
        sheet.write_number(*at, cell, shown)
