"""Words about a database that is away: one line, since a traceback of ours says nothing about it."""

from __future__ import annotations

import logging
import threading

NOT_THERE = ("3F000", "42P01", "42703", "42883")
"""PostgreSQL's codes for a schema, table, column or function that does not exist."""
LEAVING = threading.Event()
"""Set once this process ends: a database that goes with it is not away, and what was begun goes on at the
next start."""


def first_line(error: BaseException) -> str:
    """Reason of a database's error, SQLAlchemy's or the driver's own, in one line."""
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def tell(log: logging.Logger, sentence: str, error: BaseException) -> None:
    """Logs in one line that the database is away, and what waits for it; nothing once the process ends."""
    if not LEAVING.is_set():
        log.warning("%s: %s", sentence, first_line(error))
