"""The end-of-day job: raw records -> snapshot rows, one workspace at a time, in its own context.

What is computed waits in staged tables, a transaction per workspace, until all of them are through; one
transaction then publishes it. So readers see all of a run or nothing, and one that was broken off goes on
where it was. Flows are stored as running totals over the snapshot days so far: the figure of any period
is a difference of two rows.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg2
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from settings import Settings
from storage import context
from storage.database import Database
from storage.distributed import IN_SEQUENCE
from storage.models import staged_workspace, workspace
from storage.setwise import PARAMETERS, PUBLISH, STAGE, Statement

log = logging.getLogger("vigilo.snapshots")

TRAILING_DAYS = 28
LOCK = 0x5163
AT_ONCE = 2
"""Workspaces at a time, each on a connection of its own: the work is PostgreSQL's, and two of its
processes finish a night in little more than half the time of one."""

LOOK_SECONDS = 0.2
"""How often a run looks whether the one before it is through."""

Progress = Callable[[str], None]


class DayNotOver(ValueError):
    """A snapshot was asked for a day that has not ended in the reporting time zone."""


class NoSuchWorkspace(LookupError):
    """No active workspace has that slug."""


class Overtaken(RuntimeError):
    """What a run has staged is another's by now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: workspaces done, rows written, and the failures by slug."""

    done: int
    rows: int
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class Range:
    """The days to write, ``first`` to ``last``; ``only_known``: the last and those that have a row."""

    first: date
    last: date
    only_known: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A run over all workspaces: the night of ``day``, or a backfill from ``range_first`` to it; whether it
    goes on with one that was broken off."""

    day: date
    range_first: date | None = None
    resume: bool = True

    @property
    def ranges(self) -> list[Range]:
        """The days to write in each workspace."""
        return [Range(self.range_first, self.day)] if self.range_first else _night(self.day)


def run(
    database: Database,
    day: date | None,
    settings: Settings,
    slug: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """The snapshot of ``day`` (yesterday when None), recomputing the trailing days that have one.

    Over all workspaces it first finishes earlier days and backfills whose run was broken off, and goes on
    with its own where one was. Raises DayNotOver, NoSuchWorkspace. A workspace that fails is reported; the
    others go on.
    """
    last = day or settings.now().date() - timedelta(days=1)
    _refuse_unfinished(last, settings)
    job = _Job(database, settings, progress)
    if slug is not None:
        return job.alone(_of_all(database, _night(last), slug))
    found = Outcome(0, 0, {})
    while True:
        with _under_way(database) as connection:
            earlier = _broken_off(database, last)
            asked = earlier or Asked(last)
            made = job.whole(connection, _of_all(database, asked.ranges), asked)
        found = Outcome(made.done, found.rows + made.rows, found.failed | made.failed)
        if earlier is None:
            return found


def backfill(
    database: Database,
    first: date,
    last: date,
    settings: Settings,
    slug: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Snapshots of every day first..last from the records. Raises as ``run``, ValueError on order."""
    if last < first:
        raise ValueError("--to must not be before --from")
    _refuse_unfinished(last, settings)
    job = _Job(database, settings, progress)
    if slug is not None:
        return job.alone(_of_all(database, [Range(first, last)], slug))
    with _under_way(database) as connection:
        asked = Asked(last, min(first, _left_over(database, last) or first), resume=False)
        return job.whole(connection, _of_all(database, asked.ranges), asked)


def histories(
    database: Database,
    ranges: Mapping[str, Sequence[Range]],
    last: date,
    settings: Settings,
    progress: Progress | None = None,
) -> Outcome:
    """As ``backfill`` up to ``last``, with days of its own for each slug. Raises DayNotOver."""
    _refuse_unfinished(last, settings)
    work = [(key, slug, ranges[slug]) for key, slug in _workspaces(database) if slug in ranges]
    first = min((days.first for _, _, ranges in work for days in ranges), default=last)
    with _under_way(database) as connection:
        asked = Asked(last, first, resume=False)
        return _Job(database, settings, progress).whole(connection, work, asked)


def _night(day: date) -> list[Range]:
    return [Range(day - timedelta(days=TRAILING_DAYS - 1), day, only_known=True)]


def _refuse_unfinished(last: date, settings: Settings) -> None:
    if last >= settings.now().date():
        raise DayNotOver(
            f"{last} has not ended yet in {settings.time_zone}: the last day is yesterday"
        )


Work = list[tuple[int, str, Sequence[Range]]]
"""Workspaces, by id and slug, with the days to write in each."""


def _of_all(database: Database, ranges: Sequence[Range], slug: str | None = None) -> Work:
    """The same days in every active workspace, or in one."""
    return [(key, name, ranges) for key, name in _workspaces(database, slug)]


def _workspaces(database: Database, slug: str | None = None) -> list[tuple[int, str]]:
    query = select(workspace.c.id, workspace.c.slug).where(workspace.c.is_active)
    if slug is not None:
        query = query.where(workspace.c.slug == slug)
    with database.job.connect() as connection:
        found = [(row.id, row.slug) for row in connection.execute(query.order_by(workspace.c.slug))]
    if slug is not None and not found:
        raise NoSuchWorkspace(f"no active workspace has the slug {slug}")
    return found


@contextmanager
def _under_way(database: Database) -> Iterator[Connection]:
    """A transaction in which no other run is under way, and which publishes what this one makes: whoever
    lost it to the network has lost the right to publish. Those who wait hold no connection."""
    waits = False
    engine = database.job.execution_options(isolation_level="READ COMMITTED")
    while True:
        with engine.begin() as connection:
            if connection.execute(
                text("select pg_try_advisory_xact_lock(:l)"), {"l": LOCK}
            ).scalar():
                connection.execute(text(PUBLISHER))
                yield connection
                return
        if not waits:
            log.warning("another run is under way; this one begins when it is through")
        waits = True
        time.sleep(LOOK_SECONDS)


PUBLISHER = f"""
set local idle_in_transaction_session_timeout = 0;
select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout';
set local tcp_keepalives_idle = 30;
set local tcp_keepalives_interval = 10;
set local tcp_keepalives_count = 3;
{IN_SEQUENCE}
"""
"""It waits for hours where there is much to compute, and is given up within a minute where its host is
gone. The last says something to Citus alone: the note beside each workspace is in a reference table."""
UNFINISHED = "(r.finished_at is null or r.finished_at < r.started_at)"
BROKEN_OFF = f"""
select day, range_first from snapshot_run r
where {UNFINISHED} and (day < :day or day = :day and range_first is not null)
order by day limit 1
"""
BEGIN = f"""
insert into snapshot_run as r (day, range_first, made_with) values (:day, :range_first, :made_with)
on conflict (day) do update
set started_at = case when :resume and {UNFINISHED} and r.made_with = excluded.made_with
                      then r.started_at
                      else greatest(now(), r.finished_at + interval '1 microsecond',
                                    r.started_at + interval '1 microsecond') end,
    range_first = excluded.range_first, made_with = excluded.made_with
returning started_at
"""
END = f"""
update snapshot_run r set finished_at = greatest(clock_timestamp(), started_at)
where day between :first and :day and coalesce(range_first, day) >= :first and {UNFINISHED}
"""
LEFT_OVER = f"select range_first from snapshot_run r where day = :day and {UNFINISHED}"


def _broken_off(database: Database, last: date) -> Asked | None:
    """The earliest run that has begun and not finished, before ``last``, or a backfill up to it. Not asked
    within the run's own transaction: it would hold the table for hours."""
    with database.job.connect() as connection:
        found = connection.execute(text(BROKEN_OFF), {"day": last}).first()
    return Asked(found.day, found.range_first) if found else None


def _left_over(database: Database, day: date) -> date | None:
    """The first day of a backfill up to ``day`` that was broken off: one of fewer days finishes it."""
    with database.job.connect() as connection:
        return connection.execute(text(LEFT_OVER), {"day": day}).scalar()


def _made_with(settings: Settings) -> str:
    """Changes with all that rows depend on beside the records and the days that are asked for."""
    names = [statement.name for statement in STAGE]
    said = repr((names, TRAILING_DAYS, settings.time_zone, settings.review_days))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


SERVERS = ("08", "53", "57P", "58")
"""SQLSTATE of what is wrong with the server or the way to it, not with a workspace."""


def _of_the_server(error: BaseException) -> bool:
    """Whether an error is the server's: then the run ends, and the next one goes on."""
    found = getattr(error, "orig", None) or error
    code = getattr(found, "pgcode", None)
    if code is None:
        return isinstance(found, psycopg2.OperationalError | psycopg2.InterfaceError)
    return str(code).startswith(SERVERS)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


@dataclass(frozen=True, slots=True)
class _Job:
    """One run: what it works on, and whom it tells."""

    database: Database
    settings: Settings
    progress: Progress | None

    def alone(self, work: Work) -> Outcome:
        """The work as one that no other workspace waits for."""
        with _under_way(self.database) as connection:
            since = connection.execute(text("select now()")).scalar_one()
            return self._published(connection, work, since)

    def whole(self, connection: Connection, work: Work, asked: Asked) -> Outcome:
        """The work as a run over all workspaces; with it all is finished that was broken off within its
        days."""
        values = {
            "day": asked.day,
            "range_first": asked.range_first,
            "resume": asked.resume,
            "made_with": _made_with(self.settings),
        }
        with self.database.job.begin() as noted:
            since = noted.execute(text(BEGIN), values).scalar_one()
        outcome = self._published(connection, work, since)
        finished = {"first": asked.range_first or asked.day, "day": asked.day}
        connection.execute(text(END), finished)
        return outcome

    def _published(self, connection: Connection, work: Work, since: datetime) -> Outcome:
        """Stages the work, a transaction per workspace, telling of each in the order of the work; then
        publishes what did not fail within the connection's transaction."""

        def one(task: tuple[int, str, Sequence[Range]]) -> int | str:
            try:
                return self._staged(*task, since)
            except Exception as error:
                if _of_the_server(error):
                    raise
                return _said(error)

        ready, rows, failed = {}, 0, {}
        with _stopping(ThreadPoolExecutor(AT_ONCE)) as pool:
            for (key, slug, _), made in zip(work, pool.map(one, work), strict=True):
                if isinstance(made, str):
                    failed[slug] = made
                else:
                    ready[key] = slug
                    rows += made
                if self.progress:
                    self.progress(slug)
        for key, slug in ready.items():
            try:
                with connection.begin_nested(), context.entered(connection, context.JOB, key):
                    publish(connection, key, since)
            except (SQLAlchemyError, psycopg2.Error) as error:
                if _of_the_server(error):
                    raise
                failed[slug] = _said(error)
        return Outcome(len(work) - len(failed), rows, failed)

    def _staged(self, key: int, _slug: str, ranges: Sequence[Range], since: datetime) -> int:
        with context.job_in(self.database.job, key) as connection:
            # The commit that publishes waits for the disk; a crash before it empties what is staged.
            connection.execute(text("set local synchronous_commit = off"))
            # Against a run that has lost its lock and does not know it yet.
            connection.execute(text("select pg_advisory_xact_lock(:l, :w)"), {"l": LOCK, "w": key})
            if connection.execute(text(STAGED), {"w": key, "since": since}).first():
                return 0
            return stage(connection, key, ranges, self.settings, since)


STAGED = f"select 1 from {staged_workspace.name} where workspace_id = :w and since = :since"


@contextmanager
def _stopping(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """Interrupted, the workspaces under way are finished and no other is begun."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


PLANNED = """
set local plan_cache_mode = force_generic_plan;
set local enable_seqscan = off;
set local jit = off;
set local work_mem = '32MB'
"""
"""Plans are made once a connection, without the values (planning takes twice as long as a night's
work), and serve however the tables grow: a workspace's rows are always found by its index."""


def write(connection: Connection, workspace_id: int, days: Range, settings: Settings) -> int:
    """Stages one workspace's days and publishes them, within the transaction in its job context; returns
    how many. The caller is alone."""
    since = connection.execute(text("select now()")).scalar_one()
    staged = stage(connection, workspace_id, [days], settings, since)
    publish(connection, workspace_id, since)
    return staged


def stage(
    connection: Connection,
    workspace_id: int,
    ranges: Sequence[Range],
    settings: Settings,
    since: datetime,
) -> int:
    """Computes one workspace's days from its records, beside what readers see, for the run that began at
    ``since``; replaces what is staged of it. Returns how many days."""
    values = {
        "w": workspace_id,
        "zone": settings.time_zone,
        "first": min(days.first for days in ranges),
        "last": max(days.last for days in ranges),
        "firsts": [days.last if days.only_known else days.first for days in ranges],
        "lasts": [days.last for days in ranges],
        "cadence": list(settings.review_days),
        "since": since,
    }
    return int(_executed(connection, STAGE, values))


def publish(connection: Connection, workspace_id: int, since: datetime) -> None:
    """Moves what is staged of one workspace to where readers see it. Raises Overtaken where it was staged
    for another run than that of ``since``."""
    held = {"w": workspace_id, "since": since}
    if connection.execute(text(f"{STAGED} for update"), held).first() is None:
        raise Overtaken(
            "another run has staged other days meanwhile, as this one had lost its connection;"
            " nothing was published"
        )
    _executed(connection, PUBLISH, {"w": workspace_id})


def _executed(
    connection: Connection, statements: Sequence[Statement], values: Mapping[str, Any]
) -> Any:
    """Runs prepared statements in one round trip; the first value of what the last one returns."""
    arguments = ", ".join(f"%({n})s" if n in values else "null" for n in PARAMETERS)
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        _prepare(cursor, statements)
        cursor.execute("; ".join(f"execute {s.name} ({arguments})" for s in statements), values)
        return cursor.fetchone()[0]


def _prepare(cursor: Any, statements: Sequence[Statement]) -> None:
    """Prepares what this connection of the server lacks: behind a pooler it may be another each time."""
    cursor.execute(
        f"{PLANNED}; select name from pg_prepared_statements where name = any(%s)",
        ([statement.name for statement in statements],),
    )
    known = {name for (name,) in cursor.fetchall()}
    for statement in statements:
        if statement.name not in known:
            cursor.execute(statement.prepare)
