"""The records behind the figures, page by page: filtered, sorted and cut within PostgreSQL.

A query a domain, read in the workspace's own context. It selects from the domain's base query as its
figures do, as it stands at the end of the period; a test adds the rows up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from aggregators import catalogue
from aggregators.chosen.counting import CountingRules
from aggregators.records.listing import ListingQuery
from aggregators.vocabulary.clock import CLOCK, LAST_DAY
from aggregators.vocabulary.listing import (
    COUNTED,
    ColumnType,
    Condition,
    Listing,
    RecordsPage,
    RecordsRequest,
)

SOURCES: Mapping[str, ListingQuery] = {
    key: module.QUERY for key, module in catalogue.parts("listing").items()
}
"""Query of each domain's listing, by the domain's key."""
DAYS = f"with {LAST_DAY}, {CLOCK}"
"""CTEs that a base query may select from; one that it leaves alone costs nothing."""
NUMERIC = (ColumnType.NUMBER, ColumnType.DURATION, ColumnType.SHARE, ColumnType.BURN)
COMPARED = {
    "equals": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
CONTAINS = ("contains", "notContains")
WITHIN = (*CONTAINS, "endsWith")
"""Looked for without ILIKE, which tries the text anew at each character."""
LIKE = {
    "equals": "{}",
    "notEqual": "{}",
    "startsWith": "{}%",
}


@dataclass(frozen=True, slots=True)
class RecordsScope:
    """Workspace and days of the records that are listed, and what a link narrows them to."""

    workspace_id: int
    first: date
    last: date
    rules: CountingRules
    links: Mapping[str, str]


def page(
    connection: Connection, key: str, listing: Listing, scope: RecordsScope, request: RecordsRequest
) -> RecordsPage:
    """The rows request for of a domain's listing, in the workspace context of the connection."""
    query, values = _query(key, listing, scope, request)
    names = ", ".join(c.key for c in listing.columns)
    more = {"offset": request.first, "limit": request.last - request.first}
    cut = f"{DAYS} select {names} {query} {_order_by(key, request)} offset :offset limit :limit"
    with _in_order(connection, key, request):
        rows = [tuple(row) for row in connection.execute(text(cut), values | more)]
    if rows and len(rows) < request.last - request.first:
        return RecordsPage(listing.columns, rows, request.first + len(rows))
    counted = f"{DAYS} select count(*) from (select 1 {query} limit {COUNTED + 1}) few"
    total = int(connection.execute(text(counted), values).scalar_one())
    return RecordsPage(listing.columns, rows, total if total <= COUNTED else None)


@contextmanager
def _in_order(connection: Connection, key: str, request: RecordsRequest) -> Iterator[None]:
    """Has the planner walk the index of the order until the page is full. Under row-level security it may
    not look at the statistics for ILIKE, takes every filter for a rare one, and would sort all rows."""
    first = request.order[0][0] if request.order else SOURCES[key].unique[0]
    if first not in SOURCES[key].filled:
        yield
        return
    connection.execute(text("set local enable_sort = off; set local enable_bitmapscan = off"))
    yield
    connection.execute(text("set local enable_sort = on; set local enable_bitmapscan = on"))


def every(
    connection: Connection, key: str, listing: Listing, scope: RecordsScope, request: RecordsRequest
) -> Iterator[tuple[object, ...]]:
    """All rows that fit the request, streamed."""
    query, values = _query(key, listing, scope, request)
    names = ", ".join(c.key for c in listing.columns)
    streamed = connection.execution_options(stream_results=True, max_row_buffer=1000)
    every_row = f"{DAYS} select {names} {query} {_order_by(key, request)}"
    for row in streamed.execute(text(every_row), values):
        yield tuple(row)


def _query(
    key: str, listing: Listing, scope: RecordsScope, request: RecordsRequest
) -> tuple[str, dict[str, Any]]:
    """``from ... where ...`` of a listing, and its parameters."""
    source = SOURCES[key]
    values: dict[str, Any] = {
        "w": scope.workspace_id,
        "first": scope.first,
        "last": scope.last,
        **scope.rules.parameters,
        "now": None,
    }
    wheres = ["true"]
    for name, value in scope.links.items():
        wheres.append(source.links[name])
        values[f"link_{name}"] = int(value) if value.isdigit() else value
    for number, condition in enumerate(request.conditions):
        wheres.append(_condition_sql(listing, condition, f"c{number}", values))
    return f"from ({source.sql}) listed where {' and '.join(wheres)}", values


def _order_by(key: str, request: RecordsRequest) -> str:
    """In full, so that pages never overlap: the unique columns decide between equals."""
    source = SOURCES[key]
    named = [
        f"{name} {'desc' if down else 'asc'}{'' if name in source.filled else ' nulls last'}"
        for name, down in request.order
    ]
    return f"order by {', '.join([*named, *source.unique])}"


def _condition_sql(
    listing: Listing, condition: Condition, name: str, values: dict[str, Any]
) -> str:
    """A condition as SQL. Column and operator come from our own lists, never from the client."""
    column = listing.column(condition.column)
    if condition.operator in ("blank", "notBlank"):
        return f"{column.key} is {'not ' * (condition.operator == 'notBlank')}null"
    if column.type in NUMERIC:
        return _comparison(column.key, condition, name, values, float)
    if column.type in (ColumnType.INSTANT, ColumnType.DAY):
        day = (
            f"({column.key} at time zone :zone)::date"
            if column.type is ColumnType.INSTANT
            else column.key
        )
        return _comparison(day, condition, name, values, date.fromisoformat)
    if condition.operator in WITHIN:
        values[name] = condition.value
        if condition.operator == "endsWith":
            return f"right(lower({column.key}), length(lower(:{name}))) = lower(:{name})"
        within = f"strpos(lower({column.key}), lower(:{name}))"
        return f"{within} > 0" if condition.operator == "contains" else f"coalesce({within}, 0) = 0"
    values[name] = LIKE[condition.operator].format(_escape_wildcards(condition.value))
    if condition.operator.startswith("not"):
        return f"({column.key} is null or {column.key} not ilike :{name})"
    return f"{column.key} ilike :{name}"


def _comparison(
    sql: str, condition: Condition, name: str, values: dict[str, Any], read: Any
) -> str:
    """SQL of a condition on a column; its values are added to ``values`` under ``name``."""
    values[name] = read(condition.value)
    if condition.operator == "inRange":
        values[f"{name}_until"] = read(condition.until)
        return f"{sql} between :{name} and :{name}_until"
    return f"{sql} {COMPARED[condition.operator]} :{name}"


def _escape_wildcards(given: str) -> str:
    """Text to look for as it is: the wildcards of LIKE escaped."""
    return given.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
