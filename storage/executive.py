"""Reads snapshots for the executive view: each workspace in its own context, the loop inside
PostgreSQL, one round trip a table. The one-by-one path is kept as the oracle for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection, text

from storage import context


@dataclass(frozen=True, slots=True)
class State:
    """One workspace where the viewer holds platform_admin. ``left_out`` is the reason or None;
    ``failed`` the database's words when its rows could not be read."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    left_out: str | None
    last_day: date | None
    computed_at: datetime | None
    version_at: datetime | None
    failed: str | None


def state(connection: Connection) -> list[State]:
    """Every workspace where the viewer of this transaction holds platform_admin, by name."""
    rows = connection.execute(text("select * from vigilo.executive_state()"))
    return [State(*row) for row in rows]


def usage(connection: Connection, days: Sequence[date]) -> tuple[pd.DataFrame, dict[int, str]]:
    """For each workspace in scope and each day, the last usage snapshot on or before it: columns
    asked_workspace, asked_day and the table's; and what failed, by workspace id."""
    return _read(connection, "executive_usage", days)


def compliance(connection: Connection, days: Sequence[date]) -> tuple[pd.DataFrame, dict[int, str]]:
    """The same for the compliance history: one row per framework of that snapshot."""
    return _read(connection, "executive_compliance", days)


def _read(
    connection: Connection, function: str, days: Sequence[date]
) -> tuple[pd.DataFrame, dict[int, str]]:
    result = connection.execute(
        text(
            "select asked_workspace, asked_day, failed, (snapshot).*"
            f" from vigilo.{function}(cast(:days as date[]))"
        ),
        {"days": list(days)},
    )
    rows = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
    bad = rows[rows["asked_day"].isna()]
    failed = dict(zip(bad["asked_workspace"], bad["failed"], strict=True))
    return rows[~rows["asked_workspace"].isin(list(failed))].drop(columns="failed"), failed


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace where the viewer holds platform_admin, and why it is left out of the rollup."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    left_out: str | None


def scope(connection: Connection) -> list[Place]:
    """Every workspace where the viewer holds platform_admin, without reading any of them."""
    return [
        Place(*row) for row in connection.execute(text("select * from vigilo.executive_scope()"))
    ]


@dataclass(frozen=True, slots=True)
class Membership:
    """A workspace that the viewer is a member of, and their role there."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    role: str


def memberships(connection: Connection) -> list[Membership]:
    """The active workspaces of the viewer of this transaction, by name."""
    return [
        Membership(*row) for row in connection.execute(text("select * from vigilo.my_workspaces()"))
    ]


def own(
    connection: Connection, function: str, workspace_id: int, days: Sequence[date]
) -> pd.DataFrame:
    """``usage`` or ``compliance`` of the one workspace whose context the connection is in."""
    result = connection.execute(
        text(
            f"select asked_day, (snapshot).* from vigilo.{function}_on(:w, cast(:days as date[]))"
        ),
        {"w": workspace_id, "days": list(days)},
    )
    rows = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
    return rows.assign(asked_workspace=workspace_id)


def last_snapshot(connection: Connection, workspace_id: int) -> tuple[date | None, datetime | None]:
    """Day and instant of the last snapshot of the workspace whose context the connection is in."""
    row = connection.execute(
        text(
            "select snapshot_date, computed_at from workspace_usage_snapshot"
            " where workspace_id = :w order by snapshot_date desc limit 1"
        ),
        {"w": workspace_id},
    ).first()
    return (row[0], row[1]) if row else (None, None)


def days_seen(connection: Connection, first: date, last: date) -> int:
    """On how many days of the span any workspace in scope has a snapshot."""
    counted = connection.execute(
        text("select count(distinct day) from vigilo.executive_days_seen(:first, :last)"),
        {"first": first, "last": last},
    )
    return int(counted.scalar_one())


def one_by_one(connection: Connection, table: str, days: Sequence[date]) -> pd.DataFrame:
    """The oracle of ``usage`` and ``compliance``: a plain query per workspace and day, each inside
    ``context.entered``. Slow and obvious; equal to the fast path by test."""
    frames = []
    for workspace in state(connection):
        if workspace.left_out:
            continue
        with context.entered(connection, context.ROLLUP, workspace.workspace_id):
            for day in days:
                result = connection.execute(
                    text(
                        f"select * from {table} where snapshot_date ="
                        f" (select max(snapshot_date) from {table} where snapshot_date <= :day)"
                    ),
                    {"day": day},
                )
                frame = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
                frames.append(frame.assign(asked_workspace=workspace.workspace_id, asked_day=day))
    return pd.concat(frames) if frames else pd.DataFrame()
