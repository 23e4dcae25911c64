"""Programs that share an embedded server: it runs for as long as one of them is left, whoever comes, goes
or is killed meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import fasteners
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from storage import embedded
from tests.deep import all_but

OTHER = """
import sys
from pathlib import Path
from storage import embedded
print("comes", flush=True)
embedded.start(Path(sys.argv[1]))
print("is there", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory whose server this process uses."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-programs-"))
    folder.chmod(0o755)
    embedded.start(folder)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def program(folder: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Makes another program over the same server, which leaves once its input ends."""
    made: list[subprocess.Popen[str]] = []

    def make() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", OTHER, folder]
        made.append(subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True))
        return made[-1]

    yield make
    for each in made:
        each.kill()
        each.communicate()


def says(each: subprocess.Popen[str], words: str) -> None:
    assert each.stdout.readline().strip() == words


def answers(folder: Path) -> bool:
    engine = create_engine(embedded.start(folder), poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text("select 1")).scalar_one() == 1


def noted(folder: Path) -> list[int]:
    return json.loads(listing(folder).read_text())


def listing(folder: Path) -> Path:
    return folder / "postgres" / ".handle_pids.json"


def test_nobody_touches_the_list_while_another_changes_it(folder, program):
    """A program that comes while the list is half written is not to throw it away: those who use the server
    would be forgotten, and the next to leave would stop it under them."""
    lock = fasteners.InterProcessLock(folder / "postgres.lock")
    with lock:
        whole = listing(folder).read_text()
        listing(folder).write_text("[")
        other = program()
        says(other, "comes")
        time.sleep(1)
        assert listing(folder).read_text() == "["
        listing(folder).write_text(whole)
    says(other, "is there")
    assert set(noted(folder)) == {os.getpid(), other.pid}
    other.communicate()
    assert answers(folder)


@pytest.mark.parametrize(("times", "many"), all_but([(1, 3)], [(1, 3), (3, 4)], several=True))
def test_it_stays_while_many_come_and_go(folder, program, times, many):
    for _ in range(times):
        others = [program() for _ in range(many)]
        for other in others:
            other.communicate()
        assert noted(folder) == [os.getpid()]
    assert answers(folder)


def test_the_last_to_leave_ends_it_though_another_was_killed(folder, program):
    killed = program()
    says(killed, "comes")
    says(killed, "is there")
    killed.kill()
    killed.communicate()
    assert killed.pid in noted(folder)
    embedded.stop(folder)
    assert not (folder / "postgres" / "postmaster.pid").exists()


def test_a_list_that_a_full_disk_cut_off_stops_nobody_s_server(folder, program):
    listing(folder).write_text("[12")
    other = program()
    says(other, "comes")
    says(other, "is there")
    other.communicate()
    assert answers(folder)
