"""Marks of days that are to be made again, taken away by a run that makes them all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from storage.snapshot.staging import DayRange

NOTED = text("""
select d.marked_at from snapshot_due d, (
    select min(snapshot_date) as oldest, max(snapshot_date) as newest
    from workspace_usage_snapshot where workspace_id = :w
) s
where d.workspace_id = :w and greatest(d.first_day, s.oldest) >= :first and s.newest <= :last
""")
DONE = text("delete from snapshot_due where workspace_id = :w and marked_at = :marked_at")


def marked_workspaces(connection: Connection) -> list[int]:
    """Ids of the workspaces with days to make again."""
    query = text("select * from vigilo.workspaces_with_snapshots_due()")
    return list(connection.execute(query).scalars())


def mark_of(
    connection: Connection, workspace_id: int, ranges: Sequence[DayRange]
) -> datetime | None:
    """The mark of a workspace whose days a run is about to make, all of them; None where there is none.
    Asked before the records are read: a later change sets another mark."""
    if len(ranges) != 1:
        return None
    values = {"w": workspace_id, "first": ranges[0].first, "last": ranges[0].last}
    marked_at: datetime | None = connection.execute(NOTED, values).scalar()
    return marked_at


def remove_mark(connection: Connection, workspace_id: int, marked_at: datetime) -> None:
    """Takes a mark away, unless a later change has set it anew."""
    connection.execute(DONE, {"w": workspace_id, "marked_at": marked_at})
