"""A server that is gone in the middle of an answer is a database that is away, whatever the driver says."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage.context import as_viewer
from storage.database import engine_of
from storage.executive import binary_copy
from tests.world import World


def hand_on(one: socket.socket, other: socket.socket) -> None:
    """Sends what one says to the other until either is closed."""
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)


@pytest.fixture
def between(server):
    """A socket that stands before the server's and hands on what is said, until it is cut off."""
    host, port = server.web.url.query["host"], server.web.url.query["port"]
    folder = Path(host) / f"cut-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / f".s.PGSQL.{port}"))
    listening.listen()
    pairs: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            there.connect(str(Path(host) / f".s.PGSQL.{port}"))
            pairs.extend((client, there))
            for pair in ((client, there), (there, client)):
                threading.Thread(target=hand_on, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()

    def cut() -> None:
        for one in pairs:
            one.shutdown(socket.SHUT_RDWR)

    yield server.web.url.set(query={"host": str(folder), "port": port}), cut
    listening.close()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    "query",
    [
        "select pg_sleep(20)",
        "select repeat('x', 1000), pg_sleep(0.01) from generate_series(1, 100000)",
    ],
)
def test_cut_off_in_the_middle_of_an_answer(between, query):
    url, cut = between
    engine = engine_of(url)
    with engine.connect() as connection:
        connection.execute(text("select 1"))
        threading.Timer(0.5, cut).start()
        with pytest.raises(OperationalError):
            connection.execute(text(query))
    engine.dispose()


def test_cut_off_in_the_middle_of_the_rows_of_all_workspaces(between, database, settings):
    """There the driver speaks of a DatabaseError without details."""
    url, cut = between
    engine = engine_of(url)
    alice = World(database, settings).person("alice@x.example")
    query = "select repeat('x', 1000), pg_sleep(0.01) from generate_series(1, 100000)"

    def read() -> None:
        with as_viewer(engine, alice) as connection:
            threading.Timer(0.5, cut).start()
            binary_copy.copied_rows(connection, query, ())

    with pytest.raises(OperationalError):
        read()
    engine.dispose()
