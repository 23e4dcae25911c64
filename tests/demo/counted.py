"""People and counts of the demo organisation."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from auth import accounts
from storage.context import job_in
from tests.conftest import TODAY

LAST = TODAY - timedelta(days=1)


def viewer(database, who: str):
    asking = accounts.on_behalf(database.job, f"{who}@demo.example")
    assert asking is not None
    return asking


def count(database) -> list[int]:
    """Workspaces, accounts, and the deployments of each workspace."""
    with database.job.connect() as connection:
        ids = connection.execute(text("select id from workspace order by id")).scalars().all()
        people_known = connection.execute(text("select count(*) from app_user")).scalar_one()
    found = [len(ids), people_known]
    for workspace_id in ids:
        with job_in(database.job, workspace_id) as connection:
            found += connection.execute(text("select count(*) from deployment")).scalars()
    return found
