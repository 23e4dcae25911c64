"""Snapshots as they are stored, and the job's own call for one workspace: helpers of the tests here."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from storage.context import job_in
from storage.snapshot import staging
from storage.snapshot.staging import DayRange
from storage.snapshot.tables import SNAPSHOT_TABLES
from tests.conftest import empty
from tests.generated import FIRST
from tests.plain.records import RECORDS, Records
from tests.world import World

ORDER = {
    "workspace_usage_snapshot": "snapshot_date",
    "compliance_snapshot_history": "framework, snapshot_date",
    "duration_block": "distribution, group_key, block",
}
Call = tuple[int, int, bool]
"""Days from FIRST to the first and the last one of a call, and whether only known days are written."""


def rows(database, workspace_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every stored row of a workspace, by table."""
    stored = {}
    with job_in(database.job, workspace_id) as connection:
        for table in SNAPSHOT_TABLES:
            ordered = text(f"select * from {table.name} order by {ORDER[table.name]}")
            stored[table.name] = [
                {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
                for row in connection.execute(ordered).mappings()
            ]
    return stored


def fill(world: World, slug: str, records: Records) -> int:
    """A new workspace with these records; its id."""
    workspace_id = world.workspace(slug)
    for table in RECORDS:
        world.add(workspace_id, table, getattr(records, table))
    for number, membership in enumerate(records.membership):
        person = world.person(f"{slug}-{number}@x.example")
        world.member(person, workspace_id, "viewer", **membership)
    return workspace_id


def alone(server, settings, **tables: list[dict]) -> tuple[World, int]:
    """A world of one workspace with those records."""
    empty(server)
    world = World(server, settings)
    workspace_id = world.workspace("team")
    for table, listed in tables.items():
        world.add(workspace_id, table, listed)
    return world, workspace_id


def dates(call: Call) -> tuple[date, date, bool]:
    """First and last day of a call."""
    first, last, only_known = call
    return FIRST + timedelta(days=first), FIRST + timedelta(days=last), only_known


def write(world: World, workspace_id: int, call: Call) -> int:
    """Snapshots of one workspace, as the job writes them; how many."""
    with job_in(world.database.job, workspace_id) as connection:
        return staging.write(connection, workspace_id, DayRange(*dates(call)), world.settings)
