"""Pools of connections that are used up, of the process and of pgbouncer, while the database is there."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg2
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.pool import QueuePool

from storage.bounds.away import first_line
from storage.database import Database
from web.health.findings import HealthFinding

log = logging.getLogger("vigilo.health")
POOL = "connections"
"""Finding about a pool that has no connection free."""
OF_PROCESS = ("QueuePool limit",)
OF_PGBOUNCER = ("query_wait_timeout", "no more connections allowed")
HUNG_UP = ("closed the connection",)
"""Words of SQLAlchemy, of pgbouncer and of the driver about a pool that is used up."""
SESSIONS = """
select count(*) from pg_stat_activity where usename = :role and datname = current_database()
"""
PGBOUNCER = (
    "show pools; show clients;   (on pgbouncer's console; cl_waiting is who waits: set pool_mode,"
    " default_pool_size and max_client_conn as deploy/pgbouncer.ini has them)"
)
PROCESS = (
    "select pid, state, wait_event_type, xact_start from pg_stat_activity where application_name ="
    " 'vigilo';   (what they wait for; a restart of this process frees them)"
)


def finding_of(database: Callable[[], Database], error_text: str) -> HealthFinding | None:
    """Finding about a pool that an error of the web role's address tells of; None for any other error."""
    if any(words in error_text for words in OF_PROCESS):
        return full_pool_finding(error_text)
    is_hung_up = any(words in error_text for words in HUNG_UP)
    if any(words in error_text for words in OF_PGBOUNCER) or (
        is_hung_up and _is_used_up_between(database)
    ):
        detail = f"pgbouncer has no connection free ({error_text}): all of its pool are taken"
        return HealthFinding(POOL, PGBOUNCER, detail, True)
    return None


def _is_used_up_between(database: Callable[[], Database]) -> bool:
    """Whether the web role has sessions in a database that answers, and whoever is between hangs up: the
    driver does not hand on what pgbouncer says of it."""
    try:
        web, job = database().web.url, database().job.url
        if (web.host, web.port, web.query) == (job.host, job.port, job.query):
            return False
        with database().job.connect() as connection:
            sessions = connection.execute(text(SESSIONS), {"role": web.username}).scalar_one()
    except (DBAPIError, psycopg2.Error, NoFreeConnection, OSError) as error:
        log.warning("the job role can not look for the web role's sessions: %s", first_line(error))
        return False
    return bool(sessions)


def full_pool_finding(error_text: str = "") -> HealthFinding:
    """Finding about the connections of this process."""
    why = f" ({error_text.partition(' (Background')[0]})" if error_text else ""
    detail = f"all connections that this process may have are in use{why}; the database is there"
    return HealthFinding(POOL, PROCESS, detail, True)


def is_full(database: Database) -> bool:
    """Whether the web role or the job role has no connection free in this process."""
    return any(_is_used_up(engine.pool) for engine in (database.web, database.job))


def _is_used_up(pool: object) -> bool:
    if not isinstance(pool, QueuePool):
        return False
    return pool.checkedin() == 0 and pool.overflow() >= pool._max_overflow
