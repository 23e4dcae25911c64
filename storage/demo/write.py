"""Writes the demo's rows as the job role, in one workspace's context at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg2.extras import execute_values
from sqlalchemy import Engine, insert

from storage.context import job_in
from storage.demo.generate import Row, Rows
from storage.demo.stories import Team
from storage.models import workspace


def workspaces(engine: Engine, teams: Sequence[Team]) -> dict[str, int]:
    """Creates the workspaces; their ids by slug."""
    columns = ("slug", "name", "region", "is_active", "accent")
    with engine.begin() as connection:
        made = connection.execute(
            insert(workspace).returning(workspace.c.slug, workspace.c.id),
            [{column: getattr(team, column) for column in columns} for team in teams],
        )
        return dict(tuple(row) for row in made)


def records(engine: Engine, workspace_id: int, rows: Rows) -> None:
    """All of one workspace's records, in one transaction."""
    with job_in(engine, workspace_id) as connection:
        raw: Any = connection.connection.dbapi_connection
        with raw.cursor() as cursor:
            for table, listed in rows.items():
                if listed:
                    _insert(cursor, table, workspace_id, listed)


def _insert(cursor: Any, table: str, workspace_id: int, rows: list[Row]) -> None:
    """Many rows a statement; COPY is refused under row-level security."""
    columns = list(rows[0])
    listed = ", ".join(["workspace_id", *columns])
    values = [(workspace_id, *(row[column] for column in columns)) for row in rows]
    execute_values(cursor, f"insert into {table} ({listed}) values %s", values, page_size=1000)
