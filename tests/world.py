"""Puts raw records into a test database, the way a person would describe them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from auth.viewer import Viewer
from settings import Settings
from storage import context, snapshots
from storage.database import Database
from storage.models import app_user, metadata, workspace


def at(day: date, hours: float = 12.0) -> datetime:
    """An instant of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


@dataclass
class World:
    """A test installation: workspaces, people and records."""

    database: Database
    settings: Settings

    def workspace(self, slug: str, **columns: Any) -> int:
        """A new workspace; returns its id."""
        values = {"slug": slug, "name": slug.replace("-", " ").title(), **columns}
        with self.database.job.begin() as connection:
            made = connection.execute(insert(workspace).values(values).returning(workspace.c.id))
            return int(made.scalar_one())

    def person(self, email: str, **columns: Any) -> Viewer:
        """A new person without any membership."""
        with self.database.job.begin() as connection:
            made = connection.execute(
                insert(app_user).values(email=email, **columns).returning(app_user.c.id)
            )
            return Viewer(int(made.scalar_one()), email)

    def member(self, viewer: Viewer, workspace_id: int, role: str, **columns: Any) -> None:
        """Gives a role."""
        self.add(workspace_id, "membership", [{"user_id": viewer.user_id, "role": role, **columns}])

    def revoke(self, viewer: Viewer, workspace_id: int) -> None:
        """Takes the membership away."""
        with context.job_in(self.database.job, workspace_id) as connection:
            connection.execute(
                text("update membership set revoked_at = now() where user_id = :u"),
                {"u": viewer.user_id},
            )

    def add(self, workspace_id: int, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Records of one workspace."""
        rows = [{"workspace_id": workspace_id, **row} for row in rows]
        if rows:
            with context.job_in(self.database.job, workspace_id) as connection:
                connection.execute(insert(metadata.tables[table]), rows)

    def sql(self, statement: str) -> None:
        """A statement of the job role, without a workspace."""
        with self.database.job.begin() as connection:
            connection.execute(text(statement))

    def owner_sql(self, statement: str) -> None:
        """A statement of the owner."""
        with self.database.owner.begin() as connection:
            connection.execute(text(statement))

    def backfill(self, first: date, last: date, slug: str | None = None) -> snapshots.Outcome:
        """Snapshots; fails the test when a workspace failed."""
        outcome = snapshots.backfill(self.database, first, last, self.settings, slug)
        assert outcome.failed == {}
        return outcome
