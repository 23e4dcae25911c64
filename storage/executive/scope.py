"""Scope of the executive view: its workspaces, their fingerprint, and what the viewer may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, text

from aggregators.name_order import by_name
from storage.nodes.visits import DAYS_SEEN, in_scope


@dataclass(frozen=True, slots=True)
class ScopedWorkspace:
    """Workspace where the viewer holds platform_admin. ``left_out`` is the reason or None;
    ``version`` counts the writes of its snapshots."""

    workspace_id: int
    slug: str
    name: str
    region: str | None
    accent: str | None
    left_out: str | None
    last_day: date | None
    computed_at: datetime | None
    version: int


def scoped_workspaces(connection: Connection) -> list[ScopedWorkspace]:
    """Every workspace where the viewer of this transaction holds platform_admin, by name. None of
    their rows is read."""
    rows = connection.execute(text("select * from vigilo.executive_scope()")).all()
    return by_name((ScopedWorkspace(*row) for row in rows), lambda workspace: workspace.name)


@dataclass(frozen=True, slots=True)
class ScopeFingerprint:
    """Fingerprint of a scope, which changes when any of it does: a hash over everything that
    ``scoped_workspaces`` gives, how many workspaces they are; the last snapshot day of any that counts,
    the last that all of them with snapshots have reached; and the last day that a run over all workspaces
    has published. ``lasting`` is a hash over what a snapshot does not change of it, and ``age`` the seconds
    since a run last published; None where none ever has. ``watched_to`` is the last night of the watch,
    which follows a snapshot; ``settings_version`` counts the changes of settings, ``signals_version`` those
    of what people made of signals."""

    fingerprint: str
    workspaces: int
    last_day: date | None
    common_day: date | None
    whole_day: date | None
    lasting: str = field(compare=False, repr=False)
    age: float | None = field(compare=False, repr=False)
    watched_to: date | None = None
    settings_version: int = 0
    signals_version: int = 0


FINGERPRINT_QUERY = text("select * from vigilo.scope_fingerprint()")


def scope_fingerprint(connection: Connection) -> ScopeFingerprint:
    """Fingerprint of the scope of this transaction's viewer; no row of a snapshot is read."""
    return ScopeFingerprint(*connection.execute(FINGERPRINT_QUERY).one())


def newest_day(last: date | None, common: date | None, whole: date | None) -> date | None:
    """The last day that a run over all workspaces has published, or that each of them has reached on its
    own: one workspace that is ahead makes no day of the organisation. Where no such run has ever been, the
    ``last`` day there is."""
    if last is None or common is None or whole is None:
        return last
    return min(last, max(common, whole))


@dataclass(frozen=True, slots=True)
class ViewerRights:
    """Rights of the viewer: platform admin of any workspace, and member of the workspace at hand."""

    is_platform_admin: bool
    is_member: bool


RIGHTS_QUERY = text("""
select exists (select from vigilo.executive_scope()),
       exists (select from vigilo.my_workspaces() m where m.slug = :slug)
""")


def viewer_rights(connection: Connection, slug: str) -> ViewerRights:
    """Rights of this transaction's viewer in the workspace of this slug, as the database says now."""
    return ViewerRights(*connection.execute(RIGHTS_QUERY, {"slug": slug}).one())


def days_seen(connection: Connection, first: date, last: date) -> int:
    """Number of days of the span on which any workspace in scope has a snapshot."""
    return len(
        set(in_scope(connection, DAYS_SEEN, (first, last), lambda row: bytes(row[0] or b"")))
    )
