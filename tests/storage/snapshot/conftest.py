"""A world of one workspace, or of three, and runs of one workspace at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.snapshot import job
from tests.storage.snapshot.runs import LAST, deployed
from tests.world import World


@pytest.fixture
def world(database, settings) -> World:
    made = World(database, settings)
    made.team = made.workspace("team")
    made.alice = made.person("alice@x.example")
    made.member(made.alice, made.team, "platform_admin")
    made.add(
        made.team, "deployment", [deployed(f"d{i}", LAST - timedelta(days=i)) for i in range(60)]
    )
    return made


@pytest.fixture
def three(world) -> World:
    """Three workspaces that Alice answers for, one done after the other."""
    world.more = [world.workspace(slug) for slug in ("unit", "vault")]
    for n, made in enumerate(world.more):
        world.member(world.alice, made, "platform_admin")
        world.add(made, "deployment", [deployed(f"m{n}", LAST)])
    return world


@pytest.fixture
def one_at_a_time(monkeypatch):
    monkeypatch.setattr(job, "AT_ONCE", 1)
