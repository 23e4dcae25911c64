"""The database stops, loses its connections, has none left, and comes back."""

from __future__ import annotations

import os
import socket
import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from storage.database import engine_of
from tests.deep import DEEP, bound
from tests.faults.stack import Stack, note


@pytest.mark.parametrize("mode", ["fast", "immediate"] if DEEP else ["immediate"])
def test_postgresql_is_stopped_and_comes_back(stack: Stack, mode):
    folder = stack.cluster.folder
    stack.cluster.run("pg_ctl", "-w", "-m", mode, "stop", f"--pgdata={folder}")
    begun = time.monotonic()
    answer = stack.ask()
    assert time.monotonic() - begun < bound(3)
    assert answer.status_code == 503
    stack.cluster.run("pg_ctl", "-w", "start", f"--pgdata={folder}", f"--log={folder.parent}/log")
    seconds = stack.recovers()
    assert seconds < bound(5)
    note(f"PostgreSQL stopped ({mode})", "503 at once, and the figures again", seconds)


@pytest.mark.skipif(not DEEP, reason="deep")
def test_pgbouncer_is_as_quick_as_the_database(pooled_stack: Stack):
    assert pooled_stack.is_well()
    folder = pooled_stack.cluster.folder
    pooled_stack.cluster.run("pg_ctl", "-w", "-m", "fast", "stop", f"--pgdata={folder}")
    answer = pooled_stack.ask()
    assert answer.status_code == 503
    pooled_stack.cluster.run(
        "pg_ctl", "-w", "start", f"--pgdata={folder}", f"--log={folder.parent}/log"
    )
    seconds = pooled_stack.recovers()
    assert seconds < 2 + 1  # a second for the request itself, on a busy machine
    note("PostgreSQL behind pgbouncer stopped", "503, and the figures again", seconds)


def test_every_connection_is_terminated(stack: Stack):
    assert stack.is_well()
    stack.cluster.sql(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where usename like 'vigilo%' and pid <> pg_backend_pid()"
    )
    seconds = stack.recovers()
    assert seconds < bound(2)
    note("Every connection terminated", "nothing: connections are tried before use", seconds)


def test_a_machine_that_vanished_is_given_up_within_seconds(stack: Stack):
    """No firewall of a test swallows packets; so what the kernel was told is looked at."""
    engine = engine_of(stack.cluster.url("vigilo_web"))
    with engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
        raw = connection.connection.dbapi_connection
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as wire:
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
    engine.dispose()


def test_the_database_has_no_connection_left(stack: Stack):
    engine = create_engine(stack.cluster.url("postgres"), pool_size=100)
    stack.cluster.sql(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename like 'vigilo%'"
    )
    others = []
    try:
        while True:
            others.append(engine.connect())
            others[-1].execute(text("select 1"))
    except OperationalError:  # the server has none left
        pass
    begun = time.monotonic()
    answer = stack.ask()
    waited = time.monotonic() - begun
    for connection in others:
        connection.close()
    engine.dispose()
    assert answer.status_code == 503
    assert waited < bound(8)
    seconds = stack.recovers()
    assert seconds < bound(5)
    note("max_connections used up by others", "503 until one is free", seconds)
