"""Snapshots made again after records have changed: the days are marked with the change
(``ingest.due.marks``), and made as soon as somebody comes to it, or by night; the mark stays until they
are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from aggregators.records.kinds import RecordKind
from ingest import records
from settings import Settings
from storage.context import job_in
from storage.database import Database
from storage.snapshot import job
from storage.snapshot.due import marked_workspaces, remove_mark
from storage.tables import workspace

log = logging.getLogger("vigilo.snapshots")
EVER = datetime(1, 1, 2, tzinfo=UTC)
"""First instant of a record that has none: it may count on every day."""


def first_instant(
    connection: Connection, kind: RecordKind, workspace_id: int, identities: Sequence[str]
) -> datetime | None:
    """When the first of these records began to count; None where there is none of them."""
    names = kind.happened or tuple(n for n in kind.key if n in kind.types)
    rows = _stored_records(connection, kind, workspace_id, identities)
    instants = [_instant(row[name]) for row in rows for name in names if row.get(name) is not None]
    return min(instants, default=EVER) if rows else None


def _stored_records(
    connection: Connection, kind: RecordKind, workspace_id: int, identities: Sequence[str]
) -> list[records.Record]:
    """Records of the identities, those that an identity is split into among them."""
    if kind.fold.split is None:
        return records.stored_records(connection, kind, workspace_id, identities)
    table = kind.table
    query = select(table).where(
        table.c.workspace_id == workspace_id, table.c.identity.in_(list(identities))
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    return (
        datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, date)
        else EVER
    )


KNOWN_DAYS = text("""
select d.first_day, d.marked_at, d.at_once, d.reach, w.slug,
       coalesce(d.quiet_until > clock_timestamp(), false) as waits,
       (select min(snapshot_date) from workspace_usage_snapshot where workspace_id = :w) as oldest,
       (select max(snapshot_date) from workspace_usage_snapshot where workspace_id = :w) as newest
from snapshot_due d join workspace w on w.id = d.workspace_id where d.workspace_id = :w
""")


def remake(
    database: Database,
    settings: Settings,
    *,
    at_once: bool = False,
    progress: job.Progress | None = None,
) -> int:
    """Makes what is due, up to each workspace's last snapshot day, or of it what is due ``at_once``, as
    changes by hand are; tells ``progress`` of each workspace; returns in how many."""
    return sum(
        _remake_workspace(database, settings, key, at_once, progress)
        for key in workspaces_due(database, at_once=False)
    )


def workspaces_due(database: Database, *, at_once: bool) -> list[int]:
    """Ids of the workspaces with days to make again; of those that are due ``at_once`` alone."""
    with database.job.connect() as connection:
        keys = marked_workspaces(connection)
    return [key for key in keys if not at_once or _is_due_at_once(database, key)]


def _is_due_at_once(database: Database, workspace_id: int) -> bool:
    with job_in(database.job, workspace_id) as connection:
        row = connection.execute(KNOWN_DAYS, {"w": workspace_id}).first()
    return row is not None and row.at_once and not row.waits


def _remake_workspace(
    database: Database,
    settings: Settings,
    workspace_id: int,
    at_once: bool,
    progress: job.Progress | None,
) -> bool:
    """Makes a workspace's marked days again; False where another process did, it can wait, or it failed."""
    with job_in(database.job, workspace_id) as connection:
        row = connection.execute(KNOWN_DAYS, {"w": workspace_id}).first()
    # Another process was quicker; or it can wait; or more is being read.
    if row is None or (at_once and not row.at_once) or row.waits:
        return False
    span = _due_span(row, settings.now().date() - timedelta(days=1))
    if span is not None:
        first, last = span
        if first <= last:
            outcome = job.backfill(database, first, last, settings, row.slug, progress)
            for slug, reason in outcome.failed.items():
                log.error("snapshots of %s could not be made again: %s", slug, reason)
            if outcome.failed:
                return False
    with job_in(database.job, workspace_id) as connection:
        remove_mark(connection, workspace_id, row.marked_at)
    return True


def _due_span(row: Any, yesterday: date) -> tuple[date, date] | None:
    """The first and the last day to make; None where there is no snapshot yet and none is wanted."""
    if row.reach:
        newest = row.newest if row.newest is not None else yesterday
        return row.first_day, min(newest, yesterday)
    if row.oldest is None:
        return None
    return max(row.first_day, row.oldest), min(row.newest, yesterday)


def slugs(database: Database) -> dict[str, int]:
    """Ids of the active workspaces by slug."""
    query = select(workspace.c.slug, workspace.c.id).where(workspace.c.is_active)
    with database.job.connect() as connection:
        return {row.slug: row.id for row in connection.execute(query.order_by(workspace.c.slug))}
