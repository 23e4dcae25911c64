"""Removal of sample data, whole: the workspaces and everything in them."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select, text

from storage import audit
from storage.context import job_in
from storage.database import Database
from storage.snapshot.tables import TENANT_TABLES
from storage.tables import workspace

SOURCES = (
    "delete from source_rule where into_workspace = :w",
    "update source_scope set into_workspace = null, state = 'new' where into_workspace = :w",
    "delete from source where home_workspace = :w",
)
"""Sources that somebody has let feed a sample."""


def samples_of(database: Database) -> list[int]:
    """Ids of the workspaces of the sample data."""
    query = select(workspace.c.id).where(workspace.c.is_sample)
    with database.job.connect() as connection:
        return list(connection.execute(query).scalars())


def remove_sample(database: Database, by: str) -> int:
    """Removes the sample data; how many workspaces. The database deletes no other workspace."""
    ids = samples_of(database)
    for workspace_id in ids:
        with job_in(database.job, workspace_id) as connection:
            for statement in SOURCES:
                connection.execute(text(statement), {"w": workspace_id})
            for table in _tables(connection):
                connection.execute(table.delete().where(table.c.workspace_id == workspace_id))
            connection.execute(workspace.delete().where(workspace.c.id == workspace_id))
    if ids:
        with database.job.begin() as connection:
            audit.record(connection, by, "sample.remove", "", {"workspaces": len(ids)})
    return len(ids)


def _tables(connection: Connection) -> list[Table]:
    """Tables of tenants of which the job may delete, those that refer to others first."""
    tenants = list(reversed(TENANT_TABLES))
    may = text("select has_table_privilege(:table, 'delete')")
    return [t for t in tenants if connection.execute(may, {"table": t.name}).scalar()]
