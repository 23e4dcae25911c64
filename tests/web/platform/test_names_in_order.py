"""Lists of workspaces stand in one order of names on every page."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from tests.web.test_callbacks import VIEW, focus, send

NAMES = ("Team 10", "Łódź", "Search", "team 2")
ORDER = ["Łódź", "Search", "team 2", "Team 10"]


@pytest.fixture
def renamed(web):
    """Four workspaces of Alice's, with names that code points would put in another order."""
    world = web.world
    slugs = ["alpha", "beta", "third", "fourth"]
    for slug in slugs[2:]:
        world.member(web.people["alice"], world.workspace(slug), "platform_admin")
    with world.database.job.begin() as connection:
        for slug, name in zip(slugs, NAMES, strict=True):
            connection.execute(
                text("update workspace set name = :name where slug = :slug"),
                {"name": name, "slug": slug},
            )
    return web


def in_page(page: str) -> list[str]:
    """The names as they stand one behind the other."""
    return sorted(ORDER, key=page.index)


def test_where_one_chooses_a_workspace(renamed):
    alice = renamed.sign_in("alice")
    main = alice.get("/start?choose=1").text.partition("<main")[2]
    assert in_page(main) == ORDER
    assert [one["name"] for one in json.loads(alice.get("/workspaces.json").text)] == ORDER


def test_on_cards_that_differ_in_nothing(renamed):
    opened = send(renamed.sign_in("alice"), focus(VIEW | {"domain": "vendors"})).text
    words = json.dumps(json.loads(opened), ensure_ascii=False)
    assert in_page(words.partition("by workspace")[2]) == ORDER
