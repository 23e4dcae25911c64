"""Three empty workspaces of which Alice is platform admin."""

import pytest

from tests.world import World


@pytest.fixture
def world(database, settings) -> World:
    made = World(database, settings)
    made.alice = made.person("alice@x.example")
    made.ids = {}
    for slug in ("payments", "search", "mobile"):
        made.ids[slug] = made.workspace(slug)
        made.member(made.alice, made.ids[slug], "platform_admin")
    return made
