"""Workspaces that the viewer is a member of, and their last snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from aggregators.name_order import by_name


@dataclass(frozen=True, slots=True)
class Membership:
    """Membership of the viewer: a workspace and their role there."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    role: str


def memberships(connection: Connection) -> list[Membership]:
    """The active workspaces of the viewer of this transaction, by name."""
    rows = connection.execute(text("select * from vigilo.my_workspaces()"))
    return by_name((Membership(*row) for row in rows), lambda membership: membership.name)


MEMBERSHIP_QUERY = text("""
with mine as materialized (select * from vigilo.my_workspaces())
select exists (select from mine where role = 'platform_admin'), mine.* from mine where slug = :slug
""")


def membership(connection: Connection, slug: str) -> tuple[Membership | None, bool]:
    """The viewer's membership of one active workspace, and whether they are platform admin of any;
    neither without the first."""
    row = connection.execute(MEMBERSHIP_QUERY, {"slug": slug}).first()
    return (Membership(*row[1:]), row[0]) if row else (None, False)


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
