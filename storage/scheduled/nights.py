"""Nights: the day whose snapshot is due, the days that were missed, and how the last one went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, text

import instants
from storage.scheduled import runs
from storage.scheduled.runs import SNAPSHOT, TaskRun

AFTER = timedelta(minutes=10)
"""Time after midnight in the reporting zone at which a day's snapshot is due."""
GRACE = timedelta(hours=2)
"""Time after which a snapshot that is due counts as missed."""
LAST_WHOLE = text("""
select coalesce(
    (select max(day) from snapshot_run where finished_at >= started_at),
    (select min(snapshot_day) from workspace where is_active and snapshot_day is not null))
""")
IS_ANY = text("select exists (select from workspace where is_active)")


@dataclass(frozen=True, slots=True)
class NightState:
    """State of the nightly snapshot: the last day of all workspaces, the days that are missing up to the
    one that is due, since when, and the last run."""

    made: date | None
    missing: tuple[date, ...]
    due_at: datetime
    last_run: TaskRun | None
    now: datetime

    @property
    def is_missed(self) -> bool:
        """Whether a night is missing for longer than one takes to be noticed."""
        return bool(self.missing) and self.now > self.due_at + GRACE

    def lines(self) -> list[str]:
        """Lines for an operator: the last day made, the last run, what is missing."""
        lines = [f"snapshot: {self.made or 'none yet'}"]
        run = self.last_run
        if run is not None:
            took = (
                f", took {run.duration.total_seconds():.1f} s" if run.duration is not None else ""
            )
            ended = f" {instants.to_the_second(run.finished_at)}" if run.finished_at else ""
            failed = f", failed in {len(run.failures)}" if run.failures else ""
            lines.append(f"last run: {run.day or ''} {run.state}{ended}{took}{failed}")
        if self.missing:
            lines.append(f"missing: {', '.join(map(str, self.missing[:7]))}")
        return lines


def due_day(now: datetime) -> date:
    """The last day whose snapshot is due, at an instant in the reporting zone."""
    return (now - AFTER).date() - timedelta(days=1)


def due_at(day: date, now: datetime) -> datetime:
    """When the snapshot of a day is due, in the zone of ``now``."""
    return datetime.combine(day + timedelta(days=1), time(), now.tzinfo) + AFTER


def state(connection: Connection, now: datetime) -> NightState:
    """How the nights stand."""
    last = connection.execute(LAST_WHOLE).scalar()
    due = due_day(now)
    if not connection.execute(IS_ANY).scalar():
        missing: tuple[date, ...] = ()
    elif last is None:
        missing = (due,)
    else:
        missing = tuple(last + timedelta(days=n) for n in range(1, (due - last).days + 1))
    begun = due_at(missing[0] if missing else due, now)
    newest = runs.newest(connection, SNAPSHOT)
    return NightState(last, missing, begun, newest[0] if newest else None, now)
