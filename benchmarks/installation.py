"""The installation that is measured: a demo organisation in a PostgreSQL of its own, and people."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

import demo
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import Ask, Period
from auth.accounts import on_behalf
from auth.passwords import hash_password
from reading import packed_presets
from reading.dashboard import read
from reading.signals import night
from settings import Settings, load
from storage import embedded
from storage.database import Database, connect
from storage.identity import tickets
from storage.snapshot.tables import SNAPSHOT_TABLES, STAGED_TABLES, TENANT_TABLES
from storage.tables import membership
from storage.viewer import Viewer
from web.server.startup import settle

TODAY = date(2026, 11, 23)
PASSWORD = "benchmark-only"
A_DAY = timedelta(days=1)
EVERYONE = "alice@demo.example"
PERSON = "person{:03d}@bench.example"


@dataclass(frozen=True)
class Bench:
    """An installation to measure. ``everyone`` sees all workspaces, ``some`` a fifth of them, ``few``
    twelve; ``owner`` is an engine that row-level security does not bind."""

    database: Database
    settings: Settings
    owner: Engine
    everyone: Viewer
    some: Viewer
    few: Viewer
    workspaces: int
    days: int
    loaded_seconds: float

    def period(self, days: int) -> Period:
        """The last days, as ``read`` takes them."""
        return Ask(days).on(TODAY - timedelta(days=1), TODAY)

    def records(self) -> int:
        """How many records are loaded."""
        others = (membership, *SNAPSHOT_TABLES, *STAGED_TABLES)
        tables = [t.name for t in TENANT_TABLES if t not in others]
        counted = " + ".join(f"(select count(*) from {name})" for name in tables)
        with self.owner.connect() as connection:
            return int(connection.execute(text(f"select {counted}")).scalar_one())

    def server(self) -> str:
        """The major version of PostgreSQL."""
        with self.owner.connect() as connection:
            version = connection.execute(text("show server_version")).scalar_one()
        return f"PostgreSQL {str(version).split('.')[0]}"

    def read(self, days: int, viewer: Viewer | None = None) -> Dashboard:
        """A cold read."""
        return read(self.database, viewer or self.everyone, Ask(days), self.settings)

    def person(self, email: str, workspaces: int, skipped: int = 0) -> Viewer:
        """A platform admin of so many workspaces, in the order of their ids, after those skipped; who
        can sign in with PASSWORD. Found again when the data directory is used again."""
        with self.database.job.begin() as connection:
            row = connection.execute(
                text(
                    "insert into app_user (email, password_hash) values (:e, :p)"
                    " on conflict (email) do update set email = excluded.email returning id"
                ),
                {"e": email, "p": _hash()},
            )
            id = int(row.scalar_one())
            viewer = Viewer(id, email, proof=tickets.issue(connection, id, A_DAY))
        with self.owner.begin() as connection:
            connection.execute(
                text(
                    "insert into membership (workspace_id, user_id, role)"
                    " select id, :u, 'platform_admin' from workspace where is_active"
                    " order by id offset :skipped limit :n on conflict do nothing"
                ),
                {"u": viewer.user_id, "skipped": skipped, "n": workspaces},
            )
        return viewer


_hashes: dict[str, str] = {}


def _hash() -> str:
    """Password hash shared by everybody: argon2 is slow by intent."""
    return _hashes.setdefault(PASSWORD, hash_password(PASSWORD))


@contextmanager
def installation(workspaces: int, days: int, data_dir: Path | None) -> Iterator[Bench]:
    """A loaded installation; in ``data_dir`` it is kept and used again, else it is thrown away."""
    folder = data_dir or Path(tempfile.mkdtemp(prefix="vigilo-bench-"))
    settings = load(data_dir=folder, demo_password=PASSWORD, today=TODAY)
    database = connect(settings)
    settle()
    try:
        database.upgrade(settings)
        start = time.perf_counter()
        if demo.is_empty(database):
            demo.load(database, settings, workspaces=workspaces, days=days)
            packed_presets.pack(database, settings)
            night.run(database, TODAY - A_DAY)
        yield _bench(database, settings, workspaces, days, time.perf_counter() - start)
    finally:
        database.close()
        embedded.stop(folder)
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def _bench(
    database: Database, settings: Settings, workspaces: int, days: int, seconds: float
) -> Bench:
    superuser = create_engine(embedded.start(settings.data_dir).set(database=embedded.DATABASE))
    alice = on_behalf(database.job, EVERYONE, A_DAY)
    assert alice is not None
    made = Bench(database, settings, superuser, alice, alice, alice, workspaces, days, seconds)
    with superuser.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
    some, few = (
        made.person("some@bench.example", workspaces // 5),
        made.person("few@bench.example", 12),
    )
    return Bench(database, settings, superuser, alice, some, few, workspaces, days, seconds)
