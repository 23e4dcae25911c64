"""What a grid, or the address of its CSV, asks for: parsed from the client's words, never trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aggregators.listing import Condition, Listing, Request, Type

MOST, MOST_CONDITIONS, LONGEST = 500, 20, 200
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
    """A request that no grid of ours makes; the message names the part."""


def parse(listing: Listing, given: Any) -> Request:
    """ag-grid's ``getRowsRequest``: startRow, endRow, sortModel, filterModel. Raises InvalidRequest."""
    if not isinstance(given, Mapping):
        raise InvalidRequest("a request for rows is an object")
    first, last = given.get("startRow", 0), given.get("endRow", 100)
    if type(first) is not int or type(last) is not int or not 0 <= first < last <= first + MOST:
        raise InvalidRequest(f"startRow and endRow take whole numbers at most {MOST} apart")
    if last > 10_000_000:
        raise InvalidRequest("endRow is too large")
    return Request(
        conditions(listing, given.get("filterModel") or {}),
        order(listing, given.get("sortModel") or []),
        first,
        last,
    )


def order(listing: Listing, given: Any) -> tuple[tuple[str, bool], ...]:
    """Columns and whether each is descending; the listing's own order when nothing is asked."""
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_CONDITIONS:
        raise InvalidRequest("sortModel is a list")
    found = []
    for item in given:
        if not isinstance(item, Mapping) or item.get("sort") not in ("asc", "desc"):
            raise InvalidRequest("sortModel takes {colId, sort: asc or desc}")
        found.append((_known(listing, item.get("colId")), item["sort"] == "desc"))
    return tuple(found) or listing.order


def conditions(listing: Listing, given: Any) -> tuple[Condition, ...]:
    """What the columns must be. Raises InvalidRequest naming the column."""
    if not isinstance(given, Mapping) or len(given) > MOST_CONDITIONS:
        raise InvalidRequest("filterModel is an object")
    return tuple(_condition(listing, _known(listing, key), model) for key, model in given.items())


def _known(listing: Listing, key: object) -> str:
    if not any(c.key == key for c in listing.columns):
        raise InvalidRequest(f"there is no column {str(key)[:40]!r}")
    return str(key)


def _condition(listing: Listing, key: str, model: Any) -> Condition:
    if not isinstance(model, Mapping):
        raise InvalidRequest(f"the filter of {key} is an object")
    kind, operator = listing.column(key).type, model.get("type")
    is_date = kind in (Type.INSTANT, Type.DAY)
    known = DATES if is_date else TEXTS if kind is Type.TEXT else NUMBERS
    if not isinstance(operator, str) or operator not in known:
        raise InvalidRequest(f"the filter of {key} takes one of {', '.join(known)}")
    if operator in EMPTY:
        return Condition(key, operator)
    names = ("dateFrom", "dateTo") if is_date else ("filter", "filterTo")
    value, until = (_value(key, kind, model.get(name)) for name in names)
    if value is None or (operator == "inRange" and until is None):
        raise InvalidRequest(f"the filter of {key} lacks its value")
    return Condition(key, operator, value, until or "")


def _value(key: str, kind: Type, given: object) -> str | None:
    """The value as text that reads back as the column's type. Raises InvalidRequest."""
    if given is None or given == "":
        return None
    cell = str(given)
    if len(cell) > LONGEST or "\0" in cell or isinstance(given, (list, dict)):
        raise InvalidRequest(f"the filter of {key} takes at most {LONGEST} characters")
    try:
        if kind in (Type.INSTANT, Type.DAY):
            return date.fromisoformat(cell[:10]).isoformat()
        if kind is not Type.TEXT and abs(float(cell)) > 1e15:
            raise ValueError
        if kind is not Type.TEXT and float(cell) != float(cell):
            raise ValueError
    except ValueError:
        raise InvalidRequest(
            f"the filter of {key} takes a {kind.value}, got {cell[:40]!r}"
        ) from None
    return cell
