"""PostgreSQL's statistics of the tables, after rows came in at once: before autovacuum looks."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

MANY = 1_000
"""Rows after which the tables are another matter for who plans a query of them."""
ANALYZE_OUTGROWN = "select vigilo.analyze_outgrown()"
"""Analyses the tables that hold far more than when they were last analysed, and with it has plans that were
made for fewer rows made anew. Costs a fifth of a millisecond where there is none."""
COUNT_CHANGES_AT_ONCE = "select pg_stat_force_next_flush()"
"""Has this transaction's changes counted when it commits, and not up to a minute later: a table that is
filled again is as long as before, and only the count tells."""


def count_changes(connection: Connection, rows: int) -> None:
    """Has this many rows that the transaction has written counted with its commit, where they are many."""
    if rows >= MANY:
        connection.execute(text(COUNT_CHANGES_AT_ONCE))


def keep_up(engine: Engine, rows: int) -> None:
    """Analyses the tables that this many rows have made far larger, as the job role, in a transaction of
    its own: the tables are held until it ends."""
    if rows >= MANY:
        with engine.begin() as connection:
            connection.execute(text(ANALYZE_OUTGROWN))
