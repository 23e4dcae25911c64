"""Slow readers: they hold no connection, no more slots than they may, and the pages go on."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from storage.bounds.turns import Busy
from storage.database import MOST_OVERFLOW
from storage.viewer import Viewer
from tests.conftest import superuser
from tests.deep import bound
from tests.served import ServedWeb as Served
from tests.served import signed_in, until
from tests.webworld import API, EXECUTIVE
from web.bounds import streams
from web.bounds.streams import Downloads, TooManyDownloads

CSV = "/ws/alpha/records/dora.csv?period=28"
READERS = 32
MANY = """
insert into deployment
    (workspace_id, key, completed_at, created_at, environment, outcome, production, service)
select :w, 'many-' || n, timestamptz '2026-11-20', timestamptz '2026-11-20', 'production', 'successful',
       true, repeat('x', 900)
from generate_series(1, 8000) n
"""
"""Few and long: as many bytes for a tenth of the work, so that a slow machine is through in time."""


@pytest.fixture
def served(web, tmp_path) -> Iterator[Served]:
    """The program over a list of 8 MB: more than the buffers between it and a reader take."""
    with superuser(web.world.database).begin() as connection:
        connection.execute(text(MANY), {"w": web.world.alpha})
    program = Served.over(web.world.database, tmp_path, VIGILO_DOWNLOADS_A_PERSON="20")
    program.start()
    yield program
    program.kill()


def reader(program: Served, cookie: str) -> socket.socket:
    """A client that asks for the list and then takes nothing."""
    address = urlsplit(program.address)
    client = socket.socket()
    client.settimeout(120)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect((address.hostname, address.port))
    lines = f"GET {CSV} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: vigilo={cookie}\r\n\r\n"
    client.sendall(lines.encode())
    return client


def connections(engine: Engine) -> int:
    """Connections of the web role that are in a transaction."""
    with engine.connect() as connection:
        query = (
            "select count(*) from pg_stat_activity where usename = 'vigilo_web' and state <> 'idle'"
        )
        return int(connection.execute(text(query)).scalar_one())


def test_slow_readers_hold_no_connection_and_nobody_else_up(web, served):
    alice = signed_in(served)
    readers = [reader(served, alice.cookies["vigilo"]) for _ in range(READERS)]
    first = [client.recv(12) for client in readers]
    served_as = {line[9:12] for line in first}
    assert served_as == {b"200", b"503"}
    # as many as a process may have open; fewer where a slow machine could not write so many in time
    assert 1 < first.count(b"HTTP/1.1 200") <= streams.A_PROCESS
    database = superuser(web.world.database)
    until(lambda: connections(database) == 0)
    for path in (EXECUTIVE, API, "/ws/alpha/analytics"):
        began = time.monotonic()
        assert alice.get(served.address + path).status_code == 200
        assert time.monotonic() - began < bound(5)
    for client in readers:
        client.close()
    whole = requests.get(served.address + CSV, cookies=dict(alice.cookies), timeout=60)
    assert whole.text.count("\n") == 8_028 + 1


def test_a_person_has_so_many_downloads_and_gets_them_back(tmp_path, monkeypatch):
    downloads, again = Downloads(tmp_path, 2), Downloads(tmp_path, 2)
    alice, bob = Viewer(1, "a@x.example", ""), Viewer(2, "b@x.example", "")
    one, two = downloads.begin(alice), again.begin(alice)
    with pytest.raises(TooManyDownloads):
        downloads.begin(alice)
    downloads.begin(bob)
    one.release()
    one.release()
    downloads.begin(alice)
    two.release()
    monkeypatch.setattr(streams, "A_PROCESS", 1)
    narrow = Downloads(tmp_path / "narrow", 2)
    narrow.begin(alice)
    with pytest.raises(Busy):
        narrow.begin(bob)


def test_a_person_has_one_list_written_at_a_time_and_a_process_few(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE_SECONDS", 0.05)
    downloads, elsewhere = Downloads(tmp_path, 4), Downloads(tmp_path, 4)
    people = [Viewer(n, "", "") for n in range(streams.WRITTEN_AT_ONCE + 2)]

    def written_beside(others: list[Viewer]) -> Iterator[bytes]:
        """A list that is being written while each of the others has one written as well."""
        yield b"begun"
        with pytest.raises(Busy):
            elsewhere.spool_in_turn(people[0], iter([b""]))
        if others:
            with downloads.spool_in_turn(others[0], written_beside(others[1:])) as file:
                assert file.read() == b"begunended"
        else:
            with pytest.raises(Busy):
                downloads.spool_in_turn(people[-1], iter([b""]))
        yield b"ended"

    with downloads.spool_in_turn(people[0], written_beside(people[1:-2])) as file:
        assert file.read() == b"begunended"
    with pytest.raises(ZeroDivisionError):
        downloads.spool_in_turn(people[0], (bytes(1 // n) for n in (1, 0)))
    downloads.spool_in_turn(people[0], iter([b"as before"])).close()


def test_one_too_many_is_told_when_to_come_back(web):
    alice = web.sign_in("viewer")
    held = Downloads(web.world.settings.data_dir / "downloads", 4)
    slots = [held.begin(web.people["viewer"]) for _ in range(4)]
    answer = alice.get(CSV)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    for slot in slots:
        slot.release()
    for _ in range(6):
        assert alice.get(CSV).status_code == 200


def test_an_exhausted_pool_is_503_and_says_when_to_come_back(web):
    alice = web.sign_in("alice")
    cookie = alice.get_cookie("vigilo").value

    def answer_of(path: str) -> TestResponse:
        browser = web.browser()
        browser.set_cookie("vigilo", cookie)
        return browser.get(path)

    engine = web.world.database.web
    every = [engine.connect() for _ in range(engine.pool.size() + MOST_OVERFLOW)]
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(answer_of, (API, EXECUTIVE, CSV, "/start", "/readyz")))
    for connection in every:
        connection.close()
    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
    assert answer_of(API).status_code == 200
