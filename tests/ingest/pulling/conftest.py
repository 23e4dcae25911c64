"""Fixtures of the tests of sources: a small organisation, and sources made in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from ingest.pulling import runs, store
from ingest.pulling.catalogue import kind_of
from ingest.pulling.client import Client
from ingest.pulling.runner import SourceContext, run_next
from ingest.pulling.runs import StoredRun
from ingest.pulling.store import NewSource, StoredSource
from storage.context import job_in
from storage.viewer import Viewer
from tests.world import World


@pytest.fixture(scope="module", autouse=True)
def _no_authorities_of_the_machine() -> Iterator[None]:
    """No sender here shows a certificate of the machine's authorities: to read those costs 20 ms a sync."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", os.devnull)
        yield


@dataclass
class Installed:
    """Two workspaces, and somebody who is platform admin of the first."""

    context: SourceContext
    world: World
    admin: Viewer
    waits: list[float]

    def make(self, kind: str, secret: str = "", home: str | None = "alpha", **config: str) -> int:
        """A source of that kind, of a workspace or, with None, of the organisation; where nothing else is
        said, its deployments are the sender's."""
        config = {"counts": "deployments"} | config if kind_of(kind).choices else config
        home_id = getattr(self.world, home) if home else None
        new = NewSource(kind, kind.title(), config, secret, home_id, 15, 90)
        by = (self.admin.user_id, self.admin.email)
        return store.create(self.context.database.job, self.context.box, new, by)

    def sync(self, id: int) -> StoredRun:
        """Runs the source now; the run's log."""
        store.ask(self.context.database.job, id, self.admin.email)
        assert run_next(self.context, id)
        return self.last_run(id)

    def last_run(self, id: int) -> StoredRun:
        with self.context.database.job.connect() as connection:
            return runs.newest(connection, id, 1)[0]

    def source(self, id: int) -> StoredSource:
        return store.find_source(self.context.database.job, id)

    def parts(self, id: int) -> dict[str, str]:
        """States of the parts of a source, by name."""
        with self.context.database.job.connect() as connection:
            return {c["name"]: c["state"] for c in store.every_scope(connection, id)}

    def rows(self, table: str, columns: str, slug: str = "alpha") -> list[tuple[Any, ...]]:
        """Rows of a table of one workspace, in order."""
        with job_in(self.context.database.job, getattr(self.world, slug)) as connection:
            query = text(f"select {columns} from {table} order by {columns}")
            return [tuple(row) for row in connection.execute(query)]

    def due(self, slug: str = "alpha") -> date | None:
        with job_in(self.context.database.job, getattr(self.world, slug)) as connection:
            return connection.execute(text("select first_day from snapshot_due")).scalar()


@pytest.fixture
def installed(database, settings, monkeypatch) -> Installed:
    """Sources may ask this machine; waits of the client are told instead of waited."""
    world = World(database, settings)
    world.alpha, world.beta = world.workspace("alpha"), world.workspace("beta")
    admin = world.person("alice@x.example")
    world.member(admin, world.alpha, "platform_admin")
    allowing = settings.model_copy(update={"source_allow": ("127.0.0.0/8",), "today": None})
    waits: list[float] = []
    monkeypatch.setattr(Client.__init__, "__defaults__", _without_waiting(waits))
    return Installed(SourceContext(database, allowing), world, admin, waits)


def _without_waiting(waits: list[float]) -> tuple[Any, ...]:
    return tuple(
        waits.append if default is time.sleep else default
        for default in Client.__init__.__defaults__
    )
