"""Connections of a pool, looked at before they are used: those that are gone are replaced unnoticed.

A question to the server before every use is a round trip, and on a busy machine each costs a wait for a
turn at the processor. A server that ended an idle connection has told so already: there is something to
read on its socket. So a connection that was used just now is looked at here, and one that was not is asked
about.
"""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg2
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

QUIET_SECONDS = 30.0
"""How long nothing on the way forgets a connection: firewalls do so after minutes, and say nothing."""
GIVEN_BACK = "given back"


def watch(engine: Engine) -> None:
    """Has each connection of the engine's pool looked at when it is taken."""

    @event.listens_for(engine, "checkin")
    def note(_raw: Any, record: Any) -> None:
        record.info[GIVEN_BACK] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(raw: Any, record: Any, _taken: Any) -> None:
        """Raises InvalidatePoolError, which has the pool connect anew."""
        before = record.info.pop(GIVEN_BACK, None)
        if before is None:  # new
            return
        was_now = time.monotonic() - before < QUIET_SECONDS
        if (was_now and _is_silent(raw)) or _answers(engine, raw):
            return
        raise InvalidatePoolError("the server has ended the connection")


def _is_silent(raw: Any) -> bool:
    """Whether the server has said nothing since: neither that it goes, nor by going."""
    try:
        return not select.select([raw.fileno()], [], [], 0)[0]
    except (psycopg2.Error, OSError, ValueError):  # closed, or a number beyond what select knows
        return False


def _answers(engine: Engine, raw: Any) -> bool:
    try:
        return bool(engine.dialect.do_ping(raw))
    except psycopg2.Error:
        return False
