"""A real HTTP receiver of webhooks: what arrived, and what it answers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ReceivedPost:
    """A request that arrived whole."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server on this machine: the next statuses, and the seconds before each answer."""

    answers: list[int] = field(default_factory=list)
    silence: float = 0.0
    posts: list[ReceivedPost] = field(default_factory=list)
    location: str = ""

    def __enter__(self) -> Receiver:
        outer = self

        class WebhookHandler(BaseHTTPRequestHandler):
            """Takes requests for the receiver."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = {name.lower(): value for name, value in self.headers.items()}
                outer.posts.append(ReceivedPost(self.path, told, body))
                time.sleep(outer.silence)
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), WebhookHandler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}/hook?key=a%2Fb&x=1"

    @property
    def ids(self) -> list[str]:
        """Ids of the signed messages that arrived, in order."""
        return [post.headers["webhook-id"] for post in self.posts]
