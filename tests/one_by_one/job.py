"""One workspace's days from the collectors of this package, written row by row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Connection, Table, text

from aggregators.measure import trailing_quantile
from aggregators.period import TRAILING_WINDOWS
from aggregators.sketch import BLOCK_DAYS, Sketch, bucket_of, packed_days, place_of, unpacked_days
from settings import Settings
from storage.models import (
    QUANTILES,
    USAGE_COUNTERS,
    USAGE_DISTRIBUTIONS,
    USAGE_FLOWS,
    USAGE_LABELS,
    USAGE_LEVELS,
    compliance_history,
    duration_block,
    usage_snapshot,
)
from storage.snapshots import Range
from tests.one_by_one.collect import (
    Days,
    certificates,
    compliance,
    dora,
    incidents,
    slos,
    usage,
    vendors,
)

COLLECTORS = (dora, incidents, slos, certificates, vendors, usage)
WITH_DURATIONS = (dora, incidents)
TOTALS = ["days_total", *(f"{flow}_total" for flow in USAGE_FLOWS)]
NUMBERS = [*USAGE_LEVELS, *USAGE_COUNTERS]
LONGEST = max(TRAILING_WINDOWS)

Buckets = dict[date, np.ndarray]
"""The bucket of each duration of a day."""


def write(connection: Connection, workspace_id: int, given: Range, settings: Settings) -> int:
    """Writes one workspace's days within its transaction; returns the rows written."""
    days = Days(
        connection, workspace_id, given.first, given.last, settings.time_zone, settings.review_days
    )
    wanted = _wanted(days, only_known=given.only_known)
    first, last = wanted[0], wanted[-1]
    days = Days(connection, workspace_id, first, last, settings.time_zone, settings.review_days)
    before = _stored(days, "snapshot_date < :day order by snapshot_date desc limit 1", first)
    replaced = _stored(days, "snapshot_date <= :day order by snapshot_date desc limit 1", last)
    rows = _accumulated(_facts(days).loc[wanted], before)
    later = _stored(days, "snapshot_date > :day order by snapshot_date", last)
    if len(later):
        rows = pd.concat([rows, _moved(later, rows.iloc[[-1]], replaced)])
    rows = _with_quantiles(rows, _durations(days, wanted))
    now = datetime.now(UTC)
    _write_usage(days, rows.assign(computed_at=now, changed_at=now))
    _write_compliance(days, wanted, now)
    connection.execute(text("select vigilo.note_snapshot(:w)"), {"w": workspace_id})
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
    """Every fact of each day: flows of the day alone, levels, labels."""
    facts = pd.concat([module.collect(days) for module in COLLECTORS], axis=1)
    tracked = [c for c in USAGE_LEVELS if c in facts and c.endswith("_tracked")]
    facts[tracked] = facts[tracked].astype(float).fillna(0.0)
    return facts.reindex(columns=[*USAGE_FLOWS, *NUMBERS, *USAGE_LABELS])


def _stored(days: Days, where: str, day: date) -> pd.DataFrame:
    """Stored rows of the workspace."""
    result = days.connection.execute(
        text(f"select * from workspace_usage_snapshot where workspace_id = :w and {where}"),
        {"w": days.workspace_id, "day": day},
    )
    rows = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
    return rows.set_index("snapshot_date")


def _accumulated(facts: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Daily facts -> rows with running totals that go on from the row before."""
    rows = facts[[*NUMBERS, *USAGE_LABELS]].copy()
    daily = facts[list(USAGE_FLOWS)].astype(float).fillna(0.0)
    daily.insert(0, "days", 1.0)
    base = before[TOTALS].iloc[0].to_numpy(float) if len(before) else 0.0
    rows[TOTALS] = daily.cumsum().to_numpy() + base
    return rows


def _moved(later: pd.DataFrame, new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Later rows, their totals moved by what the total before them changed."""
    moved = later[[*NUMBERS, *USAGE_LABELS, *TOTALS, *QUANTILES]].copy()
    was = old[TOTALS].iloc[0].to_numpy(float) if len(old) else 0.0
    moved[TOTALS] = later[TOTALS].to_numpy(float) + (new[TOTALS].iloc[0].to_numpy(float) - was)
    return moved


def _durations(days: Days, wanted: list[date]) -> dict[str, Buckets]:
    """Every stored duration by distribution and day, once the wanted days are written."""
    read = {k: v for module in WITH_DURATIONS for k, v in module.durations(days).items()}
    names = ", ".join(USAGE_DISTRIBUTIONS)
    blocks = days.connection.execute(
        text(f"select block, {names} from duration_block where workspace_id = :w order by block"),
        {"w": days.workspace_id},
    ).all()
    found: dict[str, Buckets] = {}
    for name in USAGE_DISTRIBUTIONS:
        found[name] = {}
        for row in blocks:
            places, buckets, counts = unpacked_days(bytes(getattr(row, name) or b""))
            for place in np.unique(places):
                at = places == place
                found[name][_day(row.block, int(place))] = np.repeat(buckets[at], counts[at])
        for day in wanted:
            seconds = read[name].loc[read[name]["day"] == day, "seconds"].to_numpy(float)
            found[name][day] = bucket_of(seconds)
    _write_blocks(days, wanted, found)
    return found


def _day(block: int, place: int) -> date:
    return date(1970, 1, 1) + timedelta(days=block * BLOCK_DAYS + place)


def _write_blocks(days: Days, wanted: list[date], found: dict[str, Buckets]) -> None:
    """The blocks that hold a wanted day, anew."""
    touched = sorted({place_of(day)[0] for day in wanted})
    days.connection.execute(
        text("delete from duration_block where workspace_id = :w and block = any(:blocks)"),
        {"w": days.workspace_id, "blocks": touched},
    )
    values = []
    for block in touched:
        packed = [_packed(block, found[name]) for name in USAGE_DISTRIBUTIONS]
        if any(packed):
            values.append((days.workspace_id, block, *(data or None for data in packed)))
    names = ["workspace_id", "block", *USAGE_DISTRIBUTIONS]
    _insert(days.connection, duration_block, names, values, "")


def _packed(block: int, by_day: Buckets) -> bytes:
    held = [(place_of(day)[1], b) for day, b in by_day.items() if place_of(day)[0] == block]
    places = [np.full(len(buckets), place) for place, buckets in held]
    if not places:
        return b""
    return packed_days(np.concatenate(places), np.concatenate([b for _, b in held]))


def _with_quantiles(rows: pd.DataFrame, durations: dict[str, Buckets]) -> pd.DataFrame:
    """The rows with the quantiles of the days that end with each of them."""
    found = rows.reindex(columns=[*rows.columns.difference(QUANTILES), *QUANTILES])
    for day in rows.index:
        for name in USAGE_DISTRIBUTIONS:
            for window in TRAILING_WINDOWS:
                pooled = [durations[name].get(day - timedelta(days=n)) for n in range(window)]
                parts = [p for p in pooled if p is not None]
                buckets = np.concatenate(parts) if parts else np.empty(0, np.int64)
                unique, counts = np.unique(buckets.astype(np.int64), return_counts=True)
                for q in (0.5, 0.9):
                    value = Sketch(unique, counts).quantile(q)
                    found.loc[day, trailing_quantile(name, q, window)] = (
                        np.nan if value is None else value
                    )
    return found


def _write_usage(days: Days, rows: pd.DataFrame) -> None:
    columns = [*NUMBERS, *USAGE_LABELS, *TOTALS, *QUANTILES]
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
    """A cell as the driver takes it: NaN as NULL."""
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
