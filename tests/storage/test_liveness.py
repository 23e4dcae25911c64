"""Connections before they are used: one that is gone is never handed out, and hardly any is asked about."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from storage.bounds import liveness
from storage.database import Database, engine_of
from tests.conftest import superuser
from tests.deep import bound

END = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'looked at'"
GONE = "select count(*) from pg_stat_activity where application_name = 'looked at'"


@pytest.fixture
def engine(database) -> Iterator[Engine]:
    """A pool of its own."""
    made = engine_of(database.web.url)
    yield made
    made.dispose()


@pytest.fixture
def asked(engine, monkeypatch) -> list[object]:
    """Connections about which the server was asked."""
    asked: list[object] = []
    real = engine.dialect.do_ping

    def counted(raw: object) -> bool:
        asked.append(raw)
        return bool(real(raw))

    monkeypatch.setattr(engine.dialect, "do_ping", counted)
    return asked


def wait_until_gone(database: Database) -> None:
    """Returns when no connection is there that was to be ended. Each look is a transaction of its own:
    within one, PostgreSQL shows the connections of its first look."""
    deadline = time.monotonic() + bound(30)
    while time.monotonic() < deadline:
        with superuser(database).connect() as connection:
            if not connection.execute(text(GONE)).scalar_one():
                return
        time.sleep(0.01)
    raise TimeoutError("a connection that was ended is still there")


def backend(engine: Engine) -> int:
    """The server's process behind a connection of the pool."""
    with engine.connect() as connection:
        connection.execute(text("set application_name = 'looked at'"))
        connection.commit()
        return int(connection.execute(text("select pg_backend_pid()")).scalar_one())


def test_what_was_used_just_now_costs_no_question(engine, asked):
    assert len({backend(engine) for _ in range(10)}) == 1
    assert asked == []


def test_what_lay_idle_is_asked_about(engine, asked, monkeypatch):
    first = backend(engine)
    monkeypatch.setattr(liveness, "QUIET_SECONDS", 0.0)
    assert backend(engine) == first
    assert len(asked) == 1


@pytest.mark.parametrize("quiet", [0.0, 30.0])
def test_what_the_server_has_ended_is_replaced_unnoticed(database, engine, monkeypatch, quiet):
    monkeypatch.setattr(liveness, "QUIET_SECONDS", quiet)
    before = backend(engine)
    with superuser(database).begin() as connection:
        connection.execute(text(END))
    wait_until_gone(database)
    assert backend(engine) != before


def test_all_that_lay_beside_it_are_replaced_as_well(database, engine, asked):
    first, second = engine.connect(), engine.connect()
    for each in (first, second):
        each.execute(text("set application_name = 'looked at'"))
        each.commit()
    first.close()
    second.close()
    with superuser(database).begin() as connection:
        connection.execute(text(END))
    wait_until_gone(database)
    assert [first_of(engine), first_of(engine)] == [1, 1]
    assert len(asked) == 1


def first_of(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select 1")).scalar_one())
