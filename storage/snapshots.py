"""The end-of-day job: raw records -> snapshot rows, one workspace at a time, in its own context.

One transaction per workspace writes every day of a call, so a reader sees all of it or nothing; a run
over all workspaces keeps its day from readers until it is through (``snapshot_run``). Flows are stored
as running totals over the snapshot days so far: the figure of any period is a difference of two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from settings import Settings
from storage import context
from storage.database import Database
from storage.models import workspace
from storage.setwise import NOTED, STATEMENTS

TRAILING_DAYS = 28
LOCK = 0x5163
AT_ONCE = 2
"""Workspaces at a time, each on a connection of its own: the work is PostgreSQL's, and two of its
processes finish a night in little more than half the time of one."""

Progress = Callable[[str], None]


class DayNotOver(ValueError):
    """A snapshot was asked for a day that has not ended in the reporting time zone."""


class NoSuchWorkspace(LookupError):
    """No active workspace has that slug."""


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
class Whole:
    """A run over all workspaces: its day, and since when a workspace's snapshot is this run's."""

    day: date
    since: datetime | None = None


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
    if slug is not None:
        return _each(database, settings, _of_all(database, _night(last), slug), progress)
    found = Outcome(0, 0, {})
    for each, first in (*_broken_off(database, last), (last, None)):
        ranges = [Range(first, each)] if first else _night(each)
        backfills = first is not None
        with _whole(database, first or each, each, resume=True, backfills=backfills) as whole:
            made = _each(database, settings, _of_all(database, ranges), progress, whole)
            found = Outcome(made.done, found.rows + made.rows, found.failed | made.failed)
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
    work = _of_all(database, [Range(first, last)], slug)
    if slug is not None:
        return _each(database, settings, work, progress)
    with _whole(database, first, last, resume=False, backfills=True) as whole:
        return _each(database, settings, work, progress, whole)


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
    with _whole(database, first, last, resume=False, backfills=True) as whole:
        return _each(database, settings, work, progress, whole)


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


def _broken_off(database: Database, last: date) -> list[tuple[date, date | None]]:
    """The days whose run has begun and not finished, before ``last`` or a backfill up to it; each with the
    first day of what a backfill was asked for."""
    query = """
        select day, range_first from snapshot_run
        where finished_at is null and (day < :day or day = :day and range_first is not null)
        order by day
    """
    with database.job.connect() as connection:
        found = connection.execute(text(query), {"day": last})
        return [(row.day, row.range_first) for row in found]


BEGIN = """
insert into snapshot_run as r (day, range_first, hidden_from)
select cast(:day as date), :range_first, least(:day, greatest(cast(:first as date), (
    select max(known.day) + 1 from snapshot_run known where known.finished_at is not null
)))
where not exists (
    select from snapshot_run later where later.day > :day and later.finished_at is not null
)
on conflict (day) do update
set started_at = case when :resume and r.finished_at is null then r.started_at else now() end,
    finished_at = null,
    range_first = excluded.range_first,
    hidden_from = case when :resume and r.finished_at is null
                       then least(r.hidden_from, excluded.hidden_from) else excluded.hidden_from end
returning started_at
"""
END = """
update snapshot_run set finished_at = now()
where day between :first and :day and finished_at is null
"""


@contextmanager
def _whole(
    database: Database, first: date, day: date, *, resume: bool, backfills: bool
) -> Iterator[Whole | None]:
    """Within the block readers do not see the day, nor any from ``first`` on that no run has finished: half
    of the workspaces with their history are no organisation. Broken off, they do not until one does.

    A day before one that readers see already stays as it is, and there is nothing to resume: it would
    hide the later ones. The end finishes whatever was broken off from ``first`` on.
    """
    values = {"first": first, "day": day, "resume": resume}
    values["range_first"] = first if backfills else None
    with database.job.begin() as connection:
        started = connection.execute(text(BEGIN), values).scalar()
    yield None if started is None else Whole(day, started if resume else None)
    with database.job.begin() as connection:
        connection.execute(text(END), {"first": first, "day": day})


def _each(
    database: Database,
    settings: Settings,
    work: Work,
    progress: Progress | None,
    whole: Whole | None = None,
) -> Outcome:
    """Does the work, a transaction per workspace; tells of each one in the order of the work."""

    def one(task: tuple[int, str, Sequence[Range]]) -> int | str:
        workspace_id, _, ranges = task
        try:
            with context.job_in(database.job, workspace_id) as connection:
                _wait_for_others(connection, workspace_id)
                if whole is not None and _is_done(connection, workspace_id, whole):
                    return 0
                return sum(write(connection, workspace_id, days, settings) for days in ranges)
        except Exception as error:  # noqa: BLE001 - one broken workspace must not stop the others
            return f"{type(error).__name__}: {error}".splitlines()[0]

    rows, failed = 0, {}
    with _stopping(ThreadPoolExecutor(AT_ONCE)) as pool:
        for (_, slug, _), made in zip(work, pool.map(one, work), strict=True):
            if isinstance(made, str):
                failed[slug] = made
            else:
                rows += made
            if progress:
                progress(slug)
    return Outcome(len(work) - len(failed), rows, failed)


@contextmanager
def _stopping(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """Interrupted, the workspaces under way are finished and no other is begun."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _wait_for_others(connection: Connection, workspace_id: int) -> None:
    """Until the transaction's end nobody else writes snapshots of the workspace."""
    connection.execute(
        text("select pg_advisory_xact_lock(:lock, :id)"), {"lock": LOCK, "id": workspace_id}
    )


def _is_done(connection: Connection, workspace_id: int, whole: Whole) -> bool:
    """Whether this run has been here before it was broken off.

    If not, the commit to come need not wait for the disk: the one that finishes the day does, for all.
    """
    connection.execute(text("set local synchronous_commit = off"))
    if whole.since is None:
        return False
    noted = select(
        (workspace.c.snapshot_day == whole.day) & (workspace.c.snapshot_at >= whole.since)
    )
    return bool(connection.execute(noted.where(workspace.c.id == workspace_id)).scalar_one())


PLANNED = """
set local plan_cache_mode = force_generic_plan;
set local enable_seqscan = off;
set local jit = off;
set local work_mem = '32MB'
"""
"""Plans are made once a connection, without the values (planning takes twice as long as a night's
work), and serve however the tables grow: a workspace's rows are always found by its index."""


def write(connection: Connection, workspace_id: int, days: Range, settings: Settings) -> int:
    """Writes one workspace's days within the transaction in its job context; returns how many.

    The caller holds the workspace's lock, or is alone.
    """
    values = {
        "w": workspace_id,
        "zone": settings.time_zone,
        "first": days.first,
        "last": days.last,
        "only_known": days.only_known,
        "cadence": list(settings.review_days),
    }
    arguments = ", ".join(f"%({name})s" for name in values)
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        _prepare(cursor)
        cursor.execute(
            "; ".join(f"execute {s.name} ({arguments})" for s in (*STATEMENTS, NOTED)), values
        )
        return int(cursor.fetchone()[0])


def _prepare(cursor: Any) -> None:
    """Prepares what this connection of the server lacks: behind a pooler it may be another each time."""
    statements = (*STATEMENTS, NOTED)
    cursor.execute(
        f"{PLANNED}; select name from pg_prepared_statements where name = any(%s)",
        ([statement.name for statement in statements],),
    )
    known = {name for (name,) in cursor.fetchall()}
    for statement in statements:
        if statement.name not in known:
            cursor.execute(statement.prepare)
