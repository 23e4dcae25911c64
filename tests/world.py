"""Puts raw records into a test database, the way a person would describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from aggregators.dora.fold import mapped_environment
from ingest.kinds import KINDS
from ingest.records import settle
from ingest.words import default_meanings, normal_word
from settings import Settings
from storage import context
from storage.database import Database
from storage.identity import tickets
from storage.snapshot import job
from storage.tables import app_user, metadata, workspace
from storage.viewer import Viewer


def at(day: date, hours: float = 12.0) -> datetime:
    """An instant of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


def _nothing(_row: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _meant(row: Mapping[str, Any]) -> dict[str, Any]:
    name = row.get("environment", "production")
    return {"mapped_environment": mapped_environment(name, as_they_are)}


def as_they_are(about: str, word: str) -> str | None:
    """Words by the domains' own lists."""
    return default_meanings()[about](normal_word(word))


BLANK: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "deployment": lambda row: (
        {"production": row.get("environment", "production") == "production"} | _meant(row)
    ),
    "roll_back": lambda row: _meant(row),
    "incident": lambda row: {"identity": row["key"]},
}
"""Columns that the fold would fill in a record that is written as it is."""


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
        """A new person without any membership, with a ticket as their proof."""
        with self.database.job.begin() as connection:
            made = connection.execute(
                insert(app_user).values(email=email, **columns).returning(app_user.c.id)
            )
            id = int(made.scalar_one())
            return Viewer(id, email, proof=tickets.issue(connection, id, timedelta(days=1)))

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
        rows = [
            {"workspace_id": workspace_id, **BLANK.get(table, _nothing)(row), **row} for row in rows
        ]
        if rows:
            with context.job_in(self.database.job, workspace_id) as connection:
                connection.execute(insert(metadata.tables[table]), rows)
                kinds = [kind for kind in KINDS.values() if kind.table.name == table]
                for kind in kinds:
                    settle(connection, kind, workspace_id, [], removed=True)

    def sql(self, statement: str) -> None:
        """A statement of the job role, without a workspace."""
        with self.database.job.begin() as connection:
            connection.execute(text(statement))

    def owner_sql(self, statement: str) -> None:
        """A statement of the owner."""
        with self.database.owner.begin() as connection:
            connection.execute(text(statement))

    def backfill(self, first: date, last: date, slug: str | None = None) -> job.RunOutcome:
        """Snapshots; fails the test when a workspace failed."""
        outcome = job.backfill(self.database, first, last, self.settings, slug)
        assert outcome.failed == {}
        return outcome
