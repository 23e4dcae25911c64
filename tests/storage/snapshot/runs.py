"""Runs of the nightly job in a small world, and what stands after them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.dashboard import read, version
from storage.context import job_in
from storage.snapshot import job
from storage.snapshot.tables import STAGED_TABLES
from tests.conftest import TODAY
from tests.world import World, at

LAST = TODAY - timedelta(days=1)


def deployed(key: str, day, outcome: str = "successful"):
    return {
        "key": key,
        "created_at": at(day, 10),
        "completed_at": at(day, 12),
        "outcome": outcome,
        "environment": "production",
    }


def rows(world: World, columns: str = "*") -> list[tuple]:
    with job_in(world.database.job, world.team) as connection:
        found = connection.execute(
            text(f"select {columns} from workspace_usage_snapshot order by snapshot_date")
        )
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in found]


BROKEN = "update duration_block set data = 'broken' where distribution = 'lead_time'"


def blocks(world: World) -> list[tuple]:
    with job_in(world.database.job, world.team) as connection:
        found = connection.execute(
            text(
                "select block, data from duration_block where distribution = 'lead_time' order by block"
            )
        )
        return [(row.block, bytes(row.data)) for row in found]


def run(world: World, day=None, slug=None):
    return job.run(world.database, day, world.settings, slug)


def failure_rate(world: World, preset: int = 28):
    return read(world.database, world.alice, Ask(preset), world.settings).scorecard("dora").headline


EVE = LAST - timedelta(days=1)


def as_of(world: World):
    """The last day that readers are shown."""
    return read(world.database, world.alice, Ask(), world.settings).as_of


def seen(world: World):
    """All that a reader is told, but for what time it is."""
    found = read(world.database, world.alice, Ask(28), world.settings).without_facts()
    return replace(found, now=None)


def told(world: World) -> str:
    return version(world.database, world.alice, Ask(), world.settings)


def runs(world: World) -> list[tuple]:
    with world.database.job.connect() as connection:
        query = "select day, finished_at >= started_at from snapshot_run order by day"
        return [(row[0], bool(row[1])) for row in connection.execute(text(query))]


def noted(world: World) -> dict:
    with world.database.job.connect() as connection:
        query = "select slug, snapshot_day, snapshot_at, snapshot_version from workspace"
        return {row.slug: tuple(row)[1:] for row in connection.execute(text(query))}


def staged(world: World) -> dict[str, int]:
    """How many rows wait in each table, in all workspaces."""
    found = dict.fromkeys((t.name for t in STAGED_TABLES), 0)
    for workspace_id in (world.team, *world.more):
        with job_in(world.database.job, workspace_id) as connection:
            for name in found:
                query = text(f"select count(*) from {name}")
                found[name] += connection.execute(query).scalar_one()
    return found


def killed_at(monkeypatch, workspace_id: int, where: str = "stage"):
    """The program ends where that workspace's turn comes; returns whose turn it was until then."""
    turns, really = [], getattr(job, where)

    def killed(connection, given, *rest):
        turns.append(given)
        if given == workspace_id:
            raise KeyboardInterrupt
        return really(connection, given, *rest)

    monkeypatch.setattr(job, where, killed)
    return turns


def late_cause(world: World) -> None:
    """An incident that restates a day that readers know."""
    world.add(world.team, "incident", [{"key": "INC-1", "opened_at": at(LAST), "caused_by": "d3"}])


def failed_deployments(world: World) -> int:
    return seen(world).scorecard("dora").headline.evidence.numerator
