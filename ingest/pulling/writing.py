"""Writes what a source read: pieces become deliveries or imports, each with the cursor behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Connection, Engine, delete, insert, text

from ingest.door import deliveries
from ingest.door.deliveries import DeliveryOutcome
from ingest.due.marks import mark
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.pulling import runs
from ingest.pulling.choice import counted_records
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runs import RunCounts
from ingest.pulling.shape import Cursor, PulledPiece
from ingest.pulling.store import StoredSource
from ingest.pulling.vanished import LISTED, compare_lists, is_recent, withdraw
from storage.context import active_workspace, job_in
from storage.database import Database
from storage.statement_tables import deliveries as deliveries_table

QUIET_SECONDS = 20.0
"""Time without a further piece after which the snapshots are made that a source has touched."""
REFUSALS_TOLD = 3


class Memory:
    """Cursors and things of a source, read from PostgreSQL when they are wanted."""

    def __init__(self, engine: Engine, source: int) -> None:
        self._engine, self._source = engine, source

    def cursor(self, scope: str, stream: str) -> Cursor:
        """How far a stream was read; empty where it never was."""
        values = {"id": self._source, "scope": scope, "stream": stream}
        with self._engine.connect() as connection:
            return dict(connection.execute(CURSOR, values).scalar() or {})

    def items(self, scope: str, limit: int, begin: str = "") -> list[tuple[str, Any]]:
        """Things of a scope that are not done, those whose keys begin so, by key."""
        query = text(
            "select key, data from source_item where source_id = :id and scope = :scope"
            " and not done and starts_with(key, :begin) order by key limit :limit"
        )
        values = {"id": self._source, "scope": scope, "limit": limit, "begin": begin}
        with self._engine.connect() as connection:
            return [(row.key, row.data) for row in connection.execute(query, values)]

    def items_by_key(self, scope: str, keys: Sequence[str]) -> dict[str, Any]:
        """Things of a scope by their keys, done or not, as far as they are there."""
        if not keys:
            return {}
        query = text(
            "select key, data from source_item where source_id = :id and scope = :scope"
            " and key = any(:keys)"
        )
        values = {"id": self._source, "scope": scope, "keys": list(keys)}
        with self._engine.connect() as connection:
            return {row.key: row.data for row in connection.execute(query, values)}

    def keep(self, stream: str, cursor: Cursor) -> None:
        """Keeps how far a stream of the whole source was read; that of a draft is forgotten."""
        if self._source:
            values = {"stream": stream, "cursor": orjson.dumps(cursor).decode()}
            with self._engine.begin() as connection:
                connection.execute(KEEP_CURSOR, {"id": self._source, "scope": "", **values})


class Writer:
    """Writes the pieces of one run, in the workspaces that the source may feed."""

    def __init__(self, database: Database, source: StoredSource, run: int) -> None:
        self._database, self._source, self.run = database, source, run
        self._workspaces: dict[str, int] = {}
        self._compared: set[str] = set()
        self.counts = RunCounts()
        self.notes: list[str] = []

    def write(self, piece: PulledPiece) -> None:
        """Keeps a piece with its cursor. Raises RunLost, SourceProblem."""
        workspace_id = self._workspace(piece.scope.workspace)
        if piece.kind:
            self._import(piece, workspace_id)
        with job_in(self._database.job, workspace_id) as connection:
            runs.hold(connection, self._source)
            self._refuse_foreign(connection, workspace_id)
            if piece.content is not None:
                self._deliver(connection, workspace_id, piece)
            if piece.after is not None:
                piece.after(connection, workspace_id)
            if piece.listed and piece.scope.counts:
                counted_records.note(
                    connection, self._source, piece.scope, workspace_id, piece.listed
                )
            if piece.listed or piece.whole is not None:
                self._compare(connection, workspace_id, piece)
            self._remember(connection, piece)
            self.counts.progress = piece.progress or self.counts.progress
            runs.tell(connection, self.run, self.counts)

    def _workspace(self, slug: str) -> int:
        if slug not in self._workspaces:
            with self._database.job.connect() as connection:
                workspace_id = active_workspace(connection, slug)
            if workspace_id is None:
                raise SourceProblem("mapping_missing", f"There is no active workspace {slug}.")
            self._workspaces[slug] = int(workspace_id)
        return self._workspaces[slug]

    def _refuse_foreign(self, connection: Connection, workspace_id: int) -> None:
        """Asked again with every piece: a role may have gone since the mapping was made."""
        allowed = connection.execute(
            text("select vigilo.source_may_feed(:source, :workspace)"),
            {"source": self._source.id, "workspace": workspace_id},
        ).scalar_one()
        if not allowed:
            raise SourceProblem(
                "mapping_missing",
                "Whoever made the source has no right to feed one of its workspaces any more.",
            )

    def _deliver(self, connection: Connection, workspace_id: int, piece: PulledPiece) -> None:
        """Keeps the document as a delivery and reads it at once; one that tells nothing new leaves none."""
        row: dict[str, Any] = {
            "workspace_id": workspace_id,
            "id": uuid4(),
            "format": piece.form,
            "source": self._source.name,
            "content_type": "application/json",
            "content": piece.content,
            "received_at": datetime.now(UTC),
        }
        connection.execute(insert(deliveries_table).values(row))
        outcome = deliveries.read_delivery(connection, workspace_id, SimpleNamespace(**row))
        if not outcome.written and not outcome.quarantined:
            own = (
                deliveries_table.c.workspace_id == workspace_id,
                deliveries_table.c.id == row["id"],
            )
            connection.execute(delete(deliveries_table).where(*own))
        if outcome.written and piece.first is not None:
            mark(connection, workspace_id, piece.first, reach=True, quiet_seconds=QUIET_SECONDS)
        self._count(outcome)

    def _count(self, outcome: DeliveryOutcome) -> None:
        counts = self.counts
        counts.read += outcome.read
        counts.written += outcome.written
        counts.unchanged += outcome.unchanged
        counts.refused += outcome.quarantined
        if outcome.written:
            for reason, number in outcome.in_no_figure.items():
                counts.uncounted[reason] = counts.uncounted.get(reason, 0) + number

    def _compare(self, connection: Connection, workspace_id: int, piece: PulledPiece) -> None:
        """Withdraws the deployments that a whole list lacks, and remembers those that it has."""
        now, scope = datetime.now(UTC), piece.scope.external_id
        if piece.whole is None and scope in self._compared and not is_recent(piece.listed, now):
            return
        self._compared.add(scope)
        own = {"id": self._source.id, "scope": scope, "stream": LISTED}
        kept = connection.execute(CURSOR, own).scalar() or {}
        listed, gone = compare_lists(kept, piece.listed, piece.whole, now)
        connection.execute(KEEP_CURSOR, {**own, "cursor": orjson.dumps(listed).decode()})
        withdraw(connection, workspace_id, "deployments", self._source.kind, gone)
        counted_records.forget(connection, self._source.id, scope, workspace_id, gone)
        if gone and piece.whole is not None:
            mark(connection, workspace_id, piece.whole, reach=True, quiet_seconds=QUIET_SECONDS)
            name = piece.scope.name
            self.notes.append(f"{name}: {len(gone)} vanished at the sender and count no more.")

    def _import(self, piece: PulledPiece, workspace_id: int) -> None:
        """Imports a file, or rows as a file's; the days are marked before, so that none is forgotten."""
        if piece.first is not None:
            with job_in(self._database.job, workspace_id) as connection:
                mark(connection, workspace_id, piece.first, reach=True, quiet_seconds=QUIET_SECONDS)
        path = piece.path or Path(self._source.kind)
        slug = piece.scope.workspace
        (outcome,) = load(
            self._database, KINDS[piece.kind], [path], workspace=slug, form=piece.form
        )
        made = DeliveryOutcome()
        made.add(outcome)
        self._count(made)
        self.notes += [str(reject.without_folder) for reject in outcome.rejects[:REFUSALS_TOLD]]
        if outcome.problem:
            self.notes.append(f"{path.name}: {outcome.problem}")

    def _remember(self, connection: Connection, piece: PulledPiece) -> None:
        """Keeps the cursor, and the things for later requests."""
        own = {"id": self._source.id, "scope": piece.scope.external_id}
        cursor = {"stream": piece.stream, "cursor": orjson.dumps(piece.cursor).decode()}
        connection.execute(KEEP_CURSOR, own | cursor)
        if piece.items:
            items = orjson.dumps(dict(piece.items)).decode()
            connection.execute(KEEP_ITEMS, own | {"items": items})
        if piece.done:
            connection.execute(ITEMS_DONE, own | {"keys": list(piece.done)})


CURSOR = text(
    "select cursor from source_stream where source_id = :id and scope = :scope and stream = :stream"
)
KEEP_CURSOR = text("""
insert into source_stream (source_id, scope, stream, cursor)
values (:id, :scope, :stream, cast(:cursor as jsonb))
on conflict (source_id, scope, stream) do update set cursor = excluded.cursor, updated_at = now()
""")
KEEP_ITEMS = text("""
insert into source_item (source_id, scope, key, data)
select :id, :scope, key, value from jsonb_each(cast(:items as jsonb))
on conflict (source_id, scope, key) do update
set data = excluded.data, done = source_item.done and source_item.data = excluded.data
""")
ITEMS_DONE = text("""
update source_item set done = true where source_id = :id and scope = :scope and key = any(:keys)
""")
