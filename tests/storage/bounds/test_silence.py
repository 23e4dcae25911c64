"""A server that answers nobody is told from one that computes; whoever waits for it is let go."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from storage import embedded
from storage.bounds import silence
from storage.database import LIFE_SIGNS, engine_of
from tests.deep import DEEP, bound
from tests.served import until
from tests.storage.clusters import Cluster, cluster

STREAM = "select n, repeat('x', 1000) from generate_series(1, 200000) n"


@pytest.fixture(scope="module")
def own_cluster(server, settings) -> Iterator[Cluster]:
    """A server that may be frozen."""
    user = (settings.data_dir / "postgres").owner()
    with cluster(embedded.programs(), user, {"max_connections": "12"}) as made:
        yield made


@pytest.fixture
def busy_machine(monkeypatch) -> None:
    """An answer may take as long as this machine takes for it."""
    monkeypatch.setattr(silence, "LOOK_SECONDS", 60)
    monkeypatch.setitem(LIFE_SIGNS, "connect_timeout", 60)


@pytest.fixture
def engine(own_cluster) -> Iterator[Engine]:
    made = engine_of(own_cluster.url("vigilo_web"))
    yield made
    made.dispose()


@pytest.fixture
def looks(monkeypatch) -> list[bool]:
    """Outcomes of the questions whether the server answers; each is put soon."""
    monkeypatch.setattr(silence, "PATIENCE_SECONDS", 0.1)
    outcomes: list[bool] = []
    real = silence.answers_now

    def noted(connect) -> bool:
        outcomes.append(real(connect))
        return outcomes[-1]

    monkeypatch.setattr(silence, "answers_now", noted)
    return outcomes


def test_a_watch_ends_with_its_engine_and_the_ticker_goes_on(own_cluster):
    with engine_of(own_cluster.url("vigilo_web")).connect() as connection:
        connection.execute(text("select 1"))
    gc.collect()
    time.sleep(2 * silence.TICK_SECONDS)
    assert any(thread.name == "silences" for thread in threading.enumerate())


def test_whoever_computes_for_long_is_let_be(busy_machine, engine, looks):
    with engine.connect() as connection:
        assert connection.execute(text("select 1 from pg_sleep(1)")).scalar_one() == 1
    until(lambda: looks)
    assert all(looks)


def test_a_server_that_refuses_has_answered(busy_machine, own_cluster, engine, looks):
    others = create_engine(own_cluster.url("postgres"), pool_size=20)
    taken = []
    with engine.connect() as connection:
        with suppress(OperationalError):  # the server has none left
            while True:
                taken.append(others.connect())
        assert connection.execute(text("select 1 from pg_sleep(1)")).scalar_one() == 1
    for each in taken:
        each.close()
    others.dispose()
    until(lambda: looks)
    assert all(looks)
    # A server process ends some time after its connection: whoever comes next would be refused.
    until(lambda: has_room(own_cluster))


def has_room(server: Cluster) -> bool:
    """Whether the server takes one more connection of people."""
    one = create_engine(server.url("vigilo_web"), poolclass=NullPool)
    try:
        one.connect().close()
    except OperationalError:
        return False
    return True


def test_a_statement_that_only_its_own_connection_keeps_is_cut(own_cluster, monkeypatch):
    monkeypatch.setattr(silence, "GRACE_SECONDS", 0.0)
    engine = engine_of(own_cluster.url("vigilo_web"), most=1)
    begun = time.monotonic()
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("select pg_sleep(600)"))
    assert time.monotonic() - begun < bound(10)
    engine.dispose()


WAITS = ["a statement", "the next rows", "a commit", "a roll-back"]


@pytest.mark.parametrize("waits_for", WAITS if DEEP else WAITS[1:2])
def test_whatever_waits_for_a_frozen_server_ends(own_cluster, engine, looks, waits_for):
    with engine.connect() as connection:
        rows = connection.execution_options(stream_results=True).execute(text(STREAM))
        assert rows.fetchmany(10)
        with own_cluster.frozen():
            begun = time.monotonic()
            with pytest.raises(OperationalError):
                {
                    "a statement": lambda: connection.exec_driver_sql("select 1"),
                    "the next rows": rows.fetchall,
                    "a commit": connection.commit,
                    "a roll-back": connection.rollback,
                }[waits_for]()
            assert time.monotonic() - begun < bound(10)
        assert looks[-2:] == [False, False]
    with engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
