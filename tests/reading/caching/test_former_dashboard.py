"""Just after a snapshot the page of before is shown until the new one is ready, and nothing else is."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.caching.cached_dashboard import draw_cached, read_cached, ready_drawing
from reading.caching.dashboard_cache import DashboardCache
from reading.caching.refresher import Refresher
from reading.dashboard import NotPlatformAdmin, current_version, read
from storage.snapshot import job
from tests.reading.cached import LAST, deployed
from tests.world import World


@pytest.fixture
def patient(world):
    """Settings under which the page of before is shown for a minute."""
    return world.settings.model_copy(update={"stale_seconds": 60})


def night(world: World) -> None:
    """Publishes a run over all workspaces, with a deployment more than the one before."""
    world.add(world.ids[0], "deployment", [deployed(f"n{time.monotonic_ns()}", "successful")])
    outcome = job.run(world.database, LAST, world.settings)
    assert outcome.failed == {}


def asked(world: World, kept: DashboardCache, settings, ask: Ask | None = None):
    return read_cached(world.database, world.alice, ask or Ask(), settings, kept)


def settled(world: World, kept: DashboardCache, settings):
    """The dashboard once it is that of the last snapshot."""
    wanted = current_version(world.database, world.alice, Ask(), settings).version
    for _ in range(200):
        dashboard = asked(world, kept, settings)
        if dashboard.version == wanted:
            return dashboard
        time.sleep(0.05)
    raise AssertionError("the new dashboard never came")


def test_the_page_of_before_is_shown_until_the_new_one_is_ready(world, kept, patient):
    night(world)
    before = settled(world, kept, patient)
    night(world)
    world.backfill(LAST - timedelta(days=1), LAST)
    kept.refresher.close()
    first = asked(world, kept, patient)
    assert first.version == before.version
    after = settled(world, kept, patient)
    assert after.version != before.version
    fresh = read(world.database, world.alice, Ask(), patient)
    assert [s.figures for s in after.scorecards] == [s.figures for s in fresh.scorecards]


def test_without_patience_everybody_waits_for_the_new_one(world, kept):
    night(world)
    before = asked(world, kept, world.settings)
    world.backfill(LAST, LAST)
    assert asked(world, kept, world.settings).version != before.version


def test_a_snapshot_of_long_ago_is_waited_for(world, kept, patient):
    night(world)
    before = settled(world, kept, patient)
    world.backfill(LAST, LAST)
    world.sql("update snapshot_run set finished_at = finished_at - interval '61 seconds'")
    assert asked(world, kept, patient).version != before.version


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.revoke(w.alice, w.ids[1]),
        lambda w: w.sql("update workspace set is_active = false where slug = 'beta'"),
        lambda w: w.sql("update workspace set name = 'Renamed' where slug = 'beta'"),
    ],
    ids=["revoked", "inactive", "renamed"],
)
def test_another_scope_is_never_answered_with_what_stood(world, kept, patient, change):
    night(world)
    before = settled(world, kept, patient)
    night(world)
    change(world)
    after = asked(world, kept, patient)
    assert after.version != before.version
    fresh = read(world.database, world.alice, Ask(), patient)
    assert after.scope == fresh.scope


def test_who_lost_everything_sees_nothing(world, kept, patient):
    night(world)
    settled(world, kept, patient)
    night(world)
    for workspace_id in world.ids:
        world.revoke(world.alice, workspace_id)
    with pytest.raises(NotPlatformAdmin):
        asked(world, kept, patient)


def test_other_settings_are_never_answered_with_what_stood(world, kept, patient):
    night(world)
    before = settled(world, kept, patient)
    world.backfill(LAST, LAST)
    other = patient.model_copy(update={"org_name": "Another"})
    assert asked(world, kept, other).version != before.version
    assert asked(world, kept, other).organisation == "Another"


def test_a_drawing_of_before_is_shown_too(world, kept, patient):
    night(world)
    settled(world, kept, patient)

    def drawn() -> str:
        return draw_cached(
            world.database, world.alice, Ask(), patient, kept, ("page",), lambda d: d.version
        )

    before = drawn()
    world.backfill(LAST, LAST)
    kept.refresher.close()
    assert drawn() == before
    after = settled(world, kept, patient).version
    assert drawn() == after != before


def test_a_first_answer_has_the_drawing_of_before_until_the_new_one_is_drawn(world, kept, patient):
    night(world)
    settled(world, kept, patient)
    request = (world.database, world.alice, Ask(), patient, kept, ("page",))
    assert ready_drawing(*request) is None
    before = draw_cached(*request, lambda d: d.version)
    night(world)
    settled(world, kept, patient)
    assert ready_drawing(*request) == before
    after = draw_cached(*request, lambda d: d.version)
    assert ready_drawing(*request) == after != before


@pytest.mark.parametrize("late", ["61 seconds", None], ids=["long ago", "scope"])
def test_a_first_answer_is_never_of_long_ago_nor_of_another_scope(world, kept, patient, late):
    night(world)
    settled(world, kept, patient)
    request = (world.database, world.alice, Ask(), patient, kept, ("page",))
    draw_cached(*request, lambda d: d.version)
    night(world)
    if late:
        world.sql(f"update snapshot_run set finished_at = finished_at - interval '{late}'")
    else:
        world.revoke(world.alice, world.ids[1])
    assert ready_drawing(*request) is None


def test_the_age_is_that_of_the_last_run_that_published(world, patient):
    night(world)
    now = current_version(world.database, world.alice, Ask(), patient)
    assert now.age is not None
    assert 0 <= now.age < 60
    with world.database.owner.begin() as connection:
        connection.execute(text("update snapshot_run set finished_at = null"))
    assert current_version(world.database, world.alice, Ask(), patient).age is None


def test_work_of_one_key_is_done_once_and_a_failure_ends_only_itself():
    refresher, done = Refresher(), []

    def fails() -> None:
        raise RuntimeError("out of order")

    refresher.add("slow", lambda: (time.sleep(0.3), done.append("slow")))
    refresher.add("slow", lambda: done.append("twice"))
    refresher.add("broken", fails)
    refresher.add("next", lambda: done.append("next"))
    for _ in range(100):
        if "next" in done:
            break
        time.sleep(0.05)
    assert done == ["slow", "next"]
    refresher.close()
