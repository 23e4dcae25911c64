"""Requests that two readers could take for different ones: nobody's request hides in another's body."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.conftest import empty
from tests.deep import DEEP
from tests.runbook.test_nginx import NGINX, behind
from tests.served import ServedWeb
from tests.webworld import make

__all__ = ["behind"]
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""Request that is smuggled; its answer is ``ok`` and a line break, as that of no other page."""
SIGN = b"\r\n\r\nok\n"
Ask = Callable[[bytes], bytes]


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /login HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n" + body + HIDDEN


LENGTH, CHUNKED, NONE = b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"
REQUESTS = {
    "a length and chunks": post(LENGTH + CHUNKED, NONE),
    "chunks and a length": post(CHUNKED + LENGTH, NONE),
    "two lengths": post(LENGTH + b"Content-Length: 0\r\n"),
    "two lengths in one": post(b"Content-Length: 0, 5\r\n"),
    "a length with a sign": post(b"Content-Length: +0\r\n"),
    "a length below nothing": post(b"Content-Length: -1\r\n"),
    "a hexadecimal length": post(b"Content-Length: 0x0\r\n"),
    "a length with an underscore": post(b"Content-Length: 0_0\r\n"),
    "a length in other digits": post("Content-Length: ٠\r\n".encode()),
    "a space before the colon": post(b"Content-Length : 0\r\n"),
    "a space before the name": post(b" Transfer-Encoding: chunked\r\n", NONE),
    "a folded length": post(b"X-A: b\r\n Content-Length: 0\r\n"),
    "folded chunks": post(b"Transfer-Encoding:\r\n chunked\r\n", NONE),
    "a bare line feed": post(b"X-A: b\nTransfer-Encoding: chunked\r\n", NONE),
    "a bare carriage return": post(b"X-A: b\rTransfer-Encoding: chunked\r\n", NONE),
    "a NUL": post(b"X-A: b\0\r\nTransfer-Encoding: chunked\r\n", NONE),
    "chunks in another coding": post(b"Transfer-Encoding: gzip, chunked\r\n", NONE),
    "chunks that are not last": post(b"Transfer-Encoding: chunked, identity\r\n", NONE),
    "chunks twice": post(CHUNKED + CHUNKED, NONE),
    "chunks by half a name": post(b"Transfer-Encoding: xchunked\r\n", NONE),
    "chunks behind a tab": post(b"Transfer-Encoding: \x0bchunked\r\n", NONE),
    "a chunk with a sign": post(CHUNKED, b"+0\r\n\r\n"),
    "a chunk with a prefix": post(CHUNKED, b"0x0\r\n\r\n"),
    "a chunk with an underscore": post(CHUNKED, b"0_0\r\n\r\n"),
    "a chunk with line feeds alone": post(CHUNKED, b"0\n\n"),
    "a line feed within what a chunk adds": post(CHUNKED, b"0;a=b\nc\r\n\r\n"),
    "chunks of the older protocol": post(CHUNKED, NONE).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "two hosts": post(b"Host: elsewhere\r\n" + LENGTH),
    "a protocol that is none": HIDDEN.replace(b"HTTP/1.1", b"HTTP/9.9"),
}


def asked(connection: socket.socket, request: bytes) -> bytes:
    """All that is answered, until the other side closes or is silent for a second."""
    connection.settimeout(1)
    told = b""
    try:
        connection.sendall(request)
        while piece := connection.recv(65_536):
            told += piece
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass
    finally:
        connection.close()
    return told


@pytest.fixture(scope="module")
def served(server, settings, tmp_path_factory) -> Iterator[ServedWeb]:
    """gunicorn as it is deployed, over the small world."""
    empty(server)
    make(server, settings)
    web = ServedWeb.over(server, tmp_path_factory.mktemp("smuggled"))
    web.start()
    yield web
    web.kill()


def test_gunicorn_takes_a_plain_request_after_another(served):
    """Shows that the sign is one: the hidden request is answered where it is one of its own."""
    for before in (post(b"Content-Length: 0\r\n"), post(CHUNKED, NONE)):
        told = asked(socket.create_connection(("127.0.0.1", served.port)), before)
        assert told.count(b"HTTP/1.1 ") == 2
        assert told.endswith(SIGN)


@pytest.mark.parametrize("what", REQUESTS)
def test_gunicorn_refuses_what_could_be_read_in_two_ways(served, what):
    told = asked(socket.create_connection(("127.0.0.1", served.port)), REQUESTS[what])
    statuses = re.findall(rb"HTTP/1.1 (\d{3})", told)
    is_refused = statuses[-1] in (b"400", b"501", b"505")
    assert SIGN not in told
    assert is_refused or b"Connection: close" in told, told[:400]
    assert len(statuses) <= (2 if " chunk" in what else 1), "what follows is read by nobody"


def test_a_header_in_other_letters_is_none_of_ours(served):
    """WSGI has one name for ``X-Forwarded-For`` and ``X_Forwarded_For``: the second is dropped."""
    told = asked(
        socket.create_connection(("127.0.0.1", served.port)),
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX_Forwarded_For: 10.1.2.3\r\n"
        b"Content_Length: 5\r\nConnection: close\r\n\r\n",
    )
    assert told.startswith(b"HTTP/1.1 200")


@pytest.mark.skipif(not DEEP or NGINX is None, reason="deep, and nginx")
def test_through_nginx_nobody_gets_the_answer_to_anothers_request(behind, tmp_path):
    host, _, port = behind.address.removeprefix("https://").partition(":")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
    for what, request in REQUESTS.items():
        plain = socket.create_connection((host, int(port)))
        told = asked(trusted.wrap_socket(plain, server_hostname=host), request)
        assert told.count(b"HTTP/1.1 ") <= 2, what
        for _ in range(4):
            answer = requests.get(f"{behind.address}/login", timeout=10)
            assert (answer.status_code, answer.text == "ok\n") == (200, False), what
