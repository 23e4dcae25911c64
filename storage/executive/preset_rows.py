"""Encoded rows of the presets, which the night packs: a dashboard reads one value a workspace then.

They are what ``rows_in_context`` gave, byte for byte, with what was asked for and the version of the
workspace's snapshots. Where either is another by now, the rows are read as they stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from storage import context
from storage.executive.binary_copy import copied_rows, fields, integer
from storage.executive.encoded_rows import EncodedRows, RowsRequest, rows_of

PACK = text("select vigilo.pack_preset(:workspace, :preset, :asked, :days, :last, :first, :end)")


def name_of(request: RowsRequest) -> str:
    """Name of what is asked for: two requests with the same one bring the same rows."""
    return hashlib.sha256(repr(request.key).encode()).hexdigest()[:32]


def packed(
    connection: Connection,
    preset: int,
    request: RowsRequest,
    among: Sequence[int] | None = None,
) -> list[EncodedRows]:
    """Rows of the workspaces in scope, or of those ``among`` them, that are packed as they are now; each
    read in its own context, in one round trip."""
    query = (
        "select s.workspace_id, vigilo.preset_in_context(%s, s.workspace_id, %s, %s, s.version)"
        " from vigilo.executive_scope() s where s.left_out is null"
    )
    arguments: tuple[object, ...] = (context.ROLLUP, preset, name_of(request))
    if among is not None:
        query, arguments = f"{query} and s.workspace_id = any(%s)", (*arguments, list(among))
    return [
        _unpacked(integer(workspace_id), data)
        for workspace_id, data in copied_rows(connection, query, arguments)
        if data is not None
    ]


def _unpacked(workspace_id: int, data: memoryview) -> EncodedRows:
    _failed, *values = fields(data)
    return rows_of(workspace_id, values)


def pack(connection: Connection, workspace_id: int, requests: Mapping[int, RowsRequest]) -> None:
    """Packs the rows of one workspace by preset, within a transaction of the job."""
    for preset, request in requests.items():
        first, end = request.blocks
        values = {
            "workspace": workspace_id,
            "preset": preset,
            "asked": name_of(request),
            "days": list(request.days),
            "last": request.last_day,
            "first": first,
            "end": end,
        }
        connection.execute(PACK, values)
