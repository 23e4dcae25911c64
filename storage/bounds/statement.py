"""Bounds in time of what the web role asks of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.errors import QueryCanceled
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

STATEMENT_SECONDS = "statement_seconds"
"""Execution option of an engine: the longest that a viewer's statement may take."""


class TooCostly(RuntimeError):
    """A request that costs more than one person may ask for; the message says what to do about it."""


def limit(connection: Connection) -> str:
    """The connection's ``statement_timeout``, as PostgreSQL takes it; 0 is none."""
    return f"{connection.get_execution_options().get(STATEMENT_SECONDS, 0)}s"


@contextmanager
def limited_statements(connection: Connection, seconds: float, advice: str) -> Iterator[None]:
    """Statements of the block may take so long each; the former bound stands again after it. Raises
    TooCostly with the advice."""
    bound = {"ms": str(round(seconds * 1000))}
    connection.execute(text("select set_config('statement_timeout', :ms, true)"), bound)
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise TooCostly(advice) from error
        raise
    former = {"former": limit(connection)}
    connection.execute(text("select set_config('statement_timeout', :former, true)"), former)
