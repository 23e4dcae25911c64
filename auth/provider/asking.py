"""Requests to identity providers, each within a bound of time, size and number.

Anybody can begin a sign-in, and so have a provider asked: one that hangs, trickles or answers without end
must not take the threads and the memory of everybody else. Nothing follows a redirection: what is sent, a
code and this client's secret, is for whom it was addressed to.
"""

from __future__ import annotations

import io
import threading
import time
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter

PATIENCE_SECONDS = 10.0
LARGEST = 1_000_000
PIECE = 65_536
AT_ONCE = 4
"""Requests to providers that a process has in the air; more wait a moment, and are told to come back."""
TURN_SECONDS = 2.0
TURNS = threading.BoundedSemaphore(AT_ONCE)


class BoundedSession(OAuth2Session):
    """A session towards a provider, the answers of which are bounded."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for scheme in ("https://", "http://"):
            self.mount(scheme, BoundedAdapter())


class BoundedAdapter(HTTPAdapter):
    """Reads an answer to its end before anybody sees it, or gives it up."""

    def send(self, request: PreparedRequest, *given: Any, **named: Any) -> Response:
        """The answer, wholly read. Raises RequestException where it is not in bounds or leads elsewhere."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        if not TURNS.acquire(timeout=TURN_SECONDS):
            raise RequestException("too many sign-ins wait for a provider")
        try:
            more = named | {"stream": True, "timeout": PATIENCE_SECONDS}
            answer = super().send(request, **more)
            try:
                content = _content(answer, deadline)
            finally:
                answer.close()
        finally:
            TURNS.release()
        if answer.is_redirect:
            raise RequestException("the provider leads to another address")
        answer.raw = io.BytesIO(content)
        return answer


def _content(answer: Response, deadline: float) -> bytes:
    """The whole body. Raises RequestException where it is too large or takes too long."""
    pieces, size = [], 0
    while piece := answer.raw.read1(PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise RequestException(f"an answer of more than {LARGEST} bytes")
        if time.monotonic() > deadline:
            raise RequestException(f"an answer took longer than {PATIENCE_SECONDS:g} s")
    return b"".join(pieces)
