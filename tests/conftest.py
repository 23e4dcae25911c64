"""Fixtures: a real PostgreSQL per test process, emptied before each test that asks for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from settings import Settings
from settings import load as load_settings
from storage import embedded
from storage.database import Database, connect
from storage.models import metadata

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def acceptance_data() -> Path:
    """The folder of real inputs; skips where it is absent."""
    folder = Path(os.environ.get("VIGILO_ACCEPTANCE_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real inputs at {folder}: set VIGILO_ACCEPTANCE_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """The tests are their own installation, whatever the shell has set."""
    kept = {k: os.environ.pop(k) for k in list(os.environ) if k in _NOT_OURS}
    yield
    os.environ.update(kept)


_NOT_OURS = {
    name
    for name in os.environ
    if name in ("HOST", "PORT") or (name.startswith("VIGILO_") and name != "VIGILO_ACCEPTANCE_DATA")
}


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """An installation of its own, on a frozen day.

    Not below pytest's temporary folder: pytest closes that to other users at each start, and the
    embedded PostgreSQL runs as one when the tests run as root.
    """
    folder = Path(tempfile.mkdtemp(prefix="vigilo-test-"))
    yield load_settings(
        data_dir=folder,
        today=TODAY,
        org_name="Northwind Group",
        demo_password="a-demo-password",
        debug=True,
    )
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[Database]:
    """The embedded PostgreSQL with the current schema."""
    database = connect(settings)
    database.upgrade(settings)
    yield database
    database.close()
    embedded.stop(settings.data_dir)


@pytest.fixture
def database(server: Database) -> Database:
    """The same, without any row."""
    empty(server)
    return server


def empty(database: Database) -> None:
    """Removes every row but the installation's."""
    tables = ", ".join(t.name for t in metadata.sorted_tables if t.name != "installation")
    assert database.owner is not None
    with database.owner.begin() as connection:
        connection.execute(text(f"truncate {tables} restart identity cascade"))
        connection.execute(text("update installation set strict_residency = false"))
