"""Dashboards are computed once, by version; whatever changes shows at once."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dash._utils import to_json
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.period import Ask
from layouts.executive.page import page
from reading.caching.cached_dashboard import draw_cached, read_cached
from reading.caching.dashboard_cache import AT_ONCE, KEPT_SECONDS, SOURCES, DashboardCache
from reading.dashboard import NotPlatformAdmin, current_version, read, version
from reading.encode import dashboard_json
from reading.workspace_page import read_workspace
from storage.context import job_in
from tests import samples
from tests.deep import all_but
from tests.reading.cached import LAST, damaged, deployed, kept_read, reading_of
from tests.world import World, at

AHEAD = """
update snapshot_run set day = day - 1;
update workspace set snapshot_day = snapshot_day - 1 where slug = 'beta'
"""
"""Alpha is a day ahead: it has one of its own that no run over all has published."""


def test_what_is_kept_is_what_is_read(world, kept):
    for ask in (Ask(7), Ask(28), Ask(90), Ask(365), Ask(None, LAST - timedelta(days=9), LAST)):
        fresh = dashboard_json(read(world.database, world.alice, ask, world.settings))
        assert dashboard_json(kept_read(world, kept, ask)) == fresh
        assert dashboard_json(kept_read(world, kept, ask)) == fresh
        assert dashboard_json(kept_read(world, DashboardCache(kept.folder), ask)) == fresh


def test_a_second_reading_computes_nothing(world, kept, monkeypatch):
    kept_read(world, kept)
    monkeypatch.setattr(
        "reading.caching.cached_dashboard.read", lambda *_: pytest.fail("computed again")
    )
    kept_read(world, kept)
    kept_read(world, DashboardCache(kept.folder))


def _new_snapshot(world: World) -> None:
    world.add(world.ids[0], "deployment", [deployed("d2", "successful")])
    world.backfill(LAST, LAST)


def _moved_away(world: World) -> None:
    world.owner_sql("update installation set strict_residency = true")
    world.sql("update workspace set region = 'us' where slug = 'beta'")


@pytest.mark.parametrize(
    "change",
    [
        _new_snapshot,
        _moved_away,
        lambda w: w.revoke(w.alice, w.ids[1]),
        lambda w: w.sql("update workspace set is_active = false where slug = 'beta'"),
        lambda w: w.sql("update workspace set name = 'Renamed' where slug = 'beta'"),
        lambda w: w.sql(AHEAD),
    ],
    ids=["snapshot", "region", "revoked", "inactive", "renamed", "another day"],
)
def test_what_changes_shows_at_once(world, kept, change):
    before = kept_read(world, kept)
    change(world)
    after = kept_read(world, kept)
    assert after.version != before.version
    fresh = read(world.database, world.alice, Ask(), world.settings)
    assert dashboard_json(after) == dashboard_json(fresh)
    assert dashboard_json(after) != dashboard_json(before)


def test_nobody_gets_what_another_scope_holds(world, kept):
    kept_read(world, kept)
    carol = world.person("carol@x.example")
    with pytest.raises(NotPlatformAdmin):
        read_cached(world.database, carol, Ask(), world.settings, kept)
    world.member(carol, world.ids[0], "platform_admin")
    assert read_cached(world.database, carol, Ask(), world.settings, kept).scope.slugs == ("alpha",)


def test_two_people_of_one_scope_share_it(world, kept):
    bob = world.person("bob@x.example", home_region="eu")
    for workspace_id in world.ids:
        world.member(bob, workspace_id, "platform_admin")
    asked = (world.database, bob, Ask(), world.settings)
    assert version(*asked) == version(world.database, world.alice, Ask(), world.settings)


def test_what_a_broken_workspace_is_missing_from_is_kept(world, kept, monkeypatch):
    """Were it not kept, all readers would compute it, one after another."""
    monkeypatch.setattr("reading.caching.cached_dashboard.BROKEN_SECONDS", 3600)
    damaged(world, "12345")
    assert kept_read(world, kept).scope.unavailable == ("alpha",)
    damaged(world, "")
    assert kept_read(world, kept).scope.unavailable == ("alpha",)


def test_what_a_broken_workspace_is_missing_from_is_kept_for_seconds_alone(
    world, kept, monkeypatch
):
    monkeypatch.setattr("reading.caching.cached_dashboard.BROKEN_SECONDS", 0.1)
    damaged(world, "12345")
    assert kept_read(world, kept).scope.unavailable == ("alpha",)
    damaged(world, "")
    time.sleep(0.2)
    assert kept_read(world, kept).scope.unavailable == ()


def test_a_database_that_was_made_anew_is_another(world, kept):
    """Counters of a new database come to the same numbers; instants do not."""
    before = kept_read(world, kept)
    world.sql("update workspace set snapshot_at = snapshot_at + interval '1 second'")
    assert kept_read(world, kept).version != before.version


STARVED = (
    "create function vigilo.starved() returns boolean language plpgsql as"
    " $$ begin raise 'out of memory' using errcode = '53200'; end $$",
    "grant execute on function vigilo.starved() to public",
    "create policy starved on duration_block as restrictive for select using (vigilo.starved())",
)
FED = ("drop policy starved on duration_block", "drop function vigilo.starved()")


def test_a_server_without_memory_is_no_broken_workspace(world):
    """Not a page that says of every workspace that it could not be read."""
    for statement in STARVED:
        world.owner_sql(statement)
    try:
        with pytest.raises(OperationalError, match="out of memory"):
            read(*reading_of(world))
    finally:
        for statement in FED:
            world.owner_sql(statement)


@pytest.mark.parametrize("data", ["12345", "123456"])
def test_the_page_of_a_broken_workspace_has_no_data_and_does_not_fail(world, data):
    damaged(world, data)
    for domain in DOMAINS:
        ask = (world.database, world.alice, "alpha", domain.key, Ask(), world.settings)
        assert not any(f.has_data for f in read_workspace(*ask).figures.values())


def test_a_custom_range_shows_nothing_of_a_day_that_one_workspace_has_alone(world):
    world.sql(AHEAD)
    for days in (1, 7):
        ask = Ask(None, LAST - timedelta(days=days - 1), LAST)
        dora = read(world.database, world.alice, ask, world.settings).scorecard("dora")
        assert dora.figures["deployments"].value is None
        assert dora.figures["change_failure_rate"].evidence.days_seen == days - 1
        assert dora.figures["lead_time_for_changes"].evidence.n in (None, 0)


def test_a_name_from_before_the_period_names_nothing(world):
    world.add(world.ids[0], "incident", [{"key": "INC-1", "opened_at": at(LAST - timedelta(90))}])
    world.backfill(LAST - timedelta(days=60), LAST)
    with job_in(world.database.job, world.ids[0]) as connection:
        connection.execute(
            text("delete from workspace_usage_snapshot where snapshot_date > :d"),
            {"d": LAST - timedelta(days=40)},
        )
    ask = Ask(28)
    card = read(world.database, world.alice, ask, world.settings).scorecard("incidents").cards
    oldest = card.find("alpha").figures["oldest_open"]
    assert (oldest.value, oldest.evidence.name) == (None, None)


def test_before_the_first_run_is_through_there_is_no_snapshot(database, settings, kept):
    """Not a dashboard full of zeros or of "no data"."""
    empty = World(database, settings)
    empty.alice = empty.person("alice@x.example")
    for slug in ("alpha", "beta"):
        empty.member(empty.alice, empty.workspace(slug), "platform_admin")
    for ask in (Ask(7), Ask(365), Ask(None, LAST - timedelta(days=90), LAST)):
        seen = kept_read(empty, kept, ask)
        assert (seen.as_of, seen.scope.slugs) == (None, ("alpha", "beta"))
        assert not any(s.cards for s in seen.scorecards)
        assert "No snapshot yet" in to_json(page(seen, None).at(None))
    empty.backfill(LAST, LAST)
    assert kept_read(empty, kept).as_of == LAST


def test_days_before_the_first_snapshot_have_cards_without_data(world, kept):
    seen = kept_read(world, kept, Ask(None, LAST - timedelta(days=90), LAST - timedelta(days=80)))
    assert seen.as_of == LAST
    assert len(seen.scorecard("dora").cards.scopes) == 2
    drawn = to_json(page(seen, None).at(None))
    told = r'tile-empty muted\\"\\u003eNo snapshot was made in this period or before it\.'
    assert len(re.findall(told, drawn)) == len(DOMAINS)


def test_a_day_is_shown_when_every_workspace_has_it(world, kept):
    assert kept_read(world, kept).as_of == LAST
    world.sql(AHEAD)
    assert kept_read(world, kept).as_of == LAST - timedelta(days=1)
    assert kept_read(world, kept).scorecard("dora").figures["deployments"].value is None
    world.sql("update workspace set snapshot_day = snapshot_day + 1 where slug = 'beta'")
    assert kept_read(world, kept).as_of == LAST
    assert kept_read(world, kept).scorecard("dora").figures["deployments"].value == 4


def _ask(folder: Path, log: Path, start) -> None:
    """Process with ten people who ask at once."""
    kept, dashboard = DashboardCache(folder), samples.dashboard(3)

    def make():
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.3)
        return dashboard

    start.wait()
    with ThreadPoolExecutor(10) as people:
        found = list(people.map(lambda _: kept.make_once("v1", make), range(10)))
    assert {d.version for d in found} == {"v1"}


@pytest.mark.parametrize("many", all_but([2], [2, 5]))
def test_many_who_ask_at_once_in_several_processes_compute_it_once(tmp_path, many):
    spawn = multiprocessing.get_context("spawn")
    asked = (tmp_path / "cache", log := tmp_path / "made", spawn.Barrier(many))
    processes = [spawn.Process(target=_ask, args=asked) for _ in range(many)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [p.exitcode for p in processes] == [0] * many
    assert log.read_text() == "made\n"


def test_a_failure_is_not_kept_and_does_not_hold_the_others(kept):
    def fails():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        kept.make_once("v1", fails)
    done = threading.Event()
    thread = threading.Thread(
        target=lambda: kept.make_once("v1", lambda: samples.dashboard(3)) and done.set()
    )
    thread.start()
    assert done.wait(10)
    thread.join()


def test_those_who_wait_while_a_snapshot_lands_do_not_all_read(world, kept, monkeypatch):
    """The version that they asked for is of the past when the first of them is through."""
    reads, looked = [], threading.Barrier(8)

    def moved(*asked):
        reads.append(1)
        if len(reads) == 1:
            _new_snapshot(world)
        time.sleep(0.2)
        return read(*asked)

    def at_once(*asked):
        stands = current_version(*asked)
        if not reads:
            looked.wait(10)
        return stands

    monkeypatch.setattr("reading.caching.cached_dashboard.read", moved)
    monkeypatch.setattr("reading.caching.cached_dashboard.current_version", at_once)
    with ThreadPoolExecutor(8) as people:
        found = list(people.map(lambda _: kept_read(world, kept), range(8)))
    assert len(reads) <= 2
    assert {d.version for d in found} == {read(*reading_of(world)).version}


def _hold(folder: Path, holds) -> None:
    """Begins to compute and never ends."""

    def make():
        holds.set()
        time.sleep(600)

    DashboardCache(folder).make_once("v1", make)


def test_who_dies_while_computing_is_not_waited_for(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    holds = spawn.Event()
    process = spawn.Process(target=_hold, args=(tmp_path / "cache", holds))
    process.start()
    assert holds.wait(30)
    process.kill()
    process.join()
    assert DashboardCache(tmp_path / "cache").make_once("v1", lambda: "made") == "made"


def test_a_folder_that_can_not_be_written_costs_only_the_keeping(tmp_path, caplog):
    (tmp_path / "cache").write_text("no folder")
    kept, made = DashboardCache(tmp_path / "cache"), []
    for _ in range(2):
        assert kept.make_once("v1", lambda: made.append(1) or "made", lambda _: 60.0) == "made"
    assert len(made) == 2
    assert "kept" in caplog.text


def test_a_quarter_of_the_free_disk_is_the_most(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=4 << 20))
    assert DashboardCache(tmp_path / "small").disk.size_limit == 1 << 20
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1 << 50))
    assert DashboardCache(tmp_path / "large").disk.size_limit == 8 << 30


def test_what_is_held_ready_ends_on_time(kept, monkeypatch):
    monkeypatch.setattr("reading.caching.dashboard_cache.HELD_FROM", 0.0)
    made: list[int] = []
    for pause in (0.0, 0.0, 0.4):
        time.sleep(pause)
        kept.make_once("v1", lambda: made.append(1) or made, lambda _: 0.3)
    assert len(made) == 2


@pytest.mark.parametrize("maker", [read, draw_cached, page, DashboardCache])
def test_code_that_makes_what_is_kept_belongs_to_the_release(maker):
    """An upgrade of the program must not hand out what its predecessor computed."""
    assert maker.__module__.split(".")[0] in SOURCES


def test_another_release_is_another_version(world, monkeypatch):
    """A client's ETag is of the program that answered, too."""
    before = version(*reading_of(world))
    monkeypatch.setattr("reading.dashboard.release", lambda: "another")
    assert version(*reading_of(world)) != before


def test_the_folder_is_its_owners_alone(kept):
    kept.make_once("v1", lambda: samples.dashboard(3))
    assert kept.folder.stat().st_mode & 0o777 == 0o700


def test_a_process_holds_what_there_is_room_for_and_forgets_the_oldest(kept, monkeypatch):
    def show(n: int) -> None:
        kept.make_once(f"v{n}", lambda: replace(samples.dashboard(3, seed=n), version=f"v{n}"))

    show(0)
    size = next(size for _, size, _ in kept.ready.values())
    monkeypatch.setattr("reading.caching.dashboard_cache.IN_MEMORY", int(3.5 * size))
    for n in range(1, 9):
        show(n)
    assert 1 < len(kept.ready) <= 4
    assert any(key.startswith("v8:") for key in kept.ready)
    assert not any(key.startswith("v0:") for key in kept.ready)
    assert kept.bytes_ready == sum(size for _, size, _ in kept.ready.values())


def test_few_compute_at_a_time_and_what_is_ready_waits_for_nobody(tmp_path):
    """A drawing that needs a dashboard has its turn for both: nobody waits for himself."""
    kept, going, most, done = DashboardCache(tmp_path), [], [], threading.Event()
    kept.put("ready", "at once", KEPT_SECONDS)

    def dashboard(n: int) -> str:
        going.append(n)
        most.append(len(going))
        done.wait(5)
        going.remove(n)
        return f"dashboard {n}"

    def drawing(n: int) -> str:
        return kept.make_once(f"dashboard:{n}", lambda: dashboard(n)).upper()

    def look(n: int) -> None:
        found.append(kept.make_once(f"drawing:{n}", lambda: drawing(n)))

    found: list[str] = []
    threads = [threading.Thread(target=look, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    while len(going) < AT_ONCE:
        time.sleep(0.01)
    assert kept.make_once("ready", lambda: "made again") == "at once"
    assert not done.is_set()
    done.set()
    for thread in threads:
        thread.join(30)
    assert max(most) == AT_ONCE
    assert sorted(found) == [f"DASHBOARD {n}" for n in range(8)]
