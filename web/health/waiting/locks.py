"""Sessions that wait for locks for long: who waits for whom, since when; never what they ask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from aggregators.vocabulary import formats
from web.health.findings import HealthFinding

LONG_SECONDS = 10.0
"""Wait for a lock that is told: an import or a night holds one for a moment."""
MOST_TOLD = 5
"""Waits that are told each; of more, how many there are."""
WAITS = """
with waiting as (
    select pid, min(waitstart) as since
    from pg_locks, (select oid from pg_database where datname = current_database()) here
    where not granted and waitstart < clock_timestamp() - make_interval(secs => :least)
      and coalesce(nullif(database, 0), here.oid) = here.oid
    group by pid
)
select w.pid, a.usename, a.application_name, w.since, b.pid as by_pid, h.usename as by_role,
       h.application_name as by_program, h.state as by_state, h.xact_start as by_since
from waiting w join pg_stat_activity a on a.pid = w.pid
cross join lateral (select distinct pid from unnest(pg_blocking_pids(w.pid)) as held(pid)) b
left join pg_stat_activity h on h.pid = b.pid
order by w.since, w.pid, b.pid
"""
PREPARED = "select gid, owner, prepared from pg_prepared_xacts;   (then: rollback prepared 'GID';)"


class LockWait(NamedTuple):
    """A session that waits, and one that it waits for. What a session of another role does, and since when,
    PostgreSQL tells those alone who may read its statistics."""

    pid: int
    role: str | None
    program: str | None
    since: datetime
    by_pid: int
    by_role: str | None
    by_program: str | None
    by_state: str | None
    by_since: datetime | None


def findings(connection: Connection) -> Iterator[HealthFinding]:
    """A finding for each of those that wait for longest, with whoever holds the lock."""
    rows = connection.execute(text(WAITS), {"least": LONG_SECONDS}).all()
    waits = [LockWait(*row) for row in rows]
    for wait in waits[:MOST_TOLD]:
        waiting = _session(wait.pid, wait.role, wait.program)
        detail = f"{waiting} waits since {_in_utc(wait.since)} for {_holder(wait)}"
        yield HealthFinding("locks", _remedy(wait), detail)
    if len(waits) > MOST_TOLD:
        remedy = "select pid, pg_blocking_pids(pid) from pg_locks where not granted;"
        yield HealthFinding("locks", remedy, f"{len(waits) - MOST_TOLD} more wait for locks")


def _session(pid: int, role: str | None, program: str | None) -> str:
    named = ", ".join(filter(None, (role or "a process of the server", program)))
    return f"pid {pid} ({named})"


def _holder(wait: LockWait) -> str:
    if wait.by_pid == 0:
        return "a prepared transaction"
    holder = _session(wait.by_pid, wait.by_role, wait.by_program)
    state = f", {wait.by_state}" if wait.by_state else ""
    since = f", whose transaction began at {_in_utc(wait.by_since)}" if wait.by_since else ""
    return f"{holder}{state}{since}"


def _in_utc(instant: datetime) -> str:
    """An instant to the second, in UTC."""
    return formats.instant(instant, UTC, year=False, seconds=True)


def _remedy(wait: LockWait) -> str:
    if wait.by_pid == 0:
        return PREPARED
    return (
        f"select pg_terminate_backend({wait.by_pid});   (as its own role or a superuser, where it is stuck:"
        " what it has begun is undone)"
    )
