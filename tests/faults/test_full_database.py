"""Disk of the database, full, that of its log too: what is served is whole, and all goes on with room."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from storage import embedded
from storage.database import connect
from tests.deep import DEEP, bound
from tests.faults.conftest import served
from tests.faults.stack import Stack, note
from tests.faults.test_harm import typed
from tests.served import signed_in
from tests.storage.clusters import cluster
from tests.webworld import make

pytestmark = pytest.mark.skipif(
    not DEEP or os.geteuid() != 0, reason="deep, and mounts a file system of its own, as root"
)
MOST_MB = 400
COUNT = "select count(*) from audit_event"


@pytest.fixture
def small(server, settings, tmp_path, monkeypatch) -> Iterator[tuple[Stack, Path]]:
    """An installation whose database lies on a file system of its own, and the folder of that."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-disk-"))
    words = ["mount", "-t", "tmpfs", "-o", f"size={MOST_MB}m,mode=755", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    user = (settings.data_dir / "postgres").owner()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    try:
        with cluster(embedded.programs(), user, {"fsync": "on", "max_wal_size": "64MB"}) as made:
            monkeypatch.setattr(tempfile, "tempdir", None)
            own = made.settings(tmp_path, settings)
            database = connect(own)
            database.upgrade(own)
            make(database, own)
            database.close()
            web = served(made, settings, tmp_path)
            web.start()
            stack = Stack(made, web, signed_in(web))
            stack.figures = stack.ask().json()["domains"]
            yield stack, folder
            web.kill()
    finally:
        monkeypatch.setattr(tempfile, "tempdir", None)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def write_on(engine: Engine) -> None:
    """Fills the tables and the log for as long as they take it."""
    with engine.connect() as connection:
        for _ in range(40):
            connection.execute(text("select pg_switch_wal()"))
            connection.execute(text("create table if not exists filled as select 1 as n"))
            connection.execute(text("insert into filled select generate_series(1, 100000)"))


def test_a_full_disk_of_the_database_loses_nothing(small):
    stack, folder = small
    assert stack.is_well()
    engine = create_engine(stack.cluster.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        kept = connection.execute(text(COUNT)).scalar_one()
    filler = folder / "filler"
    with filler.open("wb") as file:
        file.write(bytes(shutil.disk_usage(folder).free - 2_000_000))
    with pytest.raises(DBAPIError):
        write_on(engine)
    statuses = {stack.ask().status_code for _ in range(3)}
    assert statuses <= {200, 503}
    told = typed(stack, "doctor", "--no-address")
    assert "database" in told
    begun = time.monotonic()
    filler.unlink()
    data = stack.cluster.folder
    if not (data / "postmaster.pid").exists():  # without room for its log the server ends itself
        stack.cluster.run("pg_ctl", "-w", "start", f"--pgdata={data}", f"--log={data.parent}/log")
    stack.recovers()
    seconds = time.monotonic() - begun
    engine.dispose()
    with engine.connect() as connection:
        connection.execute(text("drop table if exists filled"))
        assert connection.execute(text(COUNT)).scalar_one() >= kept
    engine.dispose()
    assert seconds < bound(30)
    seen = "503" if 503 in statuses else "figures as before; changes fail"
    note("Database's disk full, its log's too", seen, seconds)
