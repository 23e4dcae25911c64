"""A real Citus cluster for tests: databases on it, and plain ones beside them, told by the command line.

VIGILO_TEST_CITUS_URL is a superuser's address of a coordinator whose nodes trust this machine; databases
are made there on every node, and taken away again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text

from settings import Settings, load
from storage.database import Database
from storage.identity import tickets
from storage.viewer import Viewer
from tests.served import ROOT
from tests.storage.clusters import administrators_script

CLUSTER = os.environ.get("VIGILO_TEST_CITUS_URL", "")
NEEDS_CLUSTER = pytest.mark.skipif(
    not CLUSTER, reason="no cluster: VIGILO_TEST_CITUS_URL, a superuser's address of a coordinator"
)
ROLES = ("vigilo_owner", "vigilo_web", "vigilo_job")


@dataclass(frozen=True)
class ToldDatabase:
    """A database and the folder of its program."""

    url: URL
    folder: Path
    distributed: bool

    @property
    def settings(self) -> Settings:
        """Settings of a program in this process."""
        url = self.url.set(drivername="postgresql", password=None)
        owner, web, job = (str(url.set(username=role)) for role in ROLES)
        return load(
            owner_database_url=owner,
            database_url=web,
            job_database_url=job,
            data_dir=self.folder,
            secret_key="x" * 32,
            today=date(2026, 11, 23),
            distributed="citus" if self.distributed else None,
        )

    def typed(self, words: str) -> str:
        """Output of a command, which must do what it says."""
        url = self.url.set(drivername="postgresql", password=None)
        owner, web, job = (str(url.set(username=role)) for role in ROLES)
        own = {
            "VIGILO_OWNER_DATABASE_URL": owner,
            "VIGILO_DATABASE_URL": web,
            "VIGILO_JOB_DATABASE_URL": job,
            "VIGILO_DATA_DIR": str(self.folder),
            "VIGILO_SECRET_KEY": "x" * 32,
            "VIGILO_TODAY": "2026-11-23",
        } | ({"VIGILO_DISTRIBUTED": "citus"} if self.distributed else {})
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *words.format(folder=self.folder).split()],
            cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}\n{done.stdout[-500:]}{done.stderr[-3000:]}"
        said = done.stdout.replace(str(self.folder), "")
        return re.sub(r"(?<=password )\S+", "...", said)

    def figures(self, period: int) -> Any:
        """Figures of everything, as an export tells them, but for when they were made."""
        out = self.folder / f"{period}.json"
        self.typed(
            f"export pdf --as alice@demo.example --period {period} --format json --out {out}"
        )
        return without_instants(json.loads(out.read_text(encoding="utf-8")))


def without_instants(value: Any) -> Any:
    """A document without when it was made."""
    if isinstance(value, dict):
        made = ("snapshot_at", "generated_at", "version", "export", "id")
        return {key: without_instants(of) for key, of in value.items() if key not in made}
    return [without_instants(of) for of in value] if isinstance(value, list) else value


def admin(url: URL) -> Engine:
    return create_engine(url.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")


def statements(url: URL, *every: str) -> list[Any]:
    """Runs statements as a superuser; rows of the last one."""
    engine = admin(url)
    try:
        with engine.connect() as connection:
            rows: list[Any] = []
            for one in every:
                result = connection.execute(text(one))
                rows = list(result) if result.returns_rows else []
            return rows
    finally:
        engine.dispose()


def given_once(database: str) -> list[str]:
    """Rights of deploy/roles.sql in a database of the test's own name."""
    return [
        f"revoke connect on database {database} from public",
        f"grant connect on database {database} to {', '.join(ROLES)}",
        "alter role vigilo_web set temp_file_limit = '2GB'",
        *(block for block in administrators_script() if block.startswith("do $$")),
    ]


def nodes() -> list[URL]:
    """Addresses of the coordinator and of the other nodes, of the database that the test makes."""
    coordinator = make_url(CLUSTER)
    rows = statements(coordinator, "select nodename, nodeport from pg_dist_node order by groupid")
    addresses = [coordinator.set(host=host, port=port) for host, port in rows]
    return [coordinator, *(a for a in addresses if a.port != coordinator.port)]


def viewer(database: Database, name: str) -> Viewer:
    """Somebody of the demo organisation."""
    email = f"{name}@demo.example"
    with database.job.begin() as connection:
        found = connection.execute(text("select id from app_user where email = :e"), {"e": email})
        key = found.scalar_one()
        return Viewer(key, email, proof=tickets.issue(connection, key))


def ids(cluster: ToldDatabase) -> list[int]:
    return [
        row[0]
        for row in statements(cluster.url, "select id from workspace where is_active order by 1")
    ]


def moved(cluster: ToldDatabase, slug: str, *before: str) -> None:
    """Moves the shard of a workspace to another node, and takes away what is left behind."""
    (where,) = statements(
        cluster.url,
        "select p.shardid, n.nodename, n.nodeport from pg_dist_placement p join pg_dist_node n"
        " using (groupid) where p.shardid = get_shard_id_for_distribution_column("
        f"'workspace_usage_snapshot', (select id from workspace where slug = '{slug}'))",
    )
    shard, host, port = where
    (other,) = statements(
        cluster.url,
        "select nodename, nodeport from pg_dist_node where shouldhaveshards"
        f" and (nodename, nodeport) <> ('{host}', {port}) limit 1",
    )
    statements(
        cluster.url,
        *before,
        f"select citus_move_shard_placement({shard}, '{host}', {port}, '{other[0]}', {other[1]},"
        " 'block_writes')",
        "call citus_cleanup_orphaned_resources()",
    )


@contextmanager
def distributed(name: str, folder: Path) -> Iterator[ToldDatabase]:
    """A database on every node, with its schema."""
    every = nodes()
    for node in every:
        known = {row[0] for row in statements(node, "select rolname from pg_roles")}
        for role in (*ROLES, "vigilo_definer"):
            if role not in known:
                create = "createrole" if role == "vigilo_owner" else ""
                statements(node, f"create role {role} login {create}")
        statements(node, f"drop database if exists {name} with (force)")
        statements(node, f"create database {name} owner vigilo_owner")
        statements(node.set(database=name), "create extension citus")
    coordinator = every[0]
    statements(coordinator, "grant vigilo_job, vigilo_definer to vigilo_owner")
    here = coordinator.set(database=name)
    statements(here, *given_once(name))
    statements(
        here,
        f"select citus_set_coordinator_host('{coordinator.host}', {coordinator.port})",
        *(f"select citus_add_node('{n.host}', {n.port})" for n in every[1:]),
    )
    yield _migrated(ToldDatabase(here, folder, True))
    for node in every:
        statements(node, f"drop database if exists {name} with (force)")


@contextmanager
def on_one_server(name: str, folder: Path) -> Iterator[ToldDatabase]:
    """A plain database on the coordinator, after ``distributed`` has made the roles."""
    coordinator = nodes()[0]
    statements(coordinator, f"drop database if exists {name} with (force)")
    statements(coordinator, f"create database {name} owner vigilo_owner")
    here = coordinator.set(database=name)
    statements(here, *given_once(name))
    yield _migrated(ToldDatabase(here, folder, False))
    statements(coordinator, f"drop database if exists {name} with (force)")


def _migrated(made: ToldDatabase) -> ToldDatabase:
    assert made.typed("db upgrade") == made.typed("db upgrade") == "The schema is up to date.\n"
    return made
