"""Through pgbouncer in transaction mode, where consecutive transactions share connections."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from storage import snapshots
from storage.context import Context, current, in_workspace, job_in
from tests.conftest import TODAY
from tests.world import World, at

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@pytest.fixture
def bouncer(server, settings) -> Iterator[int]:
    """The port of a pgbouncer with two server connections a role."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    folder = Path(tempfile.mkdtemp(prefix="vigilo-bouncer-"))
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = server.web.url
    (folder / "users.txt").write_text('"vigilo_web" ""\n"vigilo_job" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nvigilo = host={url.query['host']} port={url.query['port']}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\n"
        f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = 2\n"
        "ignore_startup_parameters = extra_float_digits,options\nunix_socket_dir =\n"
    )
    owner = (settings.data_dir / "postgres").owner()
    user = ["-u", owner] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [PGBOUNCER, *user, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


@pytest.fixture
def pooled(bouncer) -> Iterator[Engine]:
    """The web role's engine through pgbouncer."""
    engine = create_engine(f"postgresql+psycopg2://vigilo_web@127.0.0.1:{bouncer}/vigilo")
    yield engine
    engine.dispose()


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("pgbouncer did not start")


def test_no_context_survives_a_transaction_on_a_shared_connection(database, settings, pooled):
    world = World(database, settings)
    alice = world.person("alice@x.example")
    spaces = [world.workspace(f"ws-{i}") for i in range(3)]
    for space in spaces:
        world.member(alice, space, "viewer")
        world.add(space, "incident", [{"key": "i", "opened_at": at(TODAY - timedelta(days=1))}])

    def visit(n: int) -> tuple[int, set[int]]:
        space = spaces[n % 3]
        with in_workspace(pooled, alice, space) as connection:
            seen = set(connection.execute(text("select workspace_id from incident")).scalars())
        with pooled.connect() as connection:
            assert current(connection) == Context()
            assert connection.execute(text("select count(*) from incident")).scalar_one() == 0
        return space, seen

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(visit, range(60)))
    assert all(seen == {space} for space, seen in found)


def test_snapshots_find_their_statements_on_whatever_connection_they_get(
    database, settings, bouncer
):
    """Prepared ones stay on the server's connection; the next transaction may have another."""
    world = World(database, settings)
    for n in range(6):
        made = world.workspace(f"ws-{n}")
        opened = at(TODAY - timedelta(days=1))
        world.add(made, "incident", [{"key": f"i{i}", "opened_at": opened} for i in range(n)])
    engine = create_engine(f"postgresql+psycopg2://vigilo_job@127.0.0.1:{bouncer}/vigilo")
    try:
        behind = dataclasses.replace(database, job=engine)
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda _: snapshots.run(behind, None, settings), range(4)))
    finally:
        engine.dispose()
    assert [(o.done, o.failed) for o in done] == [(6, {})] * 4
    for n in range(6):
        with job_in(database.job, n + 1) as connection:
            query = "select incidents_opened_total from workspace_usage_snapshot"
            assert connection.execute(text(query)).scalars().all() == [n]
