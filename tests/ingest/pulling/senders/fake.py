"""A stateful, paged sender with faults on demand: it serves what a test puts into it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """Answer of a fake."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Exchange:
    """A request that a fake was asked, and its answer."""

    method: str
    path: str
    query: dict[str, str]
    asked: Any
    status: int
    document: Any


class Fake:
    """A sender. ``faults`` are served before everything else, one a request: ``429``, ``403`` (secondary),
    ``500``, ``502``, ``cut``, ``kill`` (of ``victim``) or a Reply. ``asked`` are the requests that came;
    ``exchanges``, where a test gives it a list, keeps them with the answers. ``ahead`` moves its clock;
    ``also`` are headers of every answer."""

    token = "gho_0123456789abcdef"

    def __init__(self) -> None:
        self.faults: list[Any] = []
        self.asked: list[str] = []
        self.victim = 0
        self.kill_at = -1
        self.base = ""
        self.exchanges: list[Exchange] | None = None
        self.ahead = timedelta(0)
        self.also: dict[str, str] = {}

    def authorised(self, headers: Any) -> bool:
        return self.token in headers.get("Authorization", "")

    def refused(self, status: int, message: str) -> Reply:
        """The answer to what is not granted, or not there."""
        return Reply(status, {"message": message})

    def get(self, path: str, query: dict[str, str], headers: Any) -> Reply:
        return self.refused(404, "Not Found")

    def post(self, path: str, document: Any) -> Reply:
        return self.refused(404, "Not Found")

    def link(self, path: str, query: dict[str, str], page: int, more: bool) -> dict[str, str]:
        """The header that tells where the next page is."""
        if not more:
            return {}
        rest = "&".join(f"{k}={v}" for k, v in query.items() if k != "page")
        return {"Link": f'<{self.base}{path}?{rest}&page={page + 1}>; rel="next"'}

    def paged(self, path: str, query: dict[str, str], things: list[Any]) -> Reply:
        page, size = int(query.get("page", 1)), int(query.get("per_page", 30))
        some = things[(page - 1) * size : page * size]
        return Reply(200, some, self.link(path, query, page, page * size < len(things)))


def _fault(fake: Fake, handler: BaseHTTPRequestHandler) -> Reply | None:
    if fake.kill_at == len(fake.asked) and fake.victim:
        os.kill(fake.victim, signal.SIGKILL)
        time.sleep(0.2)
    if not fake.faults:
        return None
    match fake.faults.pop(0):
        case "429":
            return Reply(429, {"message": "slow down"}, {"Retry-After": "1"})
        case "403":
            return Reply(
                403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "1"}
            )
        case "500" | "502" as status:
            return Reply(int(status), {"message": "broken"})
        case "cut":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"[")
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return Reply(0)
        case None:
            return None
        case reply:
            return reply


class FakeHandler(BaseHTTPRequestHandler):
    """Answers for the fake that ``served`` gives it."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    """An answer is one write: head and body apart wait 40 ms for each other."""
    fake: Fake

    def log_message(self, *_: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, by the fake's clock."""
        return super().date_time_string(
            (time.time() if timestamp is None else timestamp) + self.fake.ahead.total_seconds()
        )

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        self._answer(query, None, lambda: self.fake.get(parts.path, query, self.headers))

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({}, document, lambda: self.fake.post(urlsplit(self.path).path, document))

    def _answer(self, query: dict[str, str], document: Any, make: Any) -> None:
        self.fake.asked.append(self.path)
        reply = _fault(self.fake, self)
        if reply is None:
            is_known = self.fake.authorised(self.headers)
            reply = make() if is_known else self.fake.refused(401, "Bad credentials")
            if self.fake.exchanges is not None:
                path = urlsplit(self.path).path
                told = (query, document, reply.status, reply.document)
                self.fake.exchanges.append(Exchange(self.command, path, *told))
        if reply.status == 0:
            return
        body = reply.body if reply.body is not None else json.dumps(reply.document).encode()
        if reply.status == 304:
            body = b""
        elif len(body) > 1000:
            body = gzip.compress(body)
            reply.headers["Content-Encoding"] = "gzip"
        self.send_response(reply.status)
        for name, value in {
            **self.fake.also,
            **reply.headers,
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(fake: Fake, certificate: Path | None = None) -> Iterator[Fake]:
    """The fake at an address of this machine, for as long as the block lasts; over TLS as ``localhost``
    where it has a certificate (PEM, with its key beside it)."""
    handler = type("Handler", (FakeHandler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.base = f"http://127.0.0.1:{server.server_port}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        fake.base = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
