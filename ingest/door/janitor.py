"""Retention: bodies of deliveries that were read, and statements as they were told, for so many days."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text

from ingest.kept.upkeep import compact
from storage.context import job_in
from storage.database import Database
from storage.tables import workspace

EMPTY = text("""
update delivery set content = null
where workspace_id = :w and received_at < :before and state in ('folded', 'dropped')
  and content is not null
""")


def tidy(database: Database, before: datetime) -> tuple[int, int]:
    """Deletes the bodies of deliveries that were received before then and have nothing in quarantine, and
    compacts the statements of before; returns how many bodies, and of how many records."""
    bodies = records = 0
    with database.job.connect() as connection:
        everyone = list(
            connection.execute(select(workspace.c.id).order_by(workspace.c.id)).scalars()
        )
    for workspace_id in everyone:
        with job_in(database.job, workspace_id) as connection:
            values = {"w": workspace_id, "before": before}
            bodies += connection.execute(EMPTY, values).rowcount
        while True:
            with job_in(database.job, workspace_id) as connection:
                batch = compact(connection, workspace_id, before)
            records += batch
            if not batch:
                break
    return bodies, records
