"""Reads through the dashboard cache of a small world."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.caching.cached_dashboard import read_cached
from reading.caching.dashboard_cache import DashboardCache
from storage.context import job_in
from tests.conftest import TODAY
from tests.world import World, at

LAST = TODAY - timedelta(days=1)


def deployed(key: str, outcome: str) -> dict[str, object]:
    return {
        "key": key,
        "created_at": at(LAST, 9),
        "completed_at": at(LAST),
        "outcome": outcome,
    }


def kept_read(world: World, kept: DashboardCache, ask: Ask | None = None):
    return read_cached(world.database, world.alice, ask or Ask(), world.settings, kept)


def damaged(world: World, data: str) -> None:
    with job_in(world.database.job, world.ids[0]) as connection:
        connection.execute(text("update duration_block set data = :d"), {"d": data.encode()})


def reading_of(world: World) -> tuple:
    return world.database, world.alice, Ask(), world.settings
