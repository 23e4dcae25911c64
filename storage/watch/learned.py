"""Lessons of the whole installation: the share of a usual day of each day, thresholds,
stretch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from aggregators.signal.rules import Thresholds

SHARES = text("select series, day, share from watch_day where day >= :first order by series, day")
KEEP_SHARE = text("""
insert into watch_day (series, day, share) values (:series, :day, :share)
on conflict (series, day) do update set share = excluded.share
""")
THRESHOLDS = text("select * from watch_threshold")
KEEP_THRESHOLD = text("""
insert into watch_threshold (series, made_on, watch, drifting, stretch, workspaces, days)
values (:series, :made_on, :watch, :drifting, :stretch, :workspaces, :days)
on conflict (series) do update set made_on = excluded.made_on, watch = excluded.watch,
    drifting = excluded.drifting, stretch = excluded.stretch,
    workspaces = excluded.workspaces, days = excluded.days
""")


@dataclass(frozen=True, slots=True)
class OwnThreshold:
    """Thresholds of a series from the installation's own history, and what they rest on."""

    thresholds: Thresholds
    stretch: tuple[float, ...]
    made_on: date
    workspaces: int
    days: int


def shares(connection: Connection, first: date) -> dict[str, dict[date, float]]:
    """Share of a usual day that each day from ``first`` on is, by series."""
    every: dict[str, dict[date, float]] = {}
    for row in connection.execute(SHARES, {"first": first}):
        every.setdefault(row.series, {})[row.day] = row.share
    return every


def keep_shares(connection: Connection, series: str, by_day: Mapping[date, float]) -> None:
    """Writes the shares of some days."""
    if by_day:
        rows = [{"series": series, "day": d, "share": s} for d, s in by_day.items()]
        connection.execute(KEEP_SHARE, rows)


def thresholds(connection: Connection) -> dict[str, OwnThreshold]:
    """Thresholds by series, of those that were made."""
    return {
        row.series: OwnThreshold(
            Thresholds(row.watch, row.drifting),
            tuple(row.stretch),
            row.made_on,
            row.workspaces,
            row.days,
        )
        for row in connection.execute(THRESHOLDS)
    }


def keep_threshold(connection: Connection, series: str, learned: OwnThreshold) -> None:
    """Writes the thresholds of a series."""
    values = {
        "series": series,
        "made_on": learned.made_on,
        "watch": learned.thresholds.watch,
        "drifting": learned.thresholds.drifting,
        "stretch": list(learned.stretch),
        "workspaces": learned.workspaces,
        "days": learned.days,
    }
    connection.execute(KEEP_THRESHOLD, values)
