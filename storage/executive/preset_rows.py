"""Presets that the night has packed: a dashboard reads one value a workspace then.

A value stands with the name of what it holds and the version of the workspace's snapshots. Where either is
another by now, the rows are read as they stand.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage import context
from storage.arrays import array
from storage.executive.binary_copy import Values, copied_rows, fields, integer
from storage.executive.encoded_rows import EncodedRows, RowsRequest, rows_of
from storage.nodes import nights, visits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

log = logging.getLogger("vigilo.presets")

PACKED_NOW = text("""
select w.snapshot_version as version,
       array(select p.preset || ' ' || p.asked from preset_rows p
             where p.workspace_id = w.id and p.version = w.snapshot_version) as ready
from workspace w where w.id = :workspace
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


def packed_values(
    connection: Connection, preset: int, name: str, among: Sequence[int] | None = None
) -> dict[int, bytes]:
    """Values of the workspaces in scope, or of those ``among`` them, that are packed as they are now under
    this name, by workspace id; each read in its own context, in one round trip. One that is damaged is as
    none."""
    arguments = (context.ROLLUP, preset, name)
    values = visits.in_scope(connection, visits.PRESET, arguments, _decompress, among)
    return {workspace_id: value for workspace_id, value in values if value is not None}


def _decompress(row: Values) -> tuple[int, bytes | None]:
    """Id of a workspace, and its value; None where there is none, or it is damaged."""
    key, data = row
    workspace_id = integer(key)
    if data is None:
        return workspace_id, None
    try:
        return workspace_id, _whole_frame(data)
    except zstd.ZstdError:
        log.exception("the packed preset of workspace %s is damaged", workspace_id)
        return workspace_id, None


def _whole_frame(data: memoryview) -> bytes:
    """Content of one frame. Raises ZstdError where it is cut off, or followed by something."""
    frame = zstd.ZstdDecompressor()
    content = frame.decompress(data)
    if not frame.eof or frame.unused_data:
        raise zstd.ZstdError("not one whole frame")
    return content


@dataclass(frozen=True, slots=True)
class PackableRows:
    """Rows of one workspace that some presets are packed of, with the version of its snapshots that they
    are of."""

    presets: tuple[int, ...]
    version: int
    rows: EncodedRows


def rows_to_pack(
    connection: Connection,
    workspace_id: int,
    requests: Mapping[int, tuple[str, RowsRequest]],
    together: RowsRequest,
) -> list[PackableRows]:
    """Rows of the presets of one workspace that are not packed yet, within a transaction of the job in its
    context; ``requests`` have by preset its name and rows, ``together`` asks for the rows of all of them,
    which are read at once where the database is one. The version is looked at first: where the snapshots
    change meanwhile, what is packed is of no version that anybody asks for. What can not be read is left
    out."""
    if nights.packs(connection):
        wanted = {n: (name, rows.arguments) for n, (name, rows) in requests.items()}
        unpacked = nights.rows_to_pack(connection, workspace_id, wanted)
        return [
            _packable_rows(workspace_id, (preset,), version, rows)
            for preset, version, rows in unpacked
        ]
    version, ready = connection.execute(PACKED_NOW, {"workspace": workspace_id}).one()
    missing = tuple(n for n, (name, _) in requests.items() if f"{n} {name}" not in ready)
    if not missing:
        return []
    ((failed, rows),) = copied_rows(connection, ROWS, (workspace_id, *together.arguments))
    if failed is not None or rows is None:
        return []
    return [_packable_rows(workspace_id, missing, version, rows)]


def _packable_rows(
    workspace_id: int, presets: tuple[int, ...], version: int, record: bytes | memoryview
) -> PackableRows:
    _failed, *values = fields(memoryview(record))
    return PackableRows(presets, version, rows_of(workspace_id, values))


def keep(
    connection: Connection, workspace_id: int, values: Sequence[tuple[int, str, int, bytes]]
) -> None:
    """Keeps values of one workspace, each with its preset, name and version, in place of former ones."""
    if values:
        presets, names, versions, data = zip(*values, strict=True)
        connection.execute(
            KEEP,
            {
                "workspace": workspace_id,
                "presets": array(presets),
                "asked": array(names),
                "versions": array(versions),
                "data": array(map(zstd.compress, data)),
            },
        )
