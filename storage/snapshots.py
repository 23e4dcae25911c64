"""The end-of-day job: raw records -> snapshot rows, one workspace at a time, in its own context.

One transaction per workspace writes every day of a call, so a reader sees all of it or nothing.
Flows and distributions are stored as running totals over the snapshot days so far: the figure of
any period is a difference of two rows. Days recomputed in the past move the totals of later days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Connection, Table, select, text

from aggregators.sketch import EMPTY, Sketch, bucket_of
from settings import Settings
from storage import context
from storage.collect import Days, certificates, compliance, dora, incidents, slos, usage, vendors
from storage.database import Database
from storage.models import (
    USAGE_COUNTERS,
    USAGE_DISTRIBUTIONS,
    USAGE_FLOWS,
    USAGE_LABELS,
    USAGE_LEVELS,
    compliance_history,
    usage_snapshot,
    workspace,
)

TRAILING_DAYS = 28
LOCK = 0x5163
COLLECTORS = (dora, incidents, slos, certificates, vendors, usage)
WITH_DURATIONS = (dora, incidents)
TOTALS = ["days_total", *(f"{flow}_total" for flow in USAGE_FLOWS)]
SKETCHES = [f"{name}_total" for name in USAGE_DISTRIBUTIONS]
NUMBERS = [*USAGE_LEVELS, *USAGE_COUNTERS]

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
    return _each(database, settings, first, last, slug, progress, only_known=True)


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
    return _each(database, settings, first, last, slug, progress, only_known=False)


def _each(
    database: Database,
    settings: Settings,
    first: date,
    last: date,
    slug: str | None,
    progress: Progress | None,
    *,
    only_known: bool,
) -> Outcome:
    if last >= settings.now().date():
        raise DayNotOver(
            f"{last} has not ended yet in {settings.time_zone}: the last day is yesterday"
        )
    rows, failed = 0, {}
    chosen = _workspaces(database, slug)
    for workspace_id, name in chosen:
        try:
            with context.job_in(database.job, workspace_id) as connection:
                days = Days(
                    connection, workspace_id, first, last, settings.time_zone, settings.review_days
                )
                rows += _snapshot(days, only_known=only_known)
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


def _snapshot(days: Days, *, only_known: bool) -> int:
    """Writes one workspace's days within its transaction; returns the rows written."""
    connection = days.connection
    connection.execute(
        text("select pg_advisory_xact_lock(:lock, :id)"), {"lock": LOCK, "id": days.workspace_id}
    )
    wanted = _wanted(days, only_known=only_known)
    first, last = wanted[0], wanted[-1]
    days = Days(connection, days.workspace_id, first, last, days.time_zone, days.review_days)
    before = _stored(days, "snapshot_date < :day order by snapshot_date desc limit 1", first)
    replaced = _stored(days, "snapshot_date <= :day order by snapshot_date desc limit 1", last)
    rows = _accumulated(_facts(days).loc[wanted], before)
    later = _stored(days, "snapshot_date > :day order by snapshot_date", last)
    if len(later):
        rows = pd.concat([rows, _moved(later, rows.iloc[[-1]], replaced)])
    now = datetime.now(UTC)
    _write_usage(days, rows.assign(computed_at=now, changed_at=now))
    _write_compliance(days, wanted, now)
    return len(wanted)


def _wanted(days: Days, *, only_known: bool) -> list[date]:
    """The days to write: the whole range, or its last day and those that have a row already."""
    if not only_known:
        return list(days.index)
    known = days.connection.execute(
        text(
            "select snapshot_date from workspace_usage_snapshot"
            " where workspace_id = :w and snapshot_date between :first and :last"
        ),
        {"w": days.workspace_id, "first": days.first, "last": days.last},
    ).scalars()
    return sorted({*known, days.last})


def _facts(days: Days) -> pd.DataFrame:
    """Every fact of each day: flows of the day alone, levels, labels, and one sketch a day."""
    facts = pd.concat([module.collect(days) for module in COLLECTORS], axis=1)
    for module in WITH_DURATIONS:
        for name, seconds in module.durations(days).items():
            facts[name] = _sketches(seconds).reindex(days.index)
    tracked = [c for c in USAGE_LEVELS if c in facts and c.endswith("_tracked")]
    facts[tracked] = facts[tracked].astype(float).fillna(0.0)
    return facts.reindex(columns=[*USAGE_FLOWS, *USAGE_DISTRIBUTIONS, *NUMBERS, *USAGE_LABELS])


def _sketches(seconds: pd.DataFrame) -> pd.Series:
    """One sketch per day from rows (day, seconds)."""
    if seconds.empty:
        return pd.Series(dtype=object)
    buckets = pd.Series(bucket_of(seconds["seconds"].to_numpy(float)), seconds.index)
    return buckets.groupby(seconds["day"]).agg(
        lambda b: Sketch(*(a.astype(np.int64) for a in np.unique(b, return_counts=True)))
    )


def _stored(days: Days, where: str, day: date) -> pd.DataFrame:
    """Stored rows of the workspace, sketches unpacked."""
    result = days.connection.execute(
        text(f"select * from workspace_usage_snapshot where workspace_id = :w and {where}"),
        {"w": days.workspace_id, "day": day},
    )
    rows = pd.DataFrame(result.fetchall(), columns=list(result.keys())).set_index("snapshot_date")
    for column in SKETCHES:
        rows[column] = [Sketch.unpack(data) for data in rows[column]]
    return rows


def _accumulated(facts: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Daily facts -> rows with running totals that go on from the row before."""
    rows = facts[[*NUMBERS, *USAGE_LABELS]].copy()
    daily = facts[list(USAGE_FLOWS)].astype(float).fillna(0.0)
    daily.insert(0, "days", 1.0)
    base = before[TOTALS].iloc[0].to_numpy(float) if len(before) else 0.0
    rows[TOTALS] = daily.cumsum().to_numpy() + base
    for name, column in zip(USAGE_DISTRIBUTIONS, SKETCHES, strict=True):
        running = before[column].iloc[0] if len(before) else EMPTY
        totals = []
        for sketch in facts[name]:
            running = Sketch.merged([running, sketch]) if isinstance(sketch, Sketch) else running
            totals.append(running)
        rows[column] = pd.Series(totals, rows.index, dtype=object)
    return rows


def _moved(later: pd.DataFrame, new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Later rows, their totals moved by what the total before them changed."""
    moved = later[[*NUMBERS, *USAGE_LABELS, *TOTALS, *SKETCHES]].copy()
    was = old[TOTALS].iloc[0].to_numpy(float) if len(old) else 0.0
    moved[TOTALS] = later[TOTALS].to_numpy(float) + new[TOTALS].iloc[0].to_numpy(float) - was
    for column in SKETCHES:
        before = old[column].iloc[0] if len(old) else EMPTY
        moved[column] = [Sketch.merged([s - before, new[column].iloc[0]]) for s in later[column]]
    return moved


def _write_usage(days: Days, rows: pd.DataFrame) -> None:
    columns = [*NUMBERS, *USAGE_LABELS, *TOTALS, *SKETCHES]
    table = usage_snapshot.name
    changed = " or ".join(f"{table}.{c} is distinct from excluded.{c}" for c in columns)
    sets = ", ".join(f"{c} = excluded.{c}" for c in [*columns, "computed_at"])
    conflict = (
        f"on conflict (workspace_id, snapshot_date) do update set {sets},"
        f" changed_at = case when {changed} then excluded.changed_at else {table}.changed_at end"
    )
    names = ["workspace_id", "snapshot_date", *columns, "computed_at", "changed_at"]
    values = (
        (days.workspace_id, day, *map(_plain, row))
        for day, row in zip(
            rows.index, rows[names[2:]].itertuples(index=False, name=None), strict=True
        )
    )
    _insert(days.connection, usage_snapshot, names, values, conflict)


def _write_compliance(days: Days, wanted: list[date], now: datetime) -> None:
    """Replaces the days' rows: a framework may have come or gone."""
    days.connection.execute(
        text(
            "delete from compliance_snapshot_history"
            " where workspace_id = :w and snapshot_date = any(:days)"
        ),
        {"w": days.workspace_id, "days": wanted},
    )
    found = compliance.collect(days)
    found = found[found["day"].isin(wanted)].rename(columns={"day": "snapshot_date"})
    names = ["workspace_id", *found.columns, "computed_at"]
    values = (
        (days.workspace_id, *map(_plain, row), now)
        for row in found.itertuples(index=False, name=None)
    )
    _insert(days.connection, compliance_history, names, values, "")


def _plain(value: Any) -> Any:
    """A cell as the driver takes it: sketches packed, NaN as NULL."""
    if isinstance(value, Sketch):
        return value.pack() or None
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NaT:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _insert(
    connection: Connection, table: Table, names: list[str], values: Iterable[tuple], conflict: str
) -> None:
    raw: Any = connection.connection.dbapi_connection
    listed = ", ".join(names)
    with raw.cursor() as cursor:
        execute_values(
            cursor,
            f"insert into {table.name} ({listed}) values %s {conflict}",
            list(values),
            page_size=200,
        )
