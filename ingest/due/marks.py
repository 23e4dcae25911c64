"""Marks of snapshot days that are to be made again, because records that count on them have changed since.

A mark says from which day on, for each workspace (``snapshot_due``). Whatever writes records sets it in the
transaction of the change: a delivery, an import and a source through ``mark_from``, where the change
reaches back to a day that has a snapshot; a change by hand through ``mark`` with ``at_once``. A night and
a backfill that make all marked days take the mark away; ``ingest.due.remake`` makes what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind

MARK = text("""
insert into snapshot_due as d (workspace_id, first_day, marked_at, at_once, reach, quiet_until)
values (:w, :day, clock_timestamp(), :at_once, :reach, clock_timestamp() + make_interval(secs => :quiet))
on conflict (workspace_id) do update
set first_day = least(d.first_day, excluded.first_day), marked_at = excluded.marked_at,
    at_once = d.at_once or excluded.at_once, reach = d.reach or excluded.reach,
    quiet_until = greatest(d.quiet_until, excluded.quiet_until)
""")
NEWEST = text("select max(snapshot_date) from workspace_usage_snapshot where workspace_id = :w")


def newest_day(connection: Connection, workspace_id: int) -> date | None:
    """The last day that has a snapshot; None where none has."""
    day: date | None = connection.execute(NEWEST, {"w": workspace_id}).scalar()
    return day


def mark(
    connection: Connection,
    workspace_id: int,
    first: datetime | None,
    *,
    at_once: bool = True,
    reach: bool = False,
    quiet_seconds: float = 0.0,
) -> None:
    """Notes, in the transaction of a change, that the days from ``first`` on are to be made again:
    ``at_once``, or with the next night; with ``reach`` also those before the first snapshot; after so many
    quiet seconds. A day early: the reporting zone may be ahead of UTC or behind."""
    if first is not None:
        day = first.date() - timedelta(days=1)
        values = {"w": workspace_id, "day": day, "at_once": at_once}
        connection.execute(MARK, values | {"reach": reach, "quiet": quiet_seconds})


def mark_from(
    connection: Connection, workspace_id: int, newest: date, instants: Iterable[datetime | None]
) -> None:
    """Marks, for the next night, the days from the first of the instants on, where one of them has a
    snapshot; ``newest`` is the last that has."""
    first = min((at for at in instants if at is not None), default=None)
    if first is not None and first.date() - timedelta(days=1) <= newest:
        mark(connection, workspace_id, first, at_once=False)


def first_instant(kind: RecordKind, row: str) -> str:
    """SQL of the first instant whose figures a record takes part in; ``row`` is its name in the query."""
    return f"cast({kind.since.format(r=row)} as timestamptz)"


def changed_since(kind: RecordKind) -> str:
    """SQL for a row that was just written: the first instant whose figures the change touches. Where
    nothing but instants differ from what stood before, the first of those; else the record's own.

    A query within RETURNING still sees the row as it was before the statement.
    """
    table = kind.table.name
    same = " and ".join(f"o.{name} = {table}.{name}" for name in ("workspace_id", *kind.key))
    return f"""case when exists (select from {table} o where {same})
        then (select {_differs(kind, table)} from {table} o where {same})
        else {first_instant(kind, table)} end"""


def changes_since(kind: RecordKind, workspace_id: int) -> str:
    """SQL of the same instant before rows are written: of a row ``given`` beside the one that stands,
    ``o``, whose key is null where none does."""
    query = f"""case when o.{kind.key[0]} is not null
        then {_differs(kind, "given")} else {first_instant(kind, "given")} end"""
    return _with_number(query, workspace_id)


def since_in(kind: RecordKind, workspace_id: int) -> str:
    """As ``first_instant``, of stored rows of one workspace."""
    return _with_number(first_instant(kind, kind.table.name), workspace_id)


def _with_number(query: str, workspace_id: int) -> str:
    """With the workspace as a number: Citus knows then on which node every table lies that is looked up."""
    return re.sub(
        r"\b\w+\.workspace_id = \w+\.workspace_id\b",
        lambda m: _equal_to_number(m[0], workspace_id),
        query,
    )


def _equal_to_number(comparison: str, workspace_id: int) -> str:
    """The comparison of a column with another as one with the workspace's number."""
    return f"{comparison.partition(' ')[0]} = {int(workspace_id)}"


def _differs(kind: RecordKind, now: str) -> str:
    """SQL of the first instant that a change from the row ``o`` to the row ``now`` touches."""
    instants = [n for n in kind.folded if n in kind.types and n not in kind.key]
    others = [n for n in kind.folded if n not in (*instants, *kind.key)]
    parts = ", ".join(
        f"case when o.{n} is distinct from {now}.{n}"
        f" then least(cast(o.{n} as timestamptz), cast({now}.{n} as timestamptz)) end"
        for n in instants
    )
    differs = f"least({parts})" if parts else "null"
    if others:
        before, after = (", ".join(f"{row}.{n}" for n in others) for row in ("o", now))
        whole = f"least({first_instant(kind, 'o')}, {first_instant(kind, now)})"
        return (
            f"case when row({before}) is distinct from row({after}) then {whole} else {differs} end"
        )
    return differs
