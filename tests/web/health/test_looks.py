"""Nobody who asks for the state of an installation waits for servers that do not answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient

from settings import Settings
from storage.database import Database, connect
from tests.webworld import make
from web.health import routes, surroundings
from web.health.findings import HealthFinding
from web.health.looks import Looks

FOUND = HealthFinding("database", "Start it.", "away", True)
Talk = Callable[[socket.socket], None]


class OwnServer:
    """A server of one's own making, and how often it was connected to."""

    def __init__(self, talk: Talk) -> None:
        self.connects, self._talk = 0, talk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connects += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        for each in (self._socket, *self._open):
            each.close()


@contextmanager
def listening(talk: Talk) -> Iterator[OwnServer]:
    server = OwnServer(talk)
    try:
        yield server
    finally:
        server.close()


def probe(database: Database, settings: Settings) -> FlaskClient:
    """Whoever asks a process of that database whether it may serve."""
    app = Flask(__name__)
    routes.install(app, lambda: database, settings)
    return app.test_client()


def silent(_connection: socket.socket) -> None:
    """Takes a connection and says nothing."""


def test_a_look_that_does_not_end_keeps_nobody_and_is_made_once():
    begun, over = [], threading.Event()

    def look() -> list[HealthFinding]:
        begun.append(1)
        over.wait(60)
        return []

    looks = Looks(look)
    looks.moment = 0.01
    assert [looks.findings(lambda: [FOUND]) for _ in range(5)] == [[FOUND]] * 5
    assert len(begun) == 1
    over.set()
    looks.moment = 60
    assert looks.findings(lambda: [FOUND]) == []


def test_what_was_seen_stands_for_a_while_or_for_one_question():
    made = []

    def look() -> list[HealthFinding]:
        made.append(1)
        return [FOUND]

    for kept, looked in ((3600.0, 1), (0.0, 3)):
        made.clear()
        looks = Looks(look, kept)
        looks.moment = 60
        assert [looks.findings() for _ in range(3)] == [[FOUND]] * 3
        assert len(made) == looked


def test_a_look_that_fails_is_no_good_news():
    def look() -> list[HealthFinding]:
        raise LookupError("a fault of ours")

    with pytest.raises(LookupError, match="a fault of ours"):
        Looks(look).findings()


def test_a_database_that_takes_connections_and_says_nothing_is_asked_once_by_all_probes(
    database, settings, monkeypatch
):
    monkeypatch.setattr("web.health.looks.MOMENT_SECONDS", 0.05)
    with listening(silent) as server:
        address = f"postgresql://vigilo_web:x@127.0.0.1:{server.port}/vigilo"
        own = settings.model_copy(
            update={"database_url": address, "job_database_url": address.replace("_web", "_job")}
        )
        browser = probe(connect(own), own)
        for _ in range(5):
            told = browser.get("/readyz")
            assert (told.status_code, told.text) == (503, "not ready\ndatabase\n")
        assert server.connects == 1


def test_mail_and_redis_are_asked_at_the_same_time(settings):
    """A mail server that greets only once Redis was asked, too."""
    redis_was_asked = threading.Event()

    def redis(connection: socket.socket) -> None:
        redis_was_asked.set()
        connection.close()

    def mails(connection: socket.socket) -> None:
        if redis_was_asked.wait(60):
            connection.sendall(b"220 here\r\n")
            while said := connection.recv(1000):
                connection.sendall(b"221 bye\r\n" if b"QUIT" in said else b"250 well\r\n")

    with listening(redis) as one, listening(mails) as other:
        own = settings.model_copy(
            update={
                "redis_url": f"redis://127.0.0.1:{one.port}",
                "smtp_url": f"smtp://127.0.0.1:{other.port}",
            }
        )
        assert [found.brief for found in surroundings.findings(own)] == ["Redis"]


def test_probes_do_not_wait_for_a_mail_server_that_says_nothing(database, settings, monkeypatch):
    monkeypatch.setattr("web.health.looks.MOMENT_SECONDS", 1.0)
    make(database, settings)
    with listening(silent) as server:
        own = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{server.port}"})
        browser = probe(database, own)
        for _ in range(5):
            assert browser.get("/readyz").status_code == 200
        assert server.connects == 1


@pytest.mark.parametrize(
    ("meanwhile", "seen"), [(60.0, []), (0.0, [FOUND])], ids=["cluster", "one server"]
)
def test_a_look_that_takes_longer_than_a_moment_leaves_the_last_one_standing(meanwhile, seen):
    may_end = threading.Event()
    may_end.set()

    def look() -> list[HealthFinding]:
        may_end.wait()
        return []

    looks = Looks(look, meanwhile=meanwhile)
    looks.moment = 60
    assert looks.findings(lambda: [FOUND]) == []
    may_end.clear()
    looks.moment = 0.01
    assert looks.findings(lambda: [FOUND]) == seen
    may_end.set()
