"""``db``: a migration that fails says what it missed, and leaves the schema as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import URL, create_engine, text

from storage import schema
from tests.served import ROOT


@pytest.fixture
def behind(server) -> Iterator[URL]:
    """A database before its last migrations, without a table that they write to."""
    url = server.owner.url.set(username="postgres", database="postgres")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("create database behind owner vigilo_owner"))
    owner = create_engine(server.owner.url.set(database="behind"))
    with owner.begin() as connection:
        schema.migrate(connection, server.roles, target="0029")
        connection.execute(text("drop table snapshot_due cascade"))
    yield owner.url
    owner.dispose()
    with admin.connect() as connection:
        connection.execute(text("drop database behind with (force)"))
    admin.dispose()


def test_a_migration_that_fails_says_what_it_missed(server, behind, settings):
    plain = {"drivername": "postgresql"}
    addresses = {
        "VIGILO_DATABASE_URL": behind.set(username=server.web.url.username, **plain),
        "VIGILO_OWNER_DATABASE_URL": behind.set(**plain),
        "VIGILO_DATA_DIR": settings.data_dir,
    }
    told = {name: getattr(v, "render_as_string", v.__str__)() for name, v in addresses.items()}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"],
        cwd=ROOT, env=os.environ | told, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "could not be brought up to date, and is as it was" in done.stderr
    assert '"snapshot_due" does not exist' in done.stderr
    assert "Traceback" not in done.stderr
