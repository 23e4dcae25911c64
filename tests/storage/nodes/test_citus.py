"""A real Citus cluster beside plain PostgreSQL: every command does the same, every figure is equal, and no
node shows a row to anybody without a context.

VIGILO_TEST_CITUS_URL is a superuser's address of a coordinator whose nodes trust this machine; two
databases are made there, one of them on every node, and taken away again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text

from tests.served import ROOT
from tests.storage.clusters import administrators_script

CLUSTER = os.environ.get("VIGILO_TEST_CITUS_URL", "")
ROLES = ("vigilo_owner", "vigilo_web", "vigilo_job")
FILES = {
    "deployments": "key,completed_at,outcome\n"
    "d1,2026-11-21T10:00:00Z,successful\nd2,2026-11-21T11:00:00Z,failed\n",
    "changes": "deployment,key,committed_at\nd1,c1,2026-11-20T10:00:00Z\n",
    "incidents": "key,opened_at,resolved_at,severity\ni1,2026-11-21T12:00:00Z,2026-11-21T13:00:00Z,p1\n",
    "slos": "key,target_percent\ncheckout-2,99.9\n",
    "slo-days": "key,day,good,total\ncheckout-2,2026-11-21,999,1000\n",
    "control-results": "framework,control,result,assessed_at\nSOC2,CC9.9,compliant,2026-11-21T10:00:00Z\n",
    "vendors": "key,name,tier\nv9,Vendor,1\n",
    "vendor-reviews": "vendor,completed_on\nv9,2026-11-21\n",
}
COMMANDS = (
    "demo load --workspaces 4 --days 60",
    "member grant dave@demo.example payments engineer",
    "member revoke dave@demo.example payments",
    *(f"records import {kind} {{folder}}/{kind}.csv --workspace payments" for kind in FILES),
    "records import deployments {folder}/deployments.csv --workspace payments",
    "records withdraw incidents i1 --workspace payments",
    "mapping set environment kiosk production --workspace payments",
    "framework seed payments SOC2",
    "snapshot run",
    "user list",
    "audit verify",
)
pytestmark = pytest.mark.skipif(
    not CLUSTER, reason="no cluster: VIGILO_TEST_CITUS_URL, a superuser's address of a coordinator"
)


@dataclass(frozen=True)
class ToldDatabase:
    """A database and the folder of its program."""

    url: URL
    folder: Path
    distributed: bool

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


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[tuple[ToldDatabase, ToldDatabase]]:
    """Citus and plain PostgreSQL, each told the same."""
    every, name, plain = nodes(), "vigilo_nodes", "vigilo_plain"
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
    statements(coordinator, f"drop database if exists {plain} with (force)")
    statements(coordinator, f"create database {plain} owner vigilo_owner")
    for made_there in (name, plain):
        statements(coordinator.set(database=made_there), *given_once(made_there))
    add = [f"select citus_add_node('{n.host}', {n.port})" for n in every[1:]]
    first = f"select citus_set_coordinator_host('{coordinator.host}', {coordinator.port})"
    statements(coordinator.set(database=name), first, *add)
    made = []
    for database, distributed in ((name, True), (plain, False)):
        one = ToldDatabase(
            coordinator.set(database=database), tmp_path_factory.mktemp(database), distributed
        )
        for kind, content in FILES.items():
            (one.folder / f"{kind}.csv").write_text(content, encoding="utf-8")
        assert one.typed("db upgrade") == one.typed("db upgrade") == "The schema is up to date.\n"
        made.append(one)
    yield made[0], made[1]
    for node in every:
        statements(node, f"drop database if exists {name} with (force)")
    statements(coordinator, f"drop database if exists {plain} with (force)")


@pytest.fixture(scope="module")
def told(both) -> dict[str, tuple[str, str]]:
    """Output of each command on Citus and on plain PostgreSQL."""
    return {words: (both[0].typed(words), both[1].typed(words)) for words in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_does_the_same(told, words):
    on_citus, plain = told[words]
    assert on_citus == plain


@pytest.mark.parametrize("period", [7, 28])
def test_every_figure_is_equal(both, told, period):
    assert both[0].figures(period) == both[1].figures(period)


def test_the_doctor_finds_nothing(both, told):
    assert "All is well." in both[0].typed("doctor")


def test_no_node_shows_a_row_without_a_context(both, told):
    """Every shard of every tenant table, looked at directly on its node, by name."""
    url, looked_at = both[0].url, 0
    shards = statements(
        url,
        "select s.logicalrelid::text, shard_name(s.logicalrelid, s.shardid), n.nodename, n.nodeport,"
        " s.shardid from pg_dist_shard s join pg_dist_placement p using (shardid)"
        " join pg_dist_node n using (groupid)"
        " where exists (select from pg_attribute a where a.attrelid = s.logicalrelid"
        " and a.attname = 'workspace_id')",
    )
    for role in ("vigilo_web", "vigilo_job"):
        engines = {
            (host, port): create_engine(
                url.set(drivername="postgresql+psycopg2", host=host, port=port, username=role)
            )
            for _, _, host, port, _ in shards
        }
        for table, shard, host, port, _ in shards:
            with engines[host, port].connect() as connection:
                if not connection.execute(
                    text("select has_table_privilege(cast(:name as text), 'select')"),
                    {"name": shard},
                ).scalar():
                    continue
                assert connection.execute(text(f"select count(*) from {shard}")).scalar() == 0, (
                    table
                )
                looked_at += 1
        for engine in engines.values():
            engine.dispose()
    assert looked_at > 100


def test_a_node_that_is_away_costs_its_own_workspaces_alone(both, told):
    """A node whose address is one where nobody listens, until it is written back."""
    citus, plain = both
    (node,) = statements(
        citus.url,
        "select nodeid, nodeport from pg_dist_node join pg_dist_placement using (groupid)"
        " where shardid = get_shard_id_for_distribution_column('workspace_usage_snapshot',"
        " (select id from workspace where slug = 'payments'))",
    )
    whole = plain.figures(90)
    try:
        statements(citus.url, f"update pg_dist_node set nodeport = 1 where nodeid = {node[0]}")
        part = citus.figures(90)
        with pytest.raises(AssertionError, match=r"node: .*:1 does not answer"):
            citus.typed("doctor")
    finally:
        statements(
            citus.url, f"update pg_dist_node set nodeport = {node[1]} where nodeid = {node[0]}"
        )
    assert whole["scope"]["unavailable"] == []
    assert "payments" in part["scope"]["unavailable"]
    assert citus.figures(90) == whole
