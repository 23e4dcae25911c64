"""Cells of files that spreadsheets open."""

from __future__ import annotations

from datetime import UTC, date, datetime

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
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and is_formula(value):
        return f"'{value}"
    return value
