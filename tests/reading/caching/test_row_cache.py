"""Rows that were read for one are held for the next, and for nobody who does not have them in scope."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.caching import row_cache as held_module
from reading.caching.cached_dashboard import read_cached
from reading.caching.dashboard_cache import DashboardCache
from reading.caching.row_cache import PART, RowCache
from reading.dashboard import NotPlatformAdmin, read
from reading.encode import dashboard_json
from storage.context import job_in
from storage.executive import encoded_rows
from tests.conftest import TODAY
from tests.deep import every
from tests.stored_rows import built_once
from tests.world import World, at

LAST = TODAY - timedelta(days=1)
SLUGS = ("alpha", "beta", "gamma")


def deployed(key: str, day=LAST) -> dict[str, object]:
    return {
        "key": key,
        "created_at": at(day, 9),
        "completed_at": at(day),
        "outcome": "successful",
    }


@pytest.fixture
def world(database, settings) -> World:
    return built_once(database, __name__, lambda: of_two_people(World(database, settings)))


def of_two_people(made: World) -> World:
    """Alice answers for alpha and beta, Bob for beta and gamma."""
    made.alice, made.bob = made.person("alice@x.example"), made.person("bob@x.example")
    made.ids = {slug: made.workspace(slug) for slug in SLUGS}
    for n, workspace_id in enumerate(made.ids.values(), 1):
        days = [LAST - timedelta(days=back) for back in range(0, 30 * n, n)]
        made.add(workspace_id, "deployment", [deployed(f"d{i}", d) for i, d in enumerate(days)])
    for person, slugs in ((made.alice, SLUGS[:2]), (made.bob, SLUGS[1:])):
        for slug in slugs:
            made.member(person, made.ids[slug], "platform_admin")
    made.backfill(LAST - timedelta(days=99), LAST)
    return made


@pytest.fixture
def reads(world, monkeypatch) -> list[set[str]]:
    """The workspaces that the database was asked for the rows of, read by read."""
    found, really = [], encoded_rows.scoped_rows
    slugs = {workspace_id: slug for slug, workspace_id in world.ids.items()}

    def rows(connection, asked, among=None):
        made = really(connection, asked, among)
        found.append({slugs[own.workspace_id] for own in made[0]})
        return made

    monkeypatch.setattr(encoded_rows, "scoped_rows", rows)
    return found


def of(world: World, viewer, held: RowCache | None, ask: Ask | None = None) -> bytes:
    return dashboard_json(read(world.database, viewer, ask or Ask(), world.settings, held))


def assert_as_fresh(world: World, viewer, held: RowCache, ask: Ask | None = None) -> None:
    assert of(world, viewer, held, ask) == of(world, viewer, None, ask)


def test_what_two_have_in_scope_is_read_once(world, reads):
    held = RowCache()
    for ask in (Ask(7), Ask(28), Ask(365)):
        of(world, world.alice, held, ask)
        of(world, world.bob, held, ask)
        of(world, world.bob, held, ask)
    assert reads == [{"alpha", "beta"}, {"gamma"}] * 3


@pytest.mark.parametrize("days", every(4, [7, 28, 90, 365]))
def test_figures_of_held_rows_are_those_of_rows_just_read(world, days):
    """Whatever was held before: rows keep the order of the workspaces, and sums their last bit."""
    for first in (world.alice, world.bob):
        held = RowCache()
        of(world, first, held, Ask(days))
        for viewer in (world.alice, world.bob):
            seen = read(world.database, viewer, Ask(days), world.settings, held)
            facts = seen.scorecard("dora").facts
            assert tuple(slug for slug, _ in facts.scopes) == seen.scope.slugs
            assert_as_fresh(world, viewer, held, Ask(days))


def test_days_of_ones_own_are_not_held(world, reads):
    held, ask = RowCache(), Ask(None, LAST - timedelta(days=9), LAST)
    of(world, world.alice, held, ask)
    of(world, world.alice, held, ask)
    assert reads == [{"alpha", "beta"}] * 2


def _left(world: World) -> None:
    world.revoke(world.alice, world.ids["beta"])


def _inactive(world: World) -> None:
    world.sql("update workspace set is_active = false where slug = 'beta'")


def _moved_away(world: World) -> None:
    world.owner_sql("update installation set strict_residency = true")
    world.sql("update workspace set region = 'us' where slug = 'beta'")
    world.sql("update app_user set home_region = 'eu'")
    world.sql("update workspace set region = 'eu' where slug <> 'beta'")


@pytest.mark.parametrize("change", [_left, _inactive, _moved_away])
def test_nobody_is_given_rows_that_they_no_longer_have_in_scope(world, change):
    held = RowCache()
    of(world, world.alice, held)
    of(world, world.bob, held)
    change(world)
    seen = read(world.database, world.alice, Ask(), world.settings, held)
    assert seen.scope.slugs == ("alpha",)
    assert [card.slug for card in seen.scorecard("dora").cards] == ["alpha"]
    assert_as_fresh(world, world.alice, held)


def test_who_has_nothing_in_scope_is_given_nothing(world):
    held = RowCache()
    of(world, world.alice, held)
    with pytest.raises(NotPlatformAdmin):
        of(world, world.person("carol@x.example"), held)


def test_a_new_snapshot_takes_the_place_of_the_old_one(world):
    held = RowCache()
    of(world, world.alice, held)
    for n in range(3):
        world.add(world.ids["beta"], "deployment", [deployed(f"late{n}")])
        world.backfill(LAST, LAST, "beta")
        of(world, world.alice, held)
    fresh = RowCache()
    of(world, world.alice, fresh)
    assert held.size == fresh.size > 0


def test_a_new_snapshot_of_one_workspace_is_read_and_no_other(world, reads):
    held = RowCache()
    of(world, world.alice, held)
    world.add(world.ids["beta"], "deployment", [deployed("late")])
    world.backfill(LAST, LAST, "beta")
    assert_as_fresh(world, world.alice, held)
    assert reads == [{"alpha", "beta"}, {"beta"}, {"alpha", "beta"}]


def test_a_workspace_that_can_not_be_read_is_tried_again(world, reads):
    held = RowCache()
    lead_times = "duration_block where distribution = 'lead_time'"
    broken = "update duration_block set data = :data where distribution = 'lead_time'"
    with job_in(world.database.job, world.ids["alpha"]) as connection:
        whole = connection.execute(text(f"select block, data from {lead_times}")).all()
        connection.execute(text(broken), {"data": b"12345"})
    asked = (world.database, world.alice, Ask(), world.settings, held)
    assert read(*asked).scope.unavailable == ("alpha",)
    with job_in(world.database.job, world.ids["alpha"]) as connection:
        for block, data in whole:
            connection.execute(text(f"{broken} and block = :b"), {"data": data, "b": block})
    assert read(*asked).scope.unavailable == ()
    assert reads[-1] == {"alpha"}
    assert_as_fresh(world, world.alice, held)


def test_one_large_reading_leaves_the_others(world, reads):
    sizes = {}
    for days in (7, 28):
        alone = RowCache()
        of(world, world.alice, alone, Ask(days))
        sizes[alone.size] = Ask(days)
    (small, asked), (large, too_much) = sorted(sizes.items())
    held = RowCache(room=PART * (large - 1))
    of(world, world.alice, held, asked)
    of(world, world.alice, held, too_much)
    assert held.size == small


def test_what_is_held_does_not_hold_on_to_a_whole_answer(world):
    held = RowCache()
    of(world, world.alice, held)
    assert {type(value) for _, value in held.values.values()} == {bytes}


def test_the_kept_dashboards_of_two_scopes_share_their_rows(world, reads, tmp_path):
    kept = DashboardCache(tmp_path / "cache")
    for viewer in (world.alice, world.bob):
        read_cached(world.database, viewer, Ask(), world.settings, kept)
    assert reads == [{"alpha", "beta"}, {"gamma"}]


def test_on_a_cluster_nothing_is_held(world, reads, tmp_path):
    """Nodes of a cluster commit one after another."""
    kept = DashboardCache(tmp_path / "cache")
    cluster = world.settings.model_copy(update={"distributed": "citus"})
    for viewer in (world.alice, world.bob):
        read_cached(world.database, viewer, Ask(), cluster, kept)
    assert reads == [{"alpha", "beta"}, {"beta", "gamma"}]


def test_rows_that_one_may_see_by_their_home_are_not_for_another(world):
    """Beta is the very one that Bob's rows are held under, and Alice is at home elsewhere."""
    world.owner_sql("update installation set strict_residency = true")
    world.sql("update workspace set region = case slug when 'alpha' then 'eu' else 'us' end")
    world.sql("update app_user set home_region = case when email like 'a%' then 'eu' else 'us' end")
    held = RowCache()
    of(world, world.bob, held)
    assert held.size
    seen = read(world.database, world.alice, Ask(), world.settings, held)
    assert seen.scope.slugs == ("alpha",)
    assert_as_fresh(world, world.alice, held)


def test_who_is_no_platform_admin_any_more_is_given_nothing(world):
    held = RowCache()
    of(world, world.alice, held)
    of(world, world.bob, held)
    with job_in(world.database.job, world.ids["beta"]) as connection:
        demoted = "update membership set role = 'owner' where user_id = :u"
        connection.execute(text(demoted), {"u": world.alice.user_id})
    assert read(world.database, world.alice, Ask(), world.settings, held).scope.slugs == ("alpha",)


def test_many_threads_leave_the_sizes_right(world):
    held = RowCache()
    of(world, world.alice, held, Ask(28))
    held.room = held.size * 2
    asks = [(v, Ask(d)) for d in (7, 28, 90, 365) for v in (world.alice, world.bob)] * 3
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda a: of(world, a[0], held, a[1]), asks))
    assert made[: len(asks) // 3] == [of(world, v, None, a) for v, a in asks[: len(asks) // 3]]
    assert held.size == sum(len(value) for _, value in held.values.values()) <= held.room


def test_what_was_asked_longest_ago_makes_room(world, reads, monkeypatch):
    monkeypatch.setattr(held_module, "PART", 1)
    all_of_them = RowCache()
    for days in (28, 90, 365):
        of(world, world.alice, all_of_them, Ask(days))
    reads.clear()
    held = RowCache(room := all_of_them.size - 1)
    for days in (28, 90, 28, 365, 28):
        of(world, world.alice, held, Ask(days))
        assert 0 < held.size <= room
    assert len(reads) == 3, "28 days were asked for again and again"
    of(world, world.alice, held, Ask(90))
    assert len(reads) == 4, "90 days made room"
    assert reads[-1] < {"alpha", "beta"}, "and only as much as was needed"
    assert held.size == sum(len(value) for _, value in held.values.values())
