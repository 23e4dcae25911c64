"""Encoded rows of snapshots and durations, read in one round trip: each workspace in its own context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, text

from storage import context
from storage.executive.binary_copy import (
    Values,
    array,
    copied_rows,
    integer,
    json_value,
    texts,
)
from storage.nodes import visits
from storage.snapshot.columns import COLUMNS

ENCODED_EPOCH = date(2000, 1, 1)
"""Days of encoded rows are counted from here."""
Labels = Mapping[str, str]
"""Names of the objects that hold extremes, by label; without labels that name nothing."""

Layout = Mapping[str, tuple[str, ...]]
"""The numbers of a packed row in their order, by snapshot table, as the database says it."""

LAYOUT_QUERY = text("""
select c.relname, col_description(c.oid, a.attnum)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'packed' and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
""")


def number_layout(connection: Connection) -> Layout:
    """The order of the numbers in each snapshot table. It may hold more than what is declared: columns
    of a domain that is gone."""
    tables = [columns.table for columns in COLUMNS]
    return {
        table: tuple((names or "").split())
        for table, names in connection.execute(LAYOUT_QUERY, {"tables": tables})
    }


class EncodedGroup(NamedTuple):
    """Rows of one group in the history of a domain with groups: a row a day, an int4 day since 2000-01-01
    and the numbers of the table's layout; the labels as of the asked last day."""

    table: str
    group: str
    rows: bytes | memoryview
    labels: Labels


class EncodedDurations(NamedTuple):
    """Durations of one distribution and group ('' in a domain without groups): an int4 block and an
    int4 of how many bytes for each block, and the entries of all blocks in that order."""

    distribution: str
    group: str
    blocks: bytes | memoryview
    entries: bytes | memoryview


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows of one workspace as ``vigilo.rows_in_context`` gives them: the usage rows and labels, as in
    an ``EncodedGroup``; the groups of the other tables, and the durations."""

    workspace_id: int
    usage: bytes | memoryview
    labels: Labels
    groups: Sequence[EncodedGroup]
    durations: Sequence[EncodedDurations]


def no_rows(workspace_id: int) -> EncodedRows:
    """Rows of a workspace that has none."""
    return EncodedRows(workspace_id, b"", {}, (), ())


class WorkspaceUnreadable(RuntimeError):
    """A workspace's rows can not be read; the message is the database's."""


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """Request for rows: as of these days, the labels as of one of them, blocks first to last; and the
    order of the numbers in them."""

    days: Sequence[date]
    last_day: date
    blocks: tuple[int, int]
    layout: Layout

    @property
    def arguments(self) -> tuple[list[date], date, int, int]:
        """Arguments of the database functions after the workspace."""
        return list(self.days), self.last_day, *self.blocks

    @property
    def key(self) -> tuple[object, ...]:
        """Key of the request: two with the same key bring the same rows."""
        return tuple(self.days), self.last_day, self.blocks, tuple(self.layout.items())


def scoped_rows(
    connection: Connection, request: RowsRequest, among: Sequence[int] | None = None
) -> tuple[list[EncodedRows], dict[int, str]]:
    """The rows of every workspace in scope, or of those ``among`` them, each read in its own context, in
    one round trip; and the database's words about those that could not be read, by workspace id."""
    arguments = (context.ROLLUP, *request.arguments)
    failed: dict[int, str] = {}

    def receive(row: Values) -> EncodedRows | None:
        key, wrong, *values = row
        workspace_id = integer(key)
        if wrong is None:
            return rows_of(workspace_id, values)
        failed[workspace_id] = bytes(wrong).decode()
        return None

    read = visits.in_scope(connection, visits.ROWS, arguments, receive, among)
    return [rows for rows in read if rows is not None], failed


def own_rows(connection: Connection, workspace_id: int, request: RowsRequest) -> EncodedRows:
    """Rows of one workspace that this transaction's viewer is a member of. Raises WorkspaceUnreadable."""
    query = "select * from vigilo.rows_in_context(%s, %s, %s::date[], %s, %s, %s)"
    arguments = (context.WORKSPACE, workspace_id, *request.arguments)
    ((wrong, *values),) = copied_rows(connection, query, arguments)
    if wrong is not None:
        raise WorkspaceUnreadable(bytes(wrong).decode())
    return rows_of(workspace_id, values)


def rows_of(workspace_id: int, values: Sequence[memoryview | None]) -> EncodedRows:
    """Rows of a workspace from the values that ``vigilo.rows_in_context`` gives after ``failed``."""
    usage, labels, *grouped = values
    histories, groups, rows, group_labels, distributions, duration_groups, blocks, entries = grouped
    return EncodedRows(
        workspace_id,
        usage or b"",
        json_value(labels) or {},
        [
            EncodedGroup(table, group, own_rows, own_labels or {})
            for table, group, own_rows, own_labels in zip(
                texts(histories),
                texts(groups),
                array(rows),
                json_value(group_labels) or (),
                strict=True,
            )
        ],
        list(
            map(
                EncodedDurations,
                texts(distributions),
                texts(duration_groups),
                array(blocks),
                array(entries),
            )
        ),
    )
