"""Encoded rows of the presets, which the night packs: a dashboard reads one value a workspace then.

They are what ``rows_in_context`` gave, byte for byte, with what was asked for and the version of the
workspace's snapshots. Where either is another by now, the rows are read as they stand.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from storage import context
from storage.arrays import array
from storage.executive.binary_copy import copied_rows, fields, integer
from storage.executive.encoded_rows import EncodedRows, RowsRequest, rows_of
from storage.nodes import nights, visits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

log = logging.getLogger("vigilo.presets")

FORM = "zstd"
"""Form of the packed value: one of another form is of another name, and nobody asks for it."""
VERSION = text("select snapshot_version from workspace where id = :workspace")
READY = text("""
select preset, asked from preset_rows where workspace_id = :workspace and version = :version
""")
ROWS = """
select r.failed, record_send(r) from vigilo.rows_in_context('job', %s, %s::date[], %s, %s, %s) r
"""
KEEP = text("""
insert into preset_rows as p (workspace_id, preset, asked, version, data)
select :workspace, r.preset, r.asked, r.version, r.data
from unnest(cast(:presets as int[]), cast(:asked as text[]), cast(:versions as bigint[]),
            cast(:data as bytea[])) as r(preset, asked, version, data)
on conflict (workspace_id, preset) do update
set asked = excluded.asked, version = excluded.version, data = excluded.data
""")


def name_of(request: RowsRequest) -> str:
    """Name of what is asked for: two requests with the same one bring the same rows."""
    return hashlib.sha256(repr((FORM, request.key)).encode()).hexdigest()[:32]


def packed(
    connection: Connection,
    preset: int,
    request: RowsRequest,
    among: Sequence[int] | None = None,
) -> list[EncodedRows]:
    """Rows of the workspaces in scope, or of those ``among`` them, that are packed as they are now; each
    read in its own context, in one round trip. A value that is damaged is as none."""
    rows: list[EncodedRows] = []
    values = (context.ROLLUP, preset, name_of(request))
    for workspace_id, data in visits.in_scope(connection, visits.PRESET, values, among):
        if data is not None:
            rows += _unpacked(integer(workspace_id), data)
    return rows


def _unpacked(workspace_id: int, data: memoryview) -> list[EncodedRows]:
    try:
        _failed, *values = fields(memoryview(zstd.decompress(data)))
    except zstd.ZstdError:
        log.exception("the packed preset of workspace %s is damaged", workspace_id)
        return []
    return [rows_of(workspace_id, values)]


def pack(connection: Connection, workspace_id: int, requests: Mapping[int, RowsRequest]) -> None:
    """Packs the rows of one workspace by preset where they are not packed yet, within a transaction of the
    job in the workspace's context. The version is looked at first: where the snapshots change meanwhile,
    what is packed is of no version that anybody asks for. What can not be read is not packed."""
    made = _unpacked_yet(connection, workspace_id, requests)
    if made:
        connection.execute(
            KEEP,
            {
                "workspace": workspace_id,
                "presets": array(preset for preset, _, _ in made),
                "asked": array(name_of(requests[preset]) for preset, _, _ in made),
                "versions": array(version for _, version, _ in made),
                "data": array(zstd.compress(rows) for _, _, rows in made),
            },
        )


def _unpacked_yet(
    connection: Connection, workspace_id: int, requests: Mapping[int, RowsRequest]
) -> Sequence[tuple[int, int, bytes | memoryview]]:
    """Preset, version and rows of what is not packed yet."""
    if nights.packs(connection):
        wanted = {n: (name_of(request), request.arguments) for n, request in requests.items()}
        return nights.packable(connection, workspace_id, wanted)
    version = connection.execute(VERSION, {"workspace": workspace_id}).scalar_one()
    known = {"workspace": workspace_id, "version": version}
    ready = set(map(tuple, connection.execute(READY, known)))
    rows_by_preset: list[tuple[int, int, memoryview]] = []
    for preset, request in requests.items():
        if (preset, name_of(request)) in ready:
            continue
        ((failed, rows),) = copied_rows(connection, ROWS, (workspace_id, *request.arguments))
        if failed is None and rows is not None:
            rows_by_preset.append((preset, version, rows))
    return rows_by_preset
