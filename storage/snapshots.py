"""The end-of-day job: raw records -> snapshot rows, one workspace at a time, in its own context.

One transaction per workspace writes every day of a call, so a reader sees all of it or nothing.
Flows are stored as running totals over the snapshot days so far: the figure of any period is a
difference of two rows. Days recomputed in the past move the totals of later days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from settings import Settings
from storage import context
from storage.database import Database
from storage.models import workspace
from storage.setwise import NOTED, STATEMENTS

TRAILING_DAYS = 28
LOCK = 0x5163

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


def run(
    database: Database,
    day: date | None,
    settings: Settings,
    slug: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """The snapshot of ``day`` (yesterday when None), recomputing the trailing days that have one.

    Raises DayNotOver, NoSuchWorkspace. A workspace that fails is reported; the others go on.
    """
    yesterday = settings.now().date() - timedelta(days=1)
    last = day or yesterday
    first = last - timedelta(days=TRAILING_DAYS - 1)
    return _each(database, settings, Range(first, last, only_known=True), slug, progress)


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
    return _each(database, settings, Range(first, last), slug, progress)


def _each(
    database: Database,
    settings: Settings,
    days: Range,
    slug: str | None,
    progress: Progress | None,
) -> Outcome:
    if days.last >= settings.now().date():
        raise DayNotOver(
            f"{days.last} has not ended yet in {settings.time_zone}: the last day is yesterday"
        )
    rows, failed = 0, {}
    chosen = _workspaces(database, slug)
    for workspace_id, name in chosen:
        try:
            with context.job_in(database.job, workspace_id) as connection:
                rows += write(connection, workspace_id, days, settings)
        except Exception as error:  # noqa: BLE001 - one broken workspace must not stop the others
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
        if progress:
            progress(name)
    return Outcome(len(chosen) - len(failed), rows, failed)


def _workspaces(database: Database, slug: str | None) -> list[tuple[int, str]]:
    query = select(workspace.c.id, workspace.c.slug).where(workspace.c.is_active)
    if slug is not None:
        query = query.where(workspace.c.slug == slug)
    with database.job.connect() as connection:
        found = [(row.id, row.slug) for row in connection.execute(query.order_by(workspace.c.slug))]
    if slug is not None and not found:
        raise NoSuchWorkspace(f"no active workspace has the slug {slug}")
    return found


def write(connection: Connection, workspace_id: int, days: Range, settings: Settings) -> int:
    """Writes one workspace's days within the transaction in its job context; returns how many."""
    _prepared(connection, workspace_id)
    values = {
        "w": workspace_id,
        "zone": settings.time_zone,
        "first": days.first,
        "last": days.last,
        "only_known": days.only_known,
        "cadence": list(settings.review_days),
    }
    arguments = ", ".join(f"%({name})s" for name in values)
    with _raw(connection).cursor() as cursor:
        cursor.execute(
            "; ".join(f"execute {s.name} ({arguments})" for s in (*STATEMENTS, NOTED)), values
        )
        return int(cursor.fetchone()[0])


def _prepared(connection: Connection, workspace_id: int) -> None:
    """Waits for its turn in the workspace; prepares what this connection of the server lacks.

    The plans are made once, without the values: making them anew took as long as a night's work.
    """
    names = [s.name for s in (*STATEMENTS, NOTED)]
    connection.execute(
        text(
            "set local plan_cache_mode = force_generic_plan; set local jit = off;"
            " set local work_mem = '32MB'"
        )
    )
    connection.execute(
        text("select pg_advisory_xact_lock(:lock, :id)"), {"lock": LOCK, "id": workspace_id}
    )
    found = connection.execute(
        text("select name from pg_prepared_statements where name = any(:names)"), {"names": names}
    )
    known = set(found.scalars())
    with _raw(connection).cursor() as cursor:
        for statement in (*STATEMENTS, NOTED):
            if statement.name not in known:
                cursor.execute(statement.prepare)


def _raw(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
