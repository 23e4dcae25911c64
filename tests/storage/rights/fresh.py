"""Writes rights.json and definitions.json of storage/migrations anew, from a database that was just made:
``make rights``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import Connection

from settings import load
from storage import embedded
from storage.database import connect
from storage.migrations import definitions, rights
from storage.roles import Roles


def text_of(connection: Connection, roles: Roles) -> str:
    """The file of rights as that database has it."""
    return rights.as_text(rights.read_rights(connection, rights.names(connection, roles)))


def defined(connection: Connection, roles: Roles) -> str:
    """The file of definitions as that database has it."""
    return definitions.as_text(definitions.complete(connection, rights.names(connection, roles)))


def write() -> None:
    """Makes a database, writes what it has, and throws it away."""
    with tempfile.TemporaryDirectory(prefix="vigilo-rights-") as folder:
        settings = load(data_dir=Path(folder))
        database = connect(settings)
        try:
            database.upgrade(settings)
            with database.web.connect() as connection:
                rights.FILE.write_text(text_of(connection, database.roles), encoding="utf-8")
                told = defined(connection, database.roles)
                definitions.FILE.write_text(told, encoding="utf-8")
        finally:
            database.close()
            embedded.stop(settings.data_dir)


if __name__ == "__main__":
    write()
