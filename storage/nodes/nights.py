"""The nightly job on a cluster: calls that do a workspace's whole work beside its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from storage.arrays import array
from storage.distributed import FIRST
from storage.nodes.visits import SCHEMA, is_made
from storage.nodes.written import (
    ADDING,
    KEEP_WATCHED,
    OVERTAKEN,
    PACKABLE,
    PUBLISHING,
    STAGING,
    WATCHED_KINDS,
    Written,
)
from storage.snapshot.sql import PARAMETERS
from storage.snapshot.tables import staged_workspace

SHARDS = text(f"""
select cast(p.groupid as bigint), p.shardid, array_agg(w.id order by w.id)
from unnest(cast(:workspaces as bigint[])) as w(id)
join pg_dist_placement p on p.shardid = get_shard_id_for_distribution_column('{FIRST}', w.id)
group by 1, 2 order by 1, 2
""")
NOTE = text("""
update workspace w
set snapshot_version = w.snapshot_version + 1,
    history_version = w.history_version + cast(coalesce(n.oldest <= n.newest - 28, true) as int),
    snapshot_day = n.newest, snapshot_at = n.at
from unnest(cast(:ids as bigint[]), cast(:newest as date[]), cast(:at as timestamptz[]),
            cast(:oldest as date[])) as n(id, newest, at, oldest)
where w.id = n.id
""")
"""As ``vigilo.note_snapshot`` notes one."""
STAY = text(f"delete from {staged_workspace.name} where workspace_id = :w and since = '-infinity'")
"""A statement of Citus's own, which no row is for."""


def by_shard(connection: Connection, workspaces: Sequence[int]) -> list[tuple[int, list[int]]]:
    """The workspaces of each shard, with the number of its node, node by node."""
    rows = connection.execute(SHARDS, {"workspaces": array(workspaces)})
    return [(node, list(ids)) for node, _shard, ids in rows]


def stages(connection: Connection) -> bool:
    """Whether the nodes stage and publish on their own, by the statements of this program."""
    return is_made(connection, STAGING.name) and is_made(connection, PUBLISHING.name)


def packs(connection: Connection) -> bool:
    """Whether the nodes give what is to be packed in one call."""
    return is_made(connection, PACKABLE.name)


def adds(connection: Connection) -> bool:
    """Whether the nodes read rows as JSON on their own."""
    return is_made(connection, ADDING.name)


def add(
    connection: Connection, workspace_id: int, rows: Mapping[str, tuple[Sequence[str], str]]
) -> None:
    """Adds rows of tables to a workspace, by table their columns and the rows as JSON."""
    columns = [",".join(names) for names, _ in rows.values()]
    # Spelled out: as one text every quote in it would be escaped twice.
    listed = [json_rows for _, json_rows in rows.values()]
    _hold_shard(connection, workspace_id)
    _call_beside(connection, ADDING, (workspace_id, list(rows), columns, listed))


def keeps_watched(connection: Connection) -> bool:
    """Whether the nodes write what a night of the watch has told."""
    return is_made(connection, KEEP_WATCHED)


def keep_watched(connection: Connection, workspace_id: int, values: Mapping[str, object]) -> None:
    """Writes on the node of a workspace what was told of all that lie in its shard."""
    _hold_shard(connection, workspace_id)
    placeholders = ", ".join(["%s::bigint", *(f"%s::{kind}" for kind in WATCHED_KINDS)])
    connection.exec_driver_sql(
        f"select from {SCHEMA}.{KEEP_WATCHED}({placeholders})",
        (str(workspace_id), *values.values()),
    )


def _hold_shard(connection: Connection, workspace_id: int) -> None:
    """Has Citus leave the workspace's shard where it is until the transaction ends: functions that name it
    there tell Citus of no write, and what they write to a shard on the move would be left behind."""
    connection.execute(STAY, {"w": workspace_id})


def _call_beside(connection: Connection, function: Written, values: Sequence[object]) -> list[Any]:
    """Rows of a function called on the node of a workspace, the first of the values."""
    casts = ", ".join(f"%s::{kind}" for kind in function.arguments)
    first, *others = values
    result = connection.exec_driver_sql(
        f"select * from {SCHEMA}.{function.name}({casts})", (str(first), *others)
    )
    return list(result)


def stage_workspace(
    connection: Connection, values: Mapping[str, Any]
) -> tuple[int, datetime | None]:
    """Stages a workspace unless the run has done so, as ``staging.stage`` does; how many days, and the mark
    of them where all of those that it is of are made."""
    _hold_shard(connection, values["w"])
    rows = _call_beside(connection, STAGING, [values.get(name) for name in PARAMETERS])
    days, noted_at = rows[0]
    return days, noted_at


@dataclass(frozen=True, slots=True)
class Published:
    """A workspace that was published, or why it could not be."""

    workspace_id: int
    refused: str | None
    refused_as: str | None
    newest_day: date | None
    newest_at: datetime | None
    oldest_staged: date | None

    @property
    def is_overtaken(self) -> bool:
        """Whether its days were staged for another run."""
        return self.refused_as == OVERTAKEN


def publish_workspaces(
    connection: Connection,
    workspaces: Sequence[int],
    since: datetime,
    marks: Mapping[int, datetime],
) -> Iterator[Published]:
    """Publishes workspaces shard by shard within the transaction, then notes beside each what its last
    snapshot is."""
    done: list[Published] = []
    for _node, ids in by_shard(connection, workspaces):
        _hold_shard(connection, ids[0])
        values = (ids[0], array(ids), array(marks.get(key) for key in ids), since)
        done += [Published(*row) for row in _call_beside(connection, PUBLISHING, values)]
    noted = [one for one in done if one.refused is None and one.newest_day is not None]
    if noted:
        columns = {
            "ids": array(one.workspace_id for one in noted),
            "newest": array(one.newest_day for one in noted),
            "at": array(one.newest_at for one in noted),
            "oldest": array(one.oldest_staged for one in noted),
        }
        connection.execute(NOTE, columns)
    yield from done


def rows_to_pack(
    connection: Connection, workspace_id: int, wanted: Mapping[int, tuple[str, tuple[Any, ...]]]
) -> list[tuple[int, int, bytes]]:
    """Rows of the presets that are not packed as they are now: preset, version of the snapshots, and the
    rows as one value. ``wanted`` has by preset its name and the arguments of its rows."""
    names = [name for name, _ in wanted.values()]
    days, named, first, last = zip(*(arguments for _, arguments in wanted.values()), strict=True)
    values = (
        workspace_id, array(wanted), array(names), array(map(array, days)),
        array(named), array(first), array(last),
    )  # fmt: skip
    return [
        (preset, version, bytes(rows))
        for preset, version, rows in _call_beside(connection, PACKABLE, values)
    ]
