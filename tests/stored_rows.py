"""Rows of a test database, copied out once and back whenever a test wants them again."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import text

from storage.database import Database
from tests.conftest import EMPTIED, superuser

Built = TypeVar("Built")
SEQUENCES = text(
    "select format('%I.%I', schemaname, sequencename), last_value from pg_sequences"
    " where last_value is not null"
)


@dataclass(frozen=True)
class StoredRows:
    """All rows of a database in PostgreSQL's own copy format, and where its sequences stand."""

    tables: dict[str, bytes]
    sequences: dict[str, int]

    @classmethod
    def of(cls, database: Database) -> StoredRows:
        """Copies the rows out."""
        tables = {}
        with superuser(database).begin() as connection:
            cursor = connection.connection.cursor()
            for table in EMPTIED:
                rows = io.BytesIO()
                cursor.copy_expert(f"copy {table} to stdout", rows)
                if rows.getvalue():
                    tables[table] = rows.getvalue()
            standing = connection.execute(SEQUENCES).all()
        return cls(tables, dict(standing))

    def put_back(self, database: Database) -> None:
        """Copies the rows into an empty database, past triggers and foreign keys that they once met."""
        with superuser(database).begin() as connection:
            connection.execute(text("set local session_replication_role = replica"))
            cursor = connection.connection.cursor()
            for table, rows in self.tables.items():
                cursor.copy_expert(f"copy {table} from stdin", io.BytesIO(rows))
            for name, value in self.sequences.items():
                connection.execute(
                    text("select setval(cast(:name as regclass), :value)"),
                    {"name": name, "value": value},
                )


BUILT: dict[tuple[str, str], tuple[Any, StoredRows]] = {}
"""Outcomes of building in an empty database, by server and name, and the rows that it left there."""


def built_once(database: Database, name: str, build: Callable[[], Built]) -> Built:
    """Builds something in an empty database; a second time its rows are copied back, and what ``build``
    gave is given again."""
    key = database.job.url.render_as_string(hide_password=False), name
    if key not in BUILT:
        built = build()
        BUILT[key] = built, StoredRows.of(database)
        return built
    built, rows = BUILT[key]
    rows.put_back(database)
    return built
