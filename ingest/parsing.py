"""Rows as formats read them, made into values, faults and statements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aggregators.records.kinds import Fault, Field, RecordKind
from aggregators.records.statements import EVENT, ROW, Statement
from aggregators.vocabulary.fields import instant, printable
from ingest.kinds import WORKSPACE
from ingest.reader import RawRecord
from ingest.statements import Told, home_of

BLANK = (
    " \t\u00a0\u00ad\u061c\u202f\u205f\u3000\ufeff"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u200e\u200f\u2060"
)
"""Characters that do not count around a cell's content: what looks like nothing makes no other key."""

Values = dict[str, Any]


def statement(
    kind: RecordKind, raw: RawRecord, values: Values, source: str, received_at: datetime
) -> Told:
    """A row, with its parsed values, as a statement of the source about its record."""
    instants = [v for name in kind.happened if isinstance(v := values.get(name), datetime)]
    at = _instant(raw.at) or max(instants, default=None)
    manner = EVENT if raw.event else ROW
    made = Statement(raw.source or source, values, received_at, at, raw.sequence, manner)
    return Told(raw.identity or home_of(kind, values), made)


def _instant(text: str) -> datetime | None:
    """An instant of the sender's clock; None where it tells none that can be read."""
    try:
        return instant(text) if text else None
    except ValueError:
        return None


def parse(kind: RecordKind, raw: RawRecord) -> dict[str, Any] | Fault:
    """The values of the columns that the row has, or the first fault. An empty cell takes back what its
    source said before."""
    values: dict[str, Any] = {}
    cells = raw.cells
    for column in kind.told_by(cells):
        if cell := cells.get(column.name, "").strip(BLANK):
            try:
                values[column.name] = column.parse(cell)
            except ValueError as error:
                return Fault(column.name, str(error))
        elif (fault := _empty(kind, raw, column, values)) is not None:
            return fault
    return kind.disorder(values) or values


def _empty(kind: RecordKind, raw: RawRecord, column: Field, values: dict[str, Any]) -> Fault | None:
    """Takes a cell that is empty or absent into the values; a fault where it may not be."""
    is_key = column.name in kind.key
    if column.required and not raw.event and column.name not in raw.waived:
        return Fault(column.name, "is required")
    if is_key and column.required and not raw.identity:
        return Fault(column.name, "is required")
    if is_key:
        values[column.name] = column.default
    elif column.name in raw.cells and not raw.event:
        values[column.name] = None if kind.tenant else column.default
    return None


def workspace_and_key(kind: RecordKind, raw: RawRecord, given: str | None) -> str:
    """The record's workspace and key, as far as the row has them."""
    parts = [raw.cells.get(WORKSPACE) or given or ""] if kind.tenant else []
    parts += [raw.cells.get(name, "") for name in kind.key]
    return "/".join(printable(part.strip())[1:-1] for part in parts if part.strip())
