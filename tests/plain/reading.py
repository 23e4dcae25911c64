"""The executive read, one workspace and one day after the other: slow and obvious, what the loop inside
PostgreSQL must equal."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from aggregators.vocabulary.domain import USAGE
from reading.decoding import row_type
from storage import context
from storage.executive.encoded_rows import (
    ENCODED_EPOCH,
    EncodedDurations,
    EncodedGroup,
    EncodedRows,
    Layout,
    RowsRequest,
)
from storage.executive.scope import scoped_workspaces


def one_by_one(
    connection: Connection, asked: RowsRequest, only: Container[int] | None = None
) -> Iterator[EncodedRows]:
    """The oracle of ``encoded_rows.scoped_rows``: plain queries per workspace and day, each inside
    ``context.enter``; of some workspaces where ``only`` says which."""
    for workspace in scoped_workspaces(connection):
        if not workspace.left_out and (only is None or workspace.workspace_id in only):
            with context.enter(connection, context.ROLLUP, workspace.workspace_id):
                yield _plainly(connection, workspace.workspace_id, asked)


def _plainly(connection: Connection, workspace_id: int, asked: RowsRequest) -> EncodedRows:
    usage: dict[date, Any] = {}
    for day in asked.days:
        for row in _select(connection, LAST_USAGE, day=day):
            usage[row["snapshot_date"]] = row
    frameworks: dict[str, dict[date, Any]] = {}
    for day in sorted(usage):
        for row in _select(connection, COMPLIANCE_OF, day=day):
            frameworks.setdefault(row["framework"], {})[day] = row
    named = max((day for day in usage if day <= asked.last_day), default=None)
    return EncodedRows(
        workspace_id,
        _rows_of(usage),
        usage[named]["labels"] if named else {},
        [
            EncodedGroup(
                "compliance_snapshot_history",
                name,
                _rows_of(rows),
                rows[named]["labels"] if named in rows else {},
            )
            for name, rows in sorted(frameworks.items())
        ],
        _durations(connection, asked),
    )


def _durations(connection: Connection, asked: RowsRequest) -> list[EncodedDurations]:
    first, last = asked.blocks
    blocks: dict[tuple[str, str], list[Any]] = {}
    for row in _select(connection, BLOCKS, first=first, last=last):
        blocks.setdefault((row["distribution"], row["group_key"]), []).append(row)
    return [
        EncodedDurations(
            *key,
            b"".join(struct.pack(">2i", row["block"], len(row["data"])) for row in rows),
            b"".join(bytes(row["data"]) for row in rows),
        )
        for key, rows in blocks.items()
    ]


LAST_USAGE = """
select * from workspace_usage_snapshot where snapshot_date <= :day order by snapshot_date desc limit 1
"""
COMPLIANCE_OF = "select * from compliance_snapshot_history where snapshot_date = :day"
BLOCKS = "select * from duration_block where block between :first and :last order by block"


def _select(connection: Connection, query: str, **values: object) -> list[Any]:
    return list(connection.execute(text(query), values).mappings())


def _rows_of(rows: dict[date, Any]) -> bytes:
    return b"".join(
        struct.pack(">i", (day - ENCODED_EPOCH).days) + bytes(rows[day]["packed"])
        for day in sorted(rows)
    )


def comparable(packed: EncodedRows, layout: Layout) -> dict[str, Any]:
    """All that was read, whatever the order of days and frameworks."""

    def days(part: Any, table: str) -> list[bytes]:
        size = row_type(layout[table]).itemsize
        return sorted(bytes(part[i : i + size]) for i in range(0, len(part), size))

    return {
        "workspace": packed.workspace_id,
        "usage": days(packed.usage, USAGE),
        "groups": {(g.table, g.group): days(g.rows, g.table) for g in packed.groups},
        "durations": {(d.distribution, d.group): bytes(d.blocks) for d in packed.durations},
        "entries": {(d.distribution, d.group): bytes(d.entries) for d in packed.durations},
        "labels": packed.labels,
        "group labels": {(g.table, g.group): g.labels for g in packed.groups},
    }
