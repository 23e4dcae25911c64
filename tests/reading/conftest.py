"""A small world and a dashboard cache."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reading.caching.dashboard_cache import DashboardCache
from tests.reading.cached import LAST, deployed
from tests.stored_rows import built_once
from tests.world import World


@pytest.fixture
def world(database, settings) -> World:
    return built_once(database, __name__, lambda: of_two_regions(World(database, settings)))


def of_two_regions(made: World) -> World:
    """Two workspaces of Alice's home region."""
    made.alice = made.person("alice@x.example", home_region="eu")
    made.ids = [made.workspace(slug, region="eu") for slug in ("alpha", "beta")]
    for workspace_id in made.ids:
        made.member(made.alice, workspace_id, "platform_admin")
        made.add(
            workspace_id, "deployment", [deployed("d1", "failed"), deployed("d0", "successful")]
        )
    made.backfill(LAST - timedelta(days=40), LAST)
    return made


@pytest.fixture
def kept(tmp_path) -> DashboardCache:
    return DashboardCache(tmp_path / "cache")
