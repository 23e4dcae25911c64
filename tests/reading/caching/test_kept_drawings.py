"""Drawings that are kept beside the dashboard they are made of."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from dash._utils import to_json

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.period import Ask
from layouts.executive.page import page
from layouts.focus import Focus
from reading.caching.cached_dashboard import draw_cached
from reading.caching.dashboard_cache import DashboardCache
from reading.dashboard import read
from tests.reading.cached import damaged
from tests.world import World


def drawing(world: World, kept: DashboardCache, name: tuple[object, ...] | None, made: list[str]):
    """A drawing that notes each time that it is made."""

    def draw(dashboard):
        made.append(dashboard.version)
        return [c.name for c in dashboard.scorecard("dora").cards]

    return draw_cached(world.database, world.alice, Ask(), world.settings, kept, name, draw)


def test_a_drawing_is_made_once_by_name_and_each_time_without_one(world, kept):
    made: list[str] = []
    first = drawing(world, kept, ("page", ""), made)
    assert drawing(world, kept, ("page", ""), made) == first
    assert drawing(world, DashboardCache(kept.folder), ("page", ""), made) == first
    assert len(made) == 1
    drawing(world, kept, ("page", "alpha"), made)
    assert len(made) == 2
    for _ in range(2):
        assert drawing(world, kept, None, made) == first
    assert len(made) == 4


def test_a_drawing_follows_what_changes(world, kept):
    made: list[str] = []
    assert len(drawing(world, kept, ("page",), made)) == 2
    world.revoke(world.alice, world.ids[1])
    assert drawing(world, kept, ("page",), made) == ["Alpha"]
    assert len(set(made)) == 2


def test_a_drawing_without_a_broken_workspace_is_kept_for_seconds(world, kept, monkeypatch):
    monkeypatch.setattr("reading.caching.cached_dashboard.BROKEN_SECONDS", 0.3)
    made: list[str] = []
    damaged(world, "12345")
    drawing(world, kept, ("page",), made)
    damaged(world, "")
    drawing(world, kept, ("page",), made)
    assert len(made) == 1
    time.sleep(0.4)
    drawing(world, kept, ("page",), made)
    assert len(made) == 2


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.key)
def test_the_kept_page_and_domain_are_those_drawn_afresh(world, kept, domain):
    focus = Focus(domain.key, domain.headline)
    for look in (None, focus):
        name = ("page", look)
        fresh = page(read(world.database, world.alice, Ask(), world.settings), look)
        for keeps in (kept, kept, DashboardCache(kept.folder)):
            asked = (world.database, world.alice, Ask(), world.settings, keeps, name)
            shown = draw_cached(*asked, lambda d, look=look: page(d, look))
            now = world.settings.now()
            assert to_json(shown.at(now)) == to_json(fresh.at(now))
            assert to_json(shown.at(now + timedelta(days=3))) != to_json(shown.at(now))
