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
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import psycopg2
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from aggregators.chosen.counting import CountingRules
from settings import Settings
from storage import context
from storage.chosen import store
from storage.context import Begins, NoSuchWorkspace
from storage.database import Database
from storage.distributed import IN_SEQUENCE
from storage.nodes import nights
from storage.nodes.lanes import Lanes
from storage.scheduled.lock import LASTING
from storage.snapshot import due
from storage.snapshot.staging import STAGED, DayRange, Overtaken, publish, stage, stage_values
from storage.snapshot.statements import STAGE
from storage.tables import workspace

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


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """Outcome of a run: workspaces done, rows written, and the failures by slug."""

    done: int
    rows: int
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class SnapshotRun:
    """A run over all workspaces: the night of ``day``, or a backfill from ``range_first`` to it; whether it
    goes on with one that was broken off."""

    day: date
    range_first: date | None = None
    resume: bool = True

    @property
    def ranges(self) -> list[DayRange]:
        """The days to write in each workspace."""
        return (
            [DayRange(self.range_first, self.day)] if self.range_first else _night_ranges(self.day)
        )


def run(
    database: Database,
    day: date | None,
    settings: Settings,
    slug: str | None = None,
    progress: Progress | None = None,
) -> RunOutcome:
    """The snapshot of ``day`` (yesterday when None), recomputing the trailing days that have one.

    Over all workspaces it first finishes earlier days and backfills whose run was broken off, and goes on
    with its own where one was. Raises DayNotOver, NoSuchWorkspace. A workspace that fails is reported; the
    others go on.
    """
    last = day or settings.now().date() - timedelta(days=1)
    _refuse_unfinished(last, settings)
    job = _Job(database, settings, progress)
    if slug is not None:
        return job.run_for_one(_of_all(database, _night_ranges(last), slug))
    outcome = RunOutcome(0, 0, {})
    while True:
        with _under_way(database) as connection:
            earlier = _broken_off(database, last)
            requested = earlier or SnapshotRun(last)
            made = job.run_for_all(connection, _of_all(database, requested.ranges), requested)
        outcome = RunOutcome(made.done, outcome.rows + made.rows, outcome.failed | made.failed)
        if earlier is None:
            return outcome


def backfill(
    database: Database,
    first: date,
    last: date,
    settings: Settings,
    slug: str | None = None,
    progress: Progress | None = None,
) -> RunOutcome:
    """Snapshots of every day first..last from the records. Raises as ``run``, ValueError on order."""
    if last < first:
        raise ValueError("--to must not be before --from")
    _refuse_unfinished(last, settings)
    job = _Job(database, settings, progress)
    if slug is not None:
        return job.run_for_one(_of_all(database, [DayRange(first, last)], slug))
    with _under_way(database) as connection:
        requested = SnapshotRun(last, min(first, _left_over(database, last) or first), resume=False)
        return job.run_for_all(connection, _of_all(database, requested.ranges), requested)


def histories(
    database: Database,
    ranges: Mapping[str, Sequence[DayRange]],
    last: date,
    settings: Settings,
    progress: Progress | None = None,
) -> RunOutcome:
    """As ``backfill`` up to ``last``, with days of its own for each slug. Raises DayNotOver."""
    _refuse_unfinished(last, settings)
    work = [(key, slug, ranges[slug]) for key, slug in _workspaces(database) if slug in ranges]
    first = min((days.first for _, _, ranges in work for days in ranges), default=last)
    with _under_way(database) as connection:
        requested = SnapshotRun(last, first, resume=False)
        return _Job(database, settings, progress).run_for_all(connection, work, requested)


def _night_ranges(day: date) -> list[DayRange]:
    """Days that a night writes: its own, and those of the trailing days that have a row."""
    return [DayRange(day - timedelta(days=TRAILING_DAYS - 1), day, only_known=True)]


def _refuse_unfinished(last: date, settings: Settings) -> None:
    """Raises DayNotOver where the last day has not ended."""
    if last >= settings.now().date():
        raise DayNotOver(
            f"{last} has not ended yet in {settings.zone.key}: the last day is yesterday"
        )


Work = list[tuple[int, str, Sequence[DayRange]]]
"""Workspaces, by id and slug, with the days to write in each."""


def _of_all(database: Database, ranges: Sequence[DayRange], slug: str | None = None) -> Work:
    """Ranges of days, equal for every active workspace, or for one."""
    return [(key, name, ranges) for key, name in _workspaces(database, slug)]


def _workspaces(database: Database, slug: str | None = None) -> list[tuple[int, str]]:
    """Active workspaces by id and slug, or the one of a slug. Raises NoSuchWorkspace."""
    query = select(workspace.c.id, workspace.c.slug).where(workspace.c.is_active)
    if slug is not None:
        query = query.where(workspace.c.slug == slug)
    with database.job.connect() as connection:
        workspaces = [
            (row.id, row.slug) for row in connection.execute(query.order_by(workspace.c.slug))
        ]
    if slug is not None and not workspaces:
        raise NoSuchWorkspace(f"no active workspace has the slug {slug}")
    return workspaces


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


PUBLISHER = f"{LASTING}{IN_SEQUENCE}"
"""Settings of the publishing transaction, which waits for hours where there is much to compute. The last
says something to Citus alone: the note beside each workspace is in a reference table."""
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


def _broken_off(database: Database, last: date) -> SnapshotRun | None:
    """The earliest run that has begun and not finished, before ``last``, or a backfill up to it. Not asked
    within the run's own transaction: it would hold the table for hours."""
    with database.job.connect() as connection:
        row = connection.execute(text(BROKEN_OFF), {"day": last}).first()
    return SnapshotRun(row.day, row.range_first) if row else None


def _left_over(database: Database, day: date) -> date | None:
    """The first day of a backfill up to ``day`` that was broken off: one of fewer days finishes it."""
    with database.job.connect() as connection:
        return connection.execute(text(LEFT_OVER), {"day": day}).scalar()


def _made_with(rules: CountingRules) -> str:
    """Changes with all that rows depend on beside the records and the days that are asked for."""
    names = [statement.name for statement in STAGE]
    described = repr((names, TRAILING_DAYS, rules))
    return hashlib.sha256(described.encode()).hexdigest()[:16]


SERVERS = ("08", "53", "57P", "58")
"""SQLSTATE of what is wrong with the server or the way to it, not with a workspace."""


def _of_the_server(error: BaseException) -> bool:
    """Whether an error is the server's: then the run ends, and the next one goes on."""
    driver_error = getattr(error, "orig", None) or error
    code = getattr(driver_error, "pgcode", None)
    if code is None:
        return isinstance(driver_error, psycopg2.OperationalError | psycopg2.InterfaceError)
    return str(code).startswith(SERVERS)


def _in_a_line(error: BaseException) -> str:
    """First line of an error with its kind."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


@dataclass(frozen=True, slots=True)
class _Job:
    """Run of the job: its database, settings and listener."""

    database: Database
    settings: Settings
    progress: Progress | None

    def run_for_one(self, work: Work) -> RunOutcome:
        """The work as one that no other workspace waits for."""
        with _under_way(self.database) as connection:
            since = connection.execute(text("select now()")).scalar_one()
            return self._stage_and_publish(connection, work, since)

    def run_for_all(self, connection: Connection, work: Work, requested: SnapshotRun) -> RunOutcome:
        """The work as a run over all workspaces; with it all is finished that was broken off within its
        days."""
        values: dict[str, object] = {
            "day": requested.day,
            "range_first": requested.range_first,
            "resume": requested.resume,
        }
        with self.database.job.begin() as noted:
            values["made_with"] = _made_with(store.rules(noted, self.settings))
            since = noted.execute(text(BEGIN), values).scalar_one()
        outcome = self._stage_and_publish(connection, work, since)
        finished = {"first": requested.range_first or requested.day, "day": requested.day}
        connection.execute(text(END), finished)
        return outcome

    def _stage_and_publish(self, connection: Connection, work: Work, since: datetime) -> RunOutcome:
        """Stages the work, a transaction per workspace, telling of each in the order of the work; then
        publishes what did not fail within the connection's transaction."""

        def stage_or_reason(key: int, ranges: Sequence[DayRange], begins: Begins) -> int | str:
            try:
                return self._stage(begins, key, ranges, since, marks)
            except Exception as error:
                if _of_the_server(error):
                    raise
                return _in_a_line(error)

        ready, rows, failed = {}, 0, {}
        marks: dict[int, datetime] = {}
        with Lanes(self.database.job, [key for key, *_ in work], AT_ONCE) as lanes:
            coming = [
                lanes.submit(key, partial(stage_or_reason, key, ranges)) for key, _, ranges in work
            ]
            for (key, slug, _), done in zip(work, coming, strict=True):
                made = done.result()
                if isinstance(made, str):
                    failed[slug] = made
                else:
                    ready[key] = slug
                    rows += made
                if self.progress:
                    self.progress(slug)
        failed |= _publish_all(connection, ready, since, marks)
        return RunOutcome(len(work) - len(failed), rows, failed)

    def _stage(
        self,
        begins: Begins,
        key: int,
        ranges: Sequence[DayRange],
        since: datetime,
        marks: dict[int, datetime],
    ) -> int:
        """Stages a workspace, and notes in ``marks`` the mark of its days where all of them are made.
        Returns how many rows are staged."""
        with context.job_in(begins, key) as connection:
            # The commit that publishes waits for the disk; a crash before it empties what is staged.
            connection.execute(text("set local synchronous_commit = off"))
            # Against a run that has lost its lock and does not know it yet.
            connection.execute(text("select pg_advisory_xact_lock(:l, :w)"), {"l": LOCK, "w": key})
            if nights.stages(connection):
                values = stage_values(connection, key, ranges, self.settings, since)
                days, marked_at = nights.stage_workspace(connection, values)
                if marked_at:
                    marks[key] = marked_at
                return days
            if connection.execute(text(STAGED), {"w": key, "since": since}).first():
                return 0
            if marked_at := due.mark_of(connection, key, ranges):
                marks[key] = marked_at
            return stage(connection, key, ranges, self.settings, since)


def _publish_all(
    connection: Connection,
    ready: Mapping[int, str],
    since: datetime,
    marks: Mapping[int, datetime],
) -> dict[str, str]:
    """Publishes what is staged within the connection's transaction; returns what was refused, by slug."""
    if nights.stages(connection):
        return _publish_by_node(connection, ready, since, marks)
    failed = {}
    for key, slug in ready.items():
        try:
            with connection.begin_nested(), context.enter(connection, context.JOB, key):
                publish(connection, key, since)
                if key in marks:
                    due.remove_mark(connection, key, marks[key])
        except (SQLAlchemyError, psycopg2.Error) as error:
            if _of_the_server(error):
                raise
            failed[slug] = _in_a_line(error)
    return failed


def _publish_by_node(
    connection: Connection,
    ready: Mapping[int, str],
    since: datetime,
    marks: Mapping[int, datetime],
) -> dict[str, str]:
    """As ``_publish_all``, on all nodes of a cluster at once. Raises Overtaken."""
    failed = {}
    for one in nights.publish_workspaces(connection, list(ready), since, marks):
        if one.is_overtaken:
            raise Overtaken
        if one.refused is not None:
            failed[ready[one.workspace_id]] = one.refused
    return failed
