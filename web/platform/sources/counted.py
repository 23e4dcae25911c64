"""Choices of what the deployments of a workspace are, for its members."""

from __future__ import annotations

from sqlalchemy import Engine

from aggregators import catalogue
from ingest.pulling.choice import settling
from layouts.workspace.counted import DeploymentsOf
from storage import context
from storage.database import Database
from storage.executive import memberships
from storage.viewer import Viewer


def counted_as(
    engine: Engine, database: Database, viewer: Viewer, slug: str, domain: str
) -> list[DeploymentsOf]:
    """Parts of sources that feed the workspace, each with what is counted as a deployment; none for a
    domain that counts no deployments, and for whoever is no member."""
    kinds = catalogue.parts("kinds").get(domain)
    if kinds is None or "deployments" not in {kind.name for kind in kinds.KINDS}:
        return []
    with context.as_viewer(engine, viewer) as connection:
        mine = {m.slug: m.workspace_id for m in memberships.memberships(connection)}
    if slug not in mine:
        return []
    with database.job.connect() as connection:
        return [DeploymentsOf(*each) for each in settling.of_workspace(connection, mine[slug])]
