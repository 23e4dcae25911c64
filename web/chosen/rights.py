"""Rights over settings: a workspace's are its managers', the organisation's are those of who is platform
admin of every active workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from auth import membership
from auth.accounts import Account
from ingest.desk.choosing import Workspace
from ingest.due import remake
from storage import context
from storage.database import Database
from storage.executive import memberships
from storage.executive.memberships import Membership
from web.problem import Problem, needs_platform_admin

WHOLE = "The organisation's settings are changed by a platform admin of every workspace."


@dataclass(frozen=True, slots=True)
class SettingRights:
    """Workspaces whose settings a person manages, and whether the organisation's are theirs to change."""

    managed: tuple[Membership, ...]
    is_everywhere: bool

    @classmethod
    def of(cls, engine: Engine, database: Database, account: Account) -> SettingRights:
        """Rights of the account now. Raises Problem 403 for who manages no workspace."""
        with context.as_viewer(engine, account.viewer) as connection:
            mine = memberships.memberships(connection)
        managed = tuple(m for m in mine if membership.manages(m.role))
        if not managed:
            raise Problem(
                403, "Settings are for admins, owners and platform admins of a workspace."
            )
        return cls(managed, is_everywhere(managed, database))

    def workspace(self, slug: str) -> Membership | None:
        """Workspace of a slug whose settings they manage; None for the organisation's (no slug). Raises
        Problem 404 for others."""
        if not slug:
            return None
        for each in self.managed:
            if each.slug == slug:
                return each
        raise Problem(404)

    def workspace_to_change(self, slug: str) -> Workspace | None:
        """Workspace whose settings they are about to change; None for the organisation. Raises Problem 403,
        404."""
        workspace = self.workspace(slug)
        if workspace is None and not self.is_everywhere:
            raise needs_platform_admin(WHOLE)
        return (workspace.workspace_id, workspace.slug) if workspace else None


def is_everywhere(mine: Sequence[Membership], database: Database) -> bool:
    """Whether these make a platform admin of every active workspace."""
    own = {m.workspace_id for m in mine if m.role == membership.PLATFORM_ADMIN}
    return bool(own) and own >= set(remake.slugs(database).values())
