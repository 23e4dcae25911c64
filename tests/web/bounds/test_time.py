"""Bounds in time and turns: statements, dear filters, hashes of passwords."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from psycopg2.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from auth import accounts, passwords
from auth.passwords import apart
from reading import records
from storage.bounds import statement
from storage.bounds.turns import Busy, Turns, one_at_a_time
from storage.context import as_viewer
from storage.viewer import Viewer
from tests.conftest import superuser
from tests.deep import bound
from tests.served import until
from tests.webworld import PASSWORD, WebWorld
from web.bounds import streams
from web.errors import problem_of

FILTERED = "/ws/alpha/records/incidents.csv"
LONG = "b" + "a" * 199


@pytest.fixture
def alice(web) -> Viewer:
    """The platform admin, with a proof."""
    viewer = accounts.on_behalf(web.world.database.job, "alice@x.example")
    assert viewer is not None
    return viewer


def test_a_statement_of_a_viewer_is_given_up_and_told_as_503(web, alice):
    engine = web.world.database.web.execution_options(**{statement.STATEMENT_SECONDS: 1})
    with pytest.raises(OperationalError) as given_up, as_viewer(engine, alice) as connection:
        connection.execute(text("select pg_sleep(60)"))
    assert isinstance(given_up.value.orig, QueryCanceled)
    problem = problem_of(given_up.value)
    assert (problem.status, problem.code) == (503, "took_too_long")
    with as_viewer(engine, alice) as connection:
        assert connection.execute(text("show statement_timeout")).scalar() == "1s"


def test_a_narrower_bound_ends_with_its_block(web, alice):
    engine = web.world.database.web.execution_options(**{statement.STATEMENT_SECONDS: 7})
    with as_viewer(engine, alice) as connection:
        with statement.limited_statements(connection, 2, "Shorten it."):
            assert connection.execute(text("show statement_timeout")).scalar() == "2s"
        assert connection.execute(text("show statement_timeout")).scalar() == "7s"
    with (
        pytest.raises(statement.TooCostly, match="Shorten"),
        as_viewer(engine, alice) as connection,
        statement.limited_statements(connection, 0.05, "Shorten it."),
    ):
        connection.execute(text("select pg_sleep(60)"))


def asked(web: WebWorld, who: str, sought: str, operator: str = "contains") -> TestResponse:
    """A page of a grid with a filter on titles, as the API has it."""
    model = {"title": {"filterType": "text", "type": operator, "filter": sought}}
    query = {"period": "28", "filter": json.dumps(model)}
    path = "/api/v1/ws/alpha/domains/incidents/records"
    return web.sign_in(who).get(path, query_string=query)


@pytest.fixture
def long_titles(web) -> WebWorld:
    """Incidents whose titles are made to be searched slowly."""
    with superuser(web.world.database).begin() as connection:
        connection.execute(
            text(
                "insert into incident (workspace_id, key, opened_at, title) select :w, 'many-' || n,"
                " timestamptz '2026-11-20', repeat('a', 480) from generate_series(1, 4000) n"
            ),
            {"w": web.world.alpha},
        )
    return web


def test_a_filter_made_to_be_slow_is_refused_with_advice(long_titles, monkeypatch):
    monkeypatch.setattr(records, "REST", 0.0)
    assert asked(long_titles, "viewer", LONG).status_code == 200
    monkeypatch.setattr(records, "PAGE_SECONDS", 0.002)
    answer = asked(long_titles, "viewer", LONG)
    assert (answer.status_code, answer.json["code"]) == (422, "too_costly")
    assert "shorten its text" in answer.json["detail"]


def test_dear_filters_take_turns_and_others_do_not_wait_for_them(web, monkeypatch):
    turns = Turns(1, 0.05)
    monkeypatch.setattr(records, "DEAR", turns)
    with turns.hold_turn():
        for operator in ("contains", "notContains"):
            answer = asked(web, "viewer", LONG, operator)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
        assert asked(web, "viewer", "b>x").status_code == 200
    assert asked(web, "viewer", LONG).status_code == 200


def test_a_dear_filter_waits_for_that_of_another_process(web, monkeypatch):
    monkeypatch.setattr(records, "PAGE_SECONDS", 0.1)
    lock = web.world.settings.data_dir / records.DEAR_OF_MACHINE
    holds = f"""
import sys
from filelock import FileLock
with FileLock({str(lock)!r}):
    print("held", flush=True)
    sys.stdin.read()
"""
    lock.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", holds]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        assert asked(web, "viewer", LONG).status_code == 503
        assert asked(web, "viewer", "b>x").status_code == 200
        other.kill()
    monkeypatch.setattr(records, "PAGE_SECONDS", 4)
    assert asked(web, "viewer", LONG).status_code == 200


@pytest.mark.parametrize(
    ("operator", "sought", "fits"),
    [
        ("contains", "B>X", True),
        ("contains", "%", False),
        ("notContains", "b>x", False),
        ("notContains", "y", True),
        ("endsWith", "</B>", True),
        ("endsWith", "<b>", False),
        ("endsWith", "x" * 60 + "</b>", False),
        ("startsWith", "<B>x", True),
    ],
)
def test_what_a_filter_of_text_finds(shared_web, operator, sought, fits):
    """The one incident's title is ``<b>x</b>``."""
    rows = asked(shared_web, "viewer", sought, operator).json["rows"]
    assert len(rows) == fits


def test_hashes_take_turns_and_a_sign_in_that_gets_none_is_told_when_to_come_back(web, monkeypatch):
    turns = Turns(1, 0.05)
    monkeypatch.setattr(passwords, "TURNS", turns)
    browser = web.browser()
    with turns.hold_turn():
        answer = web.attempt(browser, "alice@x.example", PASSWORD)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert web.attempt(browser, "alice@x.example", PASSWORD).status_code == 302, "no failure noted"


def test_who_hashes_stands_back_for_those_who_answer_pages_and_leaves_three_cores_of_four():
    assert passwords.verify_password(None, "nobody has this password") is False
    hashing, own = passwords.PROCESS.running.pid, os.getpriority(os.PRIO_PROCESS, 0)
    assert hashing != os.getpid()
    assert os.getpriority(os.PRIO_PROCESS, hashing) == min(19, own + apart.STANDS_BACK)
    cores = len(os.sched_getaffinity(0))
    assert len(os.sched_getaffinity(hashing)) == max(1, cores // apart.PART_OF_CORES)


def test_the_program_that_hashes_is_begun_again_and_knows_no_variable_of_ours(monkeypatch):
    monkeypatch.setenv("VIGILO_SECRET_KEY", "secret")
    passwords.PROCESS.end()
    stored = passwords.hash_password("a good password")
    process = passwords.PROCESS.running
    assert b"VIGILO_" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    process.kill()
    process.wait()
    assert passwords.verify_password(stored, "a good password")
    assert not passwords.verify_password(stored, "a good passwore")


def test_a_hash_that_takes_too_long_is_none_and_its_answer_is_nobody_elses(monkeypatch):
    stored = passwords.hash_password("a good password")
    monkeypatch.setattr(passwords, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(Busy):
        passwords.verify_password(stored, "a good password")
    monkeypatch.undo()
    assert not passwords.verify_password(stored, "a good passwore")


def test_a_process_with_many_open_files_signs_in_as_well():
    asks = """
import os, resource
from auth import passwords
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
print(passwords.verify_password(passwords.hash_password("a good password"), "a good password"))
"""
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_the_answer_to_another_question_counts_for_nothing(monkeypatch):
    process = passwords.HashingProcess()
    monkeypatch.setattr(process, "exchange_line", lambda line: b"[7, true]\n")
    with pytest.raises(OSError, match="no hash"):
        process.answer({"password": "guessed", "verify": True, "stored": None})


def test_the_program_that_hashes_ends_with_the_process_that_began_it():
    begins = """
import os, sys
from auth import passwords
passwords.verify_password(None, "nobody has this password")
print(passwords.PROCESS.running.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", begins], capture_output=True, text=True)
    hashing = Path("/proc", done.stdout.strip())
    until(lambda: not hashing.exists() or "(zombie)" in (hashing / "status").read_text())


@pytest.mark.parametrize("way", ["process", "machine"])
def test_a_turn_rests_after_dear_work_and_who_worked_does_not_wait(tmp_path, way):
    turns = Turns(1, 0.05, rest=30.0)

    def taken() -> AbstractContextManager[None]:
        return (
            turns.hold_turn() if way == "process" else one_at_a_time(tmp_path / "turn", 0.05, 30.0)
        )

    with taken():
        time.sleep(0.1)
    with pytest.raises(Busy), taken():
        pytest.fail("a second's rest, and none of it was kept")


def test_after_its_rest_a_turn_is_free_again(tmp_path):
    turns = Turns(1, bound(5), rest=1.0)
    for _ in range(3):
        with turns.hold_turn(), one_at_a_time(tmp_path / "turn", bound(5), 1.0):
            time.sleep(0.02)


def test_who_writes_a_list_rests_as_long_as_they_worked():
    rests: list[float] = []
    worked: list[float] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            begun = time.thread_time()
            while time.thread_time() < begun + 0.01:
                pass
            worked.append(time.thread_time() - begun)
            yield b"a piece"

    streams.spool(pieces(), rests.append).close()
    assert len(rests) == 3
    assert all(rest >= work for rest, work in zip(rests, worked, strict=True))
