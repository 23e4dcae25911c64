"""Rights over sources: a workspace's are its managers', the organisation's are those of who is platform
admin of every active workspace. A platform admin of some sees the organisation's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from auth import membership
from ingest.pulling import store
from ingest.pulling.store import NoSuchSource, StoredSource
from storage import context
from storage.database import Database
from storage.executive import memberships
from storage.executive.memberships import Membership
from storage.viewer import Viewer
from web.chosen.rights import is_everywhere
from web.problem import Problem

WHOLE = (
    "The organisation's sources are connected and changed by a platform admin of every workspace."
)


@dataclass(frozen=True, slots=True)
class SourceRights:
    """Workspaces of a person whose sources they see, and those whose sources they manage."""

    seen: tuple[Membership, ...]
    managed: tuple[Membership, ...]
    administered: tuple[Membership, ...]
    is_everywhere: bool
    """Whether the organisation's sources are theirs to manage."""

    @classmethod
    def of(cls, engine: Engine, database: Database, viewer: Viewer) -> SourceRights:
        """Rights of the person now. Raises Problem 403 for who looks after no workspace."""
        with context.as_viewer(engine, viewer) as connection:
            mine = memberships.memberships(connection)
        seen = tuple(m for m in mine if m.role in membership.KEEPERS)
        if not seen:
            raise Problem(403, "Sources are for those who look after a workspace's records.")
        managed = tuple(m for m in seen if membership.manages(m.role))
        administered = tuple(m for m in managed if m.role == membership.PLATFORM_ADMIN)
        return cls(seen, managed, administered, is_everywhere(administered, database))

    @property
    def is_platform_admin(self) -> bool:
        """Whether they see the organisation's sources."""
        return bool(self.administered)

    def may_manage(self, source: StoredSource) -> bool:
        """Whether they may change the source."""
        if source.home_workspace is None:
            return self.is_everywhere
        return any(m.workspace_id == source.home_workspace for m in self.managed)

    def sources(self, jobs: Engine) -> list[StoredSource]:
        """Sources that they see."""
        ids = [m.workspace_id for m in self.seen]
        return store.list_sources(jobs, ids, organisation=self.is_platform_admin)

    def source(self, jobs: Engine, id: int) -> StoredSource:
        """Get one that they see. Raises Problem 404."""
        try:
            source = store.find_source(jobs, id)
        except NoSuchSource:
            raise Problem(404) from None
        homes = {m.workspace_id for m in self.seen}
        is_seen = (
            self.is_platform_admin
            if source.home_workspace is None
            else source.home_workspace in homes
        )
        if not is_seen:
            raise Problem(404)
        return source

    def managed_source(self, jobs: Engine, id: int) -> StoredSource:
        """Get one that they manage. Raises Problem 403, 404."""
        source = self.source(jobs, id)
        if not self.may_manage(source):
            raise Problem(
                403, WHOLE if source.home_workspace is None else "This source is managed by others."
            )
        return source

    def managed_id(self, slug: str) -> int:
        """Id of a workspace whose sources they manage. Raises Problem 403."""
        for each in self.managed:
            if each.slug == slug:
                return each.workspace_id
        raise Problem(403, "You do not manage the sources of that workspace.")
