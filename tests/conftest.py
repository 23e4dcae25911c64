"""Fixtures: a real PostgreSQL per test process, emptied before each test that asks for it."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import threading
from collections.abc import Generator, Iterator
from datetime import date
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from settings import Settings
from settings import load as load_settings
from storage import embedded
from storage.database import Database, connect
from storage.snapshot.tables import SNAPSHOT_TABLES as SNAPSHOT_TABLES
from storage.tables import metadata

TODAY = date(2026, 11, 23)
hypothesis.settings.register_profile("of these tests", deadline=None)
hypothesis.settings.load_profile("of these tests")  # a busy machine is no failure

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FEATURES = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
)
"""Features of Chromium that no test is about. The first two are the suggestions below its address field: a
page of the browser's own that each window drew, unseen, for 0.3 s of processor time. The others are those
that Playwright turns off: of two lists Chromium takes the last."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    f"--disable-features={','.join(FEATURES)}",
]

LONGEST_FIRST = (
    "site/",
    "faults/",
    "house/test_types",
    "test_a_seventh_domain",
    "ingest/bounded/test_hostile",
    "demo/",
    "storage/test_databases",
    "reading/",
    "acceptance/",
    "storage/",
    "exports/",
    "scheduling/",
    "web/",
    "api/",
    "auth/",
    "house/",
)
"""Folders and files that take longest: begun first, so that no process works alone at the end."""
TOGETHER = ("tests/site/", "tests/faults/")
"""Folders whose files share what is dear to start: a program with its demo organisation and a browser; a
database server and a program that are broken and recover."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Gives each process whole files; all files of a folder in ``TOGETHER`` to one."""
    return FilesTogether(config, log) if config.getvalue("dist") == "loadfile" else None


class FilesTogether(LoadFileScheduling):
    """By file, or by folder where the files share what is dear to start."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders files by how long they take; within a file nothing moves."""

    def rank(item: pytest.Item) -> int:
        file = item.path.relative_to(Path(__file__).parent).as_posix()
        ranks = (n for n, name in enumerate(LONGEST_FIRST) if file.startswith(name))
        return next(ranks, len(LONGEST_FIRST))

    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collects no garbage while the tests are read, and passes over what was read in every later round: it
    stays to the end, and looking through all of it took a quarter of the reading."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, one a test process: Playwright runs once in a thread."""
    assert CHROMIUM, "no Chromium found: make test installs one"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def acceptance_data() -> Path:
    """The folder of real inputs; skips where it is absent."""
    folder = Path(os.environ.get("VIGILO_ACCEPTANCE_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real inputs at {folder}: set VIGILO_ACCEPTANCE_DATA")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _no_clock_left() -> Iterator[None]:
    """Each file stops the clocks that it starts: a task would go on in the files that come after."""
    yield
    clocks = [thread.name for thread in threading.enumerate() if thread.name == "APScheduler"]
    assert not clocks, "a scheduler runs on after this file's tests"


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
        stale_seconds=0,
        demo_password="a-demo-password",
        debug=True,
    )
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[Database]:
    """The embedded PostgreSQL with the current schema."""
    database = connect(settings)
    _without_waiting_for_the_disk(database)
    database.upgrade(settings)
    yield database
    database.close()
    embedded.stop(settings.data_dir)


def _without_waiting_for_the_disk(database: Database) -> None:
    """Nothing of a test must survive a loss of power; a killed server loses nothing by this."""
    engine = create_engine(
        database.owner.url.set(username="postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
    )
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(text(f"alter system set {setting} = off"))
        connection.execute(text("select pg_reload_conf()"))


@pytest.fixture
def database(server: Database) -> Database:
    """Database of the server, without any row."""
    empty(server)
    return server


def empty(database: Database) -> None:
    """Removes every row but the installation's and its key, and counts from 1 again.

    Deletes as the superuser, past policies, triggers and foreign keys: 2 ms, where a truncation makes a
    hundred files anew and takes 150.
    """
    with superuser(database).begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for table in connection.execute(FILLED_TABLES).scalars().one():
            connection.execute(text(f"delete from {table}"))
        connection.execute(
            text("update installation set strict_residency = false, time_zone = 'UTC'")
        )
        connection.execute(USED_SEQUENCES_TO_ONE)


def superuser(database: Database) -> Engine:
    """The server's own superuser, whom no policy and no trigger stops."""
    return _connected(database.owner.url.set(username="postgres"))


@cache
def _connected(address: URL) -> Engine:
    return create_engine(address, pool_size=1, pool_pre_ping=True)


KEPT = {"installation", "sealing_key"}
# All of them: the import above puts those of the snapshots into the metadata.
EMPTIED = [table.name for table in metadata.sorted_tables if table.name not in KEPT]
FILLED_TABLES = text(
    "select array_remove(array["
    + ", ".join(f"case when exists(select from {t}) then '{t}' end" for t in EMPTIED)
    + "], null)"
)
USED_SEQUENCES_TO_ONE = text(
    "select setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)"
    " from pg_sequences where last_value is not null"
)
