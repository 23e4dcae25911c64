"""Lock under which one process at a time does a piece of scheduled work, over all hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

LASTING = """
set local idle_in_transaction_session_timeout = 0;
select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout';
set local tcp_keepalives_idle = 30;
set local tcp_keepalives_interval = 10;
set local tcp_keepalives_count = 3;
"""
"""The transaction waits as long as the work takes, and is given up within a minute where its host is
gone."""
CLASS = 0x7363
"""First half of the lock's key, apart from the project's other advisory locks."""


@contextmanager
def only_process(engine: Engine, work: str) -> Iterator[bool]:
    """Whether no other process does this work; nobody else begins it until the block ends. The lock is a
    transaction's, which a pooler in front of PostgreSQL leaves alone, and ends with the connection."""
    engine = engine.execution_options(isolation_level="READ COMMITTED")
    with engine.begin() as connection:
        mine = connection.execute(
            text("select pg_try_advisory_xact_lock(:class, hashtext(:work))"),
            {"class": CLASS, "work": work},
        ).scalar_one()
        if mine:
            connection.execute(text(LASTING))
        yield bool(mine)
