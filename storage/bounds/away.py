"""Words about a database that is away: one line, since a traceback of ours says nothing about it."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """Reason of a database's error, SQLAlchemy's or the driver's own, in one line."""
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
