"""Cells of files that spreadsheets open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

import instants

ROWS_A_PIECE = 50
"""Rows that are written in about a millisecond: others of the process wait for no longer."""
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""How a spreadsheet's formula begins."""


def is_formula(value: str) -> bool:
    """Whether a spreadsheet might take the text for a formula."""
    return value.startswith(DANGEROUS)


def harmless(value: object) -> object:
    """A value that a spreadsheet can not mistake for a formula."""
    if value is None:
        return ""
    if type(value) is str:  # most values, of lists of any length
        return f"'{value}" if value.startswith(DANGEROUS) else value
    if isinstance(value, datetime):
        return instants.exact(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and is_formula(value):
        return f"'{value}"
    return value


def csv_pieces(header: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """A file of CSV in pieces: the mark by which spreadsheets know UTF-8, a header, a line a row."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow(header)
    for number, row in enumerate(rows, 1):
        writer.writerow(map(harmless, row))
        if number % ROWS_A_PIECE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
