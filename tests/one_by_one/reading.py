"""The executive read, one workspace and one day after the other: slow and obvious, what the loop inside
PostgreSQL must equal."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from aggregators.packed import COMPLIANCE_ROW, USAGE_ROW
from storage import context
from storage.executive import PACKED_EPOCH, Asked, Packed, state
from storage.models import COMPLIANCE_LABELS, USAGE_DISTRIBUTIONS, USAGE_LABELS


def one_by_one(
    connection: Connection, asked: Asked, only: Container[int] | None = None
) -> Iterator[Packed]:
    """The oracle of ``executive.rows``: plain queries per workspace and day, each inside
    ``context.entered``; of some workspaces where ``only`` says which."""
    for workspace in state(connection):
        if not workspace.left_out and (only is None or workspace.workspace_id in only):
            with context.entered(connection, context.ROLLUP, workspace.workspace_id):
                yield _plainly(connection, workspace.workspace_id, asked)


def _plainly(connection: Connection, workspace_id: int, asked: Asked) -> Packed:
    usage: dict[date, Any] = {}
    for day in asked.days:
        for row in _select(connection, LAST_USAGE, day=day):
            usage[row["snapshot_date"]] = row
    frameworks: dict[str, dict[date, Any]] = {}
    for day in sorted(usage):
        for row in _select(connection, COMPLIANCE_OF, day=day):
            frameworks.setdefault(row["framework"], {})[day] = row
    first, last = asked.blocks
    blocks = _select(connection, BLOCKS, first=first, last=last)
    named = max((day for day in usage if day <= asked.last_day), default=None)
    return Packed(
        workspace_id,
        _rows_of(usage),
        sorted(frameworks),
        [_rows_of(frameworks[name]) for name in sorted(frameworks)],
        b"".join(
            struct.pack(">5i", b["block"], *(len(b[d] or b"") for d in USAGE_DISTRIBUTIONS))
            for b in blocks
        ),
        [b"".join(bytes(b[d] or b"") for b in blocks) for d in USAGE_DISTRIBUTIONS],
        [usage[named][label] for label in USAGE_LABELS] if named else (),
        {
            name: [rows[named][label] for label in COMPLIANCE_LABELS]
            for name, rows in frameworks.items()
            if named in rows
        },
    )


LAST_USAGE = """
select * from workspace_usage_snapshot where snapshot_date <= :day order by snapshot_date desc limit 1
"""
COMPLIANCE_OF = "select * from compliance_snapshot_history where snapshot_date = :day"
BLOCKS = "select * from duration_block where block between :first and :last order by block"


def _select(connection: Connection, query: str, **values: object) -> list[Any]:
    return list(connection.execute(text(query), values).mappings())


def _rows_of(rows: dict[date, Any]) -> bytes:
    return b"".join(
        struct.pack(">i", (day - PACKED_EPOCH).days) + bytes(rows[day]["packed"])
        for day in sorted(rows)
    )


def comparable(packed: Packed) -> dict[str, Any]:
    """All that was read, whatever the order of days and frameworks."""

    def days(part: Any, size: int) -> list[bytes]:
        return sorted(bytes(part[i : i + size]) for i in range(0, len(part), size))

    return {
        "workspace": packed.workspace_id,
        "usage": days(packed.usage, USAGE_ROW.itemsize),
        "compliance": {
            name: days(part, COMPLIANCE_ROW.itemsize)
            for name, part in zip(packed.frameworks, packed.compliance, strict=True)
        },
        "blocks": bytes(packed.blocks),
        "durations": [bytes(d) for d in packed.durations],
        "names": list(packed.usage_names),
        "controls": {group: list(names) for group, names in packed.compliance_names.items()},
    }
