"""Rights over annotations: a workspace's are its keepers', the organisation's are those of who is platform
admin of every active workspace. Whoever sees the figures sees them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from aggregators.chosen.annotations import Annotation
from auth import membership
from auth.accounts import Account
from ingest.desk.annotating import Workspace
from storage import context
from storage.chosen import notes
from storage.database import Database
from storage.executive import memberships
from storage.executive.memberships import Membership
from web.chosen.rights import is_everywhere
from web.problem import Problem, needs_platform_admin

WHOLE = "Annotations of the organisation are made by a platform admin of every workspace."


@dataclass(frozen=True, slots=True)
class AnnotationRights:
    """Workspaces whose annotations a person makes, and whether the organisation's are theirs to make."""

    kept: tuple[Membership, ...]
    is_everywhere: bool

    @classmethod
    def of(cls, engine: Engine, database: Database, account: Account) -> AnnotationRights:
        """Rights of the account now. Raises Problem 403 for who looks after no workspace."""
        with context.as_viewer(engine, account.viewer) as connection:
            mine = memberships.memberships(connection)
        kept = tuple(m for m in mine if m.role in membership.KEEPERS)
        if not kept:
            raise Problem(403, "Annotations are for those who look after a workspace's records.")
        return cls(kept, is_everywhere(kept, database))

    def workspace_to_write(self, slug: str | None) -> Workspace | None:
        """Workspace whose annotations they are about to write; None for the organisation. Raises Problem
        403, 404."""
        if not slug:
            if not self.is_everywhere:
                raise needs_platform_admin(WHOLE)
            return None
        for each in self.kept:
            if each.slug == slug:
                return each.workspace_id, each.slug
        raise Problem(404)

    def annotations(
        self, engine: Engine, account: Account, slug: str | None = None
    ) -> list[Annotation]:
        """Annotations that stand: the organisation's and those of their workspaces, or of one of them, the
        newest days first. Raises Problem 404."""
        if slug and slug not in {m.slug for m in self.kept}:
            raise Problem(404)
        chosen = [m for m in self.kept if slug in (None, "", m.slug)]
        with context.as_viewer(engine, account.viewer) as connection:
            annotations = notes.of_organisation(connection)
            for each in chosen:
                with context.enter(connection, context.WORKSPACE, each.workspace_id):
                    annotations += notes.of_workspace(connection, each.workspace_id, each.slug)
        return sorted(annotations, key=lambda note: (note.first_day, note.at), reverse=True)
