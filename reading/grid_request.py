"""Requests of a grid, or of the address of its CSV: parsed from the client's words, never trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aggregators.vocabulary import fields
from aggregators.vocabulary.listing import ColumnType, Condition, Listing, RecordsRequest

MOST, MOST_CONDITIONS, LONGEST = 500, 20, 200
LAST_ROW = 10_000_000
EMPTY = ("blank", "notBlank")
NUMBERS = (
    "equals",
    "notEqual",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "inRange",
    *EMPTY,
)
TEXTS = ("contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", *EMPTY)
DATES = ("equals", "notEqual", "lessThan", "greaterThan", "inRange", *EMPTY)


class InvalidRequest(ValueError):
    """A request that no grid of ours makes; ``field`` names its part, and the message goes on after it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def parse(listing: Listing, given: Any) -> RecordsRequest:
    """Request of ag-grid's ``getRowsRequest``: startRow, endRow, sortModel, filterModel. Raises
    InvalidRequest."""
    if not isinstance(given, Mapping):
        raise InvalidRequest("request", "for rows is an object")
    first, last = given.get("startRow", 0), given.get("endRow", 100)
    if type(first) is not int or type(last) is not int or not 0 <= first < last <= first + MOST:
        raise InvalidRequest("startRow", f"and endRow take whole numbers at most {MOST} apart")
    if last > LAST_ROW:
        raise InvalidRequest("endRow", "is too large")
    return RecordsRequest(
        conditions(listing, given.get("filterModel") or {}),
        order(listing, given.get("sortModel") or []),
        first,
        last,
    )


def order(listing: Listing, given: Any) -> tuple[tuple[str, bool], ...]:
    """Columns and whether each is descending; the listing's own order when there are none. Raises
    InvalidRequest."""
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_CONDITIONS:
        raise InvalidRequest("sort", f"is a list of at most {MOST_CONDITIONS}")
    columns = []
    for item in given:
        if not isinstance(item, Mapping) or item.get("sort") not in ("asc", "desc"):
            raise InvalidRequest("sort", "takes {colId, sort: asc or desc}")
        columns.append((_column_key(listing, item.get("colId"), "sort"), item["sort"] == "desc"))
    return tuple(columns) or listing.order


def conditions(listing: Listing, given: Any) -> tuple[Condition, ...]:
    """Conditions on the columns. Raises InvalidRequest naming the column."""
    if not isinstance(given, Mapping) or len(given) > MOST_CONDITIONS:
        raise InvalidRequest("filter", f"is an object of at most {MOST_CONDITIONS} columns")
    return tuple(
        _condition(listing, _column_key(listing, key, "filter"), model)
        for key, model in given.items()
    )


def _column_key(listing: Listing, key: object, field: str) -> str:
    if not any(column.key == key for column in listing.columns):
        raise InvalidRequest(field, f"knows no column {str(key)[:40]!r}")
    return str(key)


def _condition(listing: Listing, key: str, model: Any) -> Condition:
    if not isinstance(model, Mapping):
        raise InvalidRequest("filter", f"of {key} is an object")
    kind, operator = listing.column(key).type, model.get("type")
    is_date = kind in (ColumnType.INSTANT, ColumnType.DAY)
    operators = (
        DATES if is_date else TEXTS if kind in (ColumnType.TEXT, ColumnType.WORD) else NUMBERS
    )
    if not isinstance(operator, str) or operator not in operators:
        raise InvalidRequest("filter", f"of {key} takes one of {', '.join(operators)}")
    if operator in EMPTY:
        return Condition(key, operator)
    names = ("dateFrom", "dateTo") if is_date else ("filter", "filterTo")
    value, until = (_value(key, kind, model.get(name)) for name in names)
    if value is None or (operator == "inRange" and until is None):
        raise InvalidRequest("filter", f"of {key} lacks its value")
    return Condition(key, operator, value, until or "")


def _value(key: str, kind: ColumnType, given: object) -> str | None:
    """Text of a value, which reads back as the column's type. Raises InvalidRequest."""
    if given is None or given == "":
        return None
    cell = str(given)
    if len(cell) > LONGEST or isinstance(given, (list, dict)):
        raise InvalidRequest("filter", f"of {key} takes at most {LONGEST} characters")
    try:
        return _database_text(kind, cell)
    except ValueError:
        raise InvalidRequest(
            "filter", f"of {key} takes a {kind.value}, got {cell[:40]!r}"
        ) from None


def _database_text(kind: ColumnType, cell: str) -> str:
    """Text of a cell as the database reads it. Raises ValueError."""
    if kind is ColumnType.TEXT:
        return cell
    if kind is ColumnType.WORD:
        return cell.replace(" ", "_")
    if kind in (ColumnType.INSTANT, ColumnType.DAY):
        return date.fromisoformat(cell[:10]).isoformat()
    if not fields.NUMBER.fullmatch(cell) or abs(float(cell)) > fields.MOST:
        raise ValueError(cell)
    return cell
