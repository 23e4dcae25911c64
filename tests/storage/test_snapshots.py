"""The end-of-day job: idempotent, atomic, restating the trailing days, moving later totals."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context

import psycopg2.errors
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from aggregators.period import Ask
from aggregators.read import read, version
from storage import snapshots
from storage.context import job_in
from storage.database import connect
from storage.models import STAGED_TABLES
from storage.setwise import Statement
from storage.snapshots import DayNotOver, NoSuchWorkspace
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


def rows(world: World, columns: str = "*") -> list[tuple]:
    with job_in(world.database.job, world.team) as connection:
        found = connection.execute(
            text(f"select {columns} from workspace_usage_snapshot order by snapshot_date")
        )
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in found]


def blocks(world: World) -> list[tuple]:
    with job_in(world.database.job, world.team) as connection:
        found = connection.execute(
            text("select block, lead_time from duration_block order by block")
        )
        return [(row.block, bytes(row.lead_time)) for row in found]


def run(world: World, day=None, slug=None):
    return snapshots.run(world.database, day, world.settings, slug)


def failure_rate(world: World, preset: int = 28):
    return read(world.database, world.alice, Ask(preset), world.settings).scorecard("dora").headline


def test_a_run_writes_the_day_alone_when_no_other_is_known(world):
    assert run(world).rows == 1
    assert [r[0] for r in rows(world, "snapshot_date")] == [LAST]


def test_running_twice_changes_nothing_but_when_it_was_computed(world):
    world.backfill(LAST - timedelta(days=40), LAST)
    columns = "snapshot_date, packed, changed_at"
    before = rows(world, columns)
    assert run(world).rows == 28
    world.backfill(LAST - timedelta(days=40), LAST)
    assert rows(world, columns) == before


def test_a_cause_found_later_changes_the_day_of_the_deployment(world):
    world.backfill(LAST - timedelta(days=40), LAST)
    assert failure_rate(world).value == 0
    world.add(
        world.team, "incident", [{"key": "INC-0001", "opened_at": at(LAST), "caused_by": "d20"}]
    )
    run(world)
    rate = failure_rate(world)
    assert (rate.evidence.numerator, rate.evidence.denominator) == (1, 28)
    assert failure_rate(world, 7).value == 0


def test_a_cause_found_after_the_trailing_days_waits_for_a_backfill(world):
    world.backfill(LAST - timedelta(days=59), LAST)
    world.add(
        world.team, "incident", [{"key": "INC-0001", "opened_at": at(LAST), "caused_by": "d40"}]
    )
    run(world)
    assert failure_rate(world, 90).evidence.numerator == 0
    world.backfill(LAST - timedelta(days=59), LAST)
    assert failure_rate(world, 90).evidence.numerator == 1


def test_a_day_filled_in_late_moves_the_totals_of_later_days(world):
    gap = LAST - timedelta(days=10)
    world.backfill(LAST - timedelta(days=40), gap - timedelta(days=1))
    world.backfill(gap + timedelta(days=1), LAST)
    assert failure_rate(world).evidence.days_seen == 27
    assert failure_rate(world).evidence.denominator == 27
    world.backfill(gap, gap)
    late, durations = rows(world, "snapshot_date, packed"), blocks(world)
    world.backfill(LAST - timedelta(days=40), LAST)
    assert rows(world, "snapshot_date, packed") == late
    assert blocks(world) == durations
    assert failure_rate(world).evidence.denominator == 28


def test_a_run_leaves_gaps_for_the_operator_to_fill(world):
    world.backfill(LAST - timedelta(days=40), LAST - timedelta(days=5))
    run(world)
    days = {r[0] for r in rows(world, "snapshot_date")}
    assert LAST in days
    assert LAST - timedelta(days=2) not in days


def test_a_day_that_is_not_over_is_refused(world):
    with pytest.raises(DayNotOver):
        run(world, TODAY)
    with pytest.raises(DayNotOver):
        world.backfill(LAST, TODAY)
    assert rows(world) == []


def test_an_unknown_or_inactive_workspace_is_named(world):
    with pytest.raises(NoSuchWorkspace, match="nobody"):
        run(world, slug="nobody")
    with world.database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false"))
    with pytest.raises(NoSuchWorkspace):
        run(world, slug="team")
    assert run(world).done == 0


def test_a_broken_workspace_does_not_stop_the_others_and_keeps_its_old_rows(world):
    other = world.workspace("other")
    world.add(other, "deployment", [deployed("x", LAST)])
    world.backfill(LAST - timedelta(days=40), LAST)
    with job_in(world.database.job, world.team) as connection:
        connection.execute(text("update duration_block set lead_time = 'broken'"))
    before = rows(world)
    outcome = run(world)
    assert set(outcome.failed) == {"team"}
    assert "stored durations are broken" in outcome.failed["team"]
    assert outcome.done == 1
    assert rows(world) == before


def test_a_broken_workspace_is_shown_as_unavailable_the_others_unaffected(world):
    other = world.workspace("other")
    world.member(world.alice, other, "platform_admin")
    world.add(other, "deployment", [deployed("x", LAST, "failed")])
    world.backfill(LAST - timedelta(days=3), LAST)
    with job_in(world.database.job, world.team) as connection:
        connection.execute(text("update duration_block set lead_time = 'broken'"))
    dashboard = read(world.database, world.alice, Ask(), world.settings)
    assert dashboard.scope.unavailable == ("team",)
    assert [c.slug for c in dashboard.scorecard("dora").cards] == ["other"]
    assert dashboard.scorecard("dora").headline.value == 1


def test_two_runs_at_once_leave_what_one_would(world):
    world.backfill(LAST - timedelta(days=40), LAST)
    before = rows(world, "snapshot_date, packed")
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(run(world))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(world, "snapshot_date, packed") == before
    assert [(o.done, o.failed) for o in outcomes] == [(1, {})] * 4


def test_readers_see_the_whole_old_day_or_the_whole_new_one(world):
    """While a backfill that changes every day is under way, each read is one of the two states."""
    world.backfill(LAST - timedelta(days=59), LAST)
    world.add(
        world.team,
        "incident",
        [
            {"key": f"INC-{i}", "opened_at": at(LAST - timedelta(days=i), 13), "caused_by": f"d{i}"}
            for i in range(60)
        ],
    )
    found = set()
    done = threading.Event()

    def reader() -> None:
        while not done.is_set():
            found.add(failure_rate(world).evidence.numerator)

    thread = threading.Thread(target=reader)
    thread.start()
    world.backfill(LAST - timedelta(days=59), LAST)
    done.set()
    thread.join()
    assert found <= {0, 28}
    assert failure_rate(world).evidence.numerator == 28


def test_killed_in_the_middle_nothing_is_left(world, monkeypatch):
    world.backfill(LAST - timedelta(days=3), LAST - timedelta(days=1))
    before, durations = rows(world), blocks(world)
    written = []

    def killed(*given):
        written.append(stage(*given))
        raise KeyboardInterrupt

    stage = snapshots.stage
    monkeypatch.setattr(snapshots, "stage", killed)
    with pytest.raises(KeyboardInterrupt):
        run(world)
    assert written == [4]
    assert rows(world) == before
    assert blocks(world) == durations


def test_each_row_keeps_when_it_was_computed_and_when_it_last_changed(world):
    world.backfill(LAST - timedelta(days=3), LAST)
    first = rows(world, "snapshot_date, computed_at, changed_at")
    world.add(world.team, "incident", [{"key": "i", "opened_at": at(LAST), "caused_by": "d1"}])
    run(world)
    second = rows(world, "snapshot_date, computed_at, changed_at")
    assert all(b[1] > a[1] for a, b in zip(first, second, strict=True))
    unchanged = [b[2] == a[2] for a, b in zip(first, second, strict=True)]
    assert unchanged == [True, True, False, False]


def test_no_snapshot_yet_is_a_dashboard_without_figures(world):
    dashboard = read(world.database, world.alice, Ask(), world.settings)
    assert dashboard.as_of is None
    assert dashboard.scope.slugs == ("team",)
    assert all(s.is_empty for s in dashboard.scorecards)


def test_memberships_but_nothing_in_scope_is_an_answer(world):
    with world.database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false"))
    dashboard = read(world.database, world.alice, Ask(), world.settings)
    assert dashboard.scope.slugs == ()
    assert dashboard.scope.left_out == {"inactive": ("Team",)}


# A run over all workspaces


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
    monkeypatch.setattr(snapshots, "AT_ONCE", 1)


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
    turns, really = [], getattr(snapshots, where)

    def killed(connection, given, *rest):
        turns.append(given)
        if given == workspace_id:
            raise KeyboardInterrupt
        return really(connection, given, *rest)

    monkeypatch.setattr(snapshots, where, killed)
    return turns


def late_cause(world: World) -> None:
    """An incident that restates a day that readers know."""
    world.add(world.team, "incident", [{"key": "INC-1", "opened_at": at(LAST), "caused_by": "d3"}])


def failed_deployments(world: World) -> int:
    return seen(world).scorecard("dora").headline.evidence.numerator


def test_readers_see_nothing_of_a_run_before_it_is_through(three):
    """Neither its day nor the trailing ones of the workspaces that it has been to."""
    three.backfill(LAST - timedelta(days=40), EVE)
    late_cause(three)
    before, meanwhile = told(three), []
    outcome = snapshots.run(
        three.database, None, three.settings, None, lambda _: meanwhile.append(told(three))
    )
    assert outcome.done == 3
    assert meanwhile == [before] * 3
    assert told(three) != before
    assert (as_of(three), failed_deployments(three)) == (LAST, 1)
    assert runs(three) == [(EVE, True), (LAST, True)]
    assert set(staged(three).values()) == {0}


@pytest.mark.parametrize("where", ["stage", "publish"])
def test_broken_off_readers_see_the_whole_old_day(three, monkeypatch, one_at_a_time, where):
    three.backfill(LAST - timedelta(days=40), EVE)
    late_cause(three)
    before, version_before = seen(three), told(three)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1], where)
        with pytest.raises(KeyboardInterrupt):
            run(three)
    assert told(three) == version_before
    assert seen(three) == before
    assert runs(three) == [(EVE, True), (LAST, False)]
    assert run(three).failed == {}
    assert failed_deployments(three) == 1


def test_a_run_that_was_broken_off_goes_on_where_it_was(three, monkeypatch, one_at_a_time):
    run(three, EVE)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            run(three)
    assert {day for day, _, _ in noted(three).values()} == {EVE}
    turns = killed_at(monkeypatch, 0)
    assert run(three).done == 3
    assert turns == [three.more[1]], "the others were staged"
    assert {day for day, _, _ in noted(three).values()} == {LAST}


def test_a_run_that_was_broken_off_begins_anew_where_it_computes_with_something_else(
    three, monkeypatch, one_at_a_time
):
    """Another cadence of reviews, or another program: one day is not made with two."""
    everybody = [three.team, *three.more]
    another = three.settings.model_copy(update={"review_days": (10, 20, 30, 40)})
    for change in ("settings", "program"):
        run(three, EVE)
        with monkeypatch.context() as patch:
            killed_at(patch, three.more[1])
            with pytest.raises(KeyboardInterrupt):
                run(three)
        with monkeypatch.context() as patch:
            if change == "program":
                patch.setattr(snapshots, "STAGE", (Statement("select 1"), *snapshots.STAGE))
            turns = killed_at(patch, 0)
            settings = another if change == "settings" else three.settings
            snapshots.run(three.database, None, settings)
        assert turns == everybody, change
        assert runs(three)[-1] == (LAST, True)


def test_a_clock_that_was_set_back_does_not_end_a_run_that_was_broken_off(three, monkeypatch):
    run(three)
    with three.database.job.begin() as connection:
        later = "started_at + interval '1 hour', finished_at = finished_at + interval '1 hour'"
        connection.execute(text(f"update snapshot_run set started_at = {later}"))
    with monkeypatch.context() as patch:
        killed_at(patch, three.team)
        with pytest.raises(KeyboardInterrupt):
            run(three)
    assert runs(three) == [(LAST, False)]


@pytest.mark.parametrize("then", ["settings", "backfill"])
def test_after_a_clock_was_set_back_nothing_of_another_run_is_published(
    three, monkeypatch, one_at_a_time, then
):
    run(three)
    with three.database.job.begin() as connection:
        later = "started_at + interval '1 hour', finished_at = finished_at + interval '1 hour'"
        connection.execute(text(f"update snapshot_run set started_at = {later}"))
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            run(three)
    turns = killed_at(monkeypatch, 0)
    if then == "backfill":
        three.backfill(LAST - timedelta(days=3), LAST)
    else:
        another = three.settings.model_copy(update={"review_days": (10, 20, 30, 40)})
        snapshots.run(three.database, None, another)
    assert turns == [three.team, *three.more]
    assert runs(three) == [(LAST, True)]


def test_one_workspace_alone_begins_anew_after_it_was_broken_off(three, monkeypatch):
    three.backfill(LAST - timedelta(days=40), LAST)
    with monkeypatch.context() as patch:
        killed_at(patch, three.team, "publish")
        with pytest.raises(KeyboardInterrupt):
            run(three, slug="team")
    late_cause(three)
    run(three, slug="team")
    assert failed_deployments(three) == 1


def test_what_was_staged_for_another_run_is_not_published(three, monkeypatch, one_at_a_time):
    """Neither rows of another day nor what the records have left behind."""
    three.backfill(LAST - timedelta(days=40), EVE)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            run(three)
    late_cause(three)
    three.backfill(LAST - timedelta(days=50), LAST - timedelta(days=45))
    assert {day for day, _, _ in noted(three).values()} == {EVE}
    run(three)
    assert failed_deployments(three) == 1
    totals = rows(three, "snapshot_date, days_total")
    assert [total for _, total in totals] == list(range(1, len(totals) + 1))


def test_one_workspace_alone_takes_back_what_a_broken_off_run_staged_of_it(
    three, monkeypatch, one_at_a_time
):
    run(three, EVE)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            run(three)
    three.backfill(LAST - timedelta(days=9), EVE, "team")
    run(three)
    totals = rows(three, "snapshot_date, days_total")
    assert totals == [(LAST - timedelta(days=9 - n), n + 1) for n in range(10)]


def test_the_next_night_finishes_the_day_that_was_broken_off(three, monkeypatch, one_at_a_time):
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[0])
        with pytest.raises(KeyboardInterrupt):
            run(three, EVE)
    assert runs(three) == [(EVE, False)]
    assert run(three).done == 3
    assert runs(three) == [(EVE, True), (LAST, True)]
    for workspace_id in (three.team, *three.more):
        with job_in(three.database.job, workspace_id) as connection:
            query = "select snapshot_date from workspace_usage_snapshot order by 1"
            assert connection.execute(text(query)).scalars().all() == [EVE, LAST]


def test_a_day_that_is_computed_anew_stays_with_its_readers(three, monkeypatch):
    run(three)
    before, version_before = noted(three), told(three)
    run(three)
    assert all(noted(three)[slug][2] == before[slug][2] + 1 for slug in before)
    assert told(three) != version_before, "when it was computed is told"
    version_before = told(three)
    killed_at(monkeypatch, three.team)
    with pytest.raises(KeyboardInterrupt):
        run(three)
    assert (as_of(three), told(three)) == (LAST, version_before)


def test_a_failed_workspace_does_not_keep_the_day_from_readers(three):
    three.backfill(LAST - timedelta(days=40), EVE)
    with job_in(three.database.job, three.team) as connection:
        connection.execute(text("update duration_block set lead_time = 'broken'"))
    assert set(run(three).failed) == {"team"}
    assert runs(three)[-1] == (LAST, True)
    assert noted(three)["team"][0] == EVE
    assert as_of(three) == LAST


def test_one_workspace_ahead_makes_no_day_of_the_organisation(three):
    run(three, EVE)
    run(three, slug="unit")
    assert runs(three) == [(EVE, True)]
    assert (as_of(three), noted(three)["unit"][0]) == (EVE, LAST)
    for slug in ("team", "vault"):
        run(three, slug=slug)
    assert as_of(three) == LAST, "each of them is there"


def test_a_workspace_that_stands_still_does_not_hold_the_day_back(three):
    run(three, EVE - timedelta(days=3))
    three.sql("update workspace set is_active = false where slug = 'vault'")
    run(three, EVE)
    three.sql("update workspace set is_active = true where slug = 'vault'")
    assert as_of(three) == EVE


def test_where_no_run_over_all_has_ever_been_the_last_day_counts(three):
    run(three, slug="unit")
    assert (runs(three), as_of(three)) == ([], LAST)


def test_until_the_first_backfill_of_all_is_through_there_is_no_snapshot(
    three, monkeypatch, one_at_a_time
):
    """Half of the workspaces with their history, the others without, is no organisation."""
    first = LAST - timedelta(days=9)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(first, LAST)
    assert as_of(three) is None
    three.backfill(first, LAST)
    assert as_of(three) == LAST
    assert runs(three) == [(LAST, True)]


def test_a_night_finishes_a_backfill_that_was_broken_off(three, monkeypatch, one_at_a_time):
    """With the whole of it, not the night alone; what is staged of it is not computed again."""
    first = LAST - timedelta(days=9)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(first, EVE)
    turns = killed_at(monkeypatch, 0)
    assert run(three).failed == {}
    assert turns == [three.more[1], three.team, *three.more]
    assert runs(three) == [(EVE, True), (LAST, True)]
    for workspace_id in (three.team, *three.more):
        with job_in(three.database.job, workspace_id) as connection:
            query = "select count(*) from workspace_usage_snapshot"
            assert connection.execute(text(query)).scalar() == 10


def test_the_same_night_finishes_a_backfill_up_to_its_day(three, monkeypatch, one_at_a_time):
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(LAST - timedelta(days=9), LAST)
    run(three)
    assert runs(three) == [(LAST, True)]
    with job_in(three.database.job, three.more[1]) as connection:
        query = "select count(*) from workspace_usage_snapshot"
        assert connection.execute(text(query)).scalar() == 10


def test_a_backfill_finishes_what_was_broken_off_within_it(three, monkeypatch):
    with monkeypatch.context() as patch:
        killed_at(patch, three.team)
        with pytest.raises(KeyboardInterrupt):
            run(three, LAST - timedelta(days=2))
    three.backfill(LAST - timedelta(days=5), EVE)
    assert runs(three) == [(LAST - timedelta(days=2), True), (EVE, True)]


def test_of_runs_at_once_one_is_under_way_at_a_time(three, monkeypatch):
    """The others wait, and begin where it is through."""
    under_way, at_once, stage = [], [], snapshots.stage

    def counted(connection, workspace_id, ranges, settings, since):
        under_way.append(since)
        at_once.append(len(set(under_way)))
        made = stage(connection, workspace_id, ranges, settings, since)
        under_way.remove(since)
        return made

    monkeypatch.setattr(snapshots, "stage", counted)
    threads = [threading.Thread(target=run, args=(three,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once == [1] * 12
    assert {day for day, _, _ in noted(three).values()} == {LAST}
    assert runs(three) == [(LAST, True)]


def test_interrupted_no_other_workspace_is_begun(three, one_at_a_time):
    def stop(slug):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshots.run(three.database, None, three.settings, None, stop)
    assert staged(three)["staged_workspace"] < 3


def _dies(settings, after: int) -> None:
    """A process that runs the night and is gone, as by ``kill -9``, after so many workspaces."""
    turns = []

    def tick(slug: str) -> None:
        turns.append(slug)
        if len(turns) == after:
            os.kill(os.getpid(), signal.SIGKILL)

    snapshots.run(connect(settings), None, settings, None, tick)


@pytest.mark.parametrize("after", [1, 3])
def test_a_process_that_is_killed_leaves_the_old_day_and_no_lock(three, after):
    three.backfill(LAST - timedelta(days=40), EVE)
    late_cause(three)
    before = seen(three)
    process = get_context("spawn").Process(target=_dies, args=(three.settings, after))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert seen(three) == before
    assert staged(three)["staged_workspace"] >= after
    run(three)
    assert (as_of(three), failed_deployments(three)) == (LAST, 1)


def test_what_another_run_has_staged_meanwhile_is_not_published(three, one_at_a_time):
    """A run that has lost its connection, and so the lock, goes on staging; nobody publishes its rows."""
    three.backfill(LAST - timedelta(days=9), EVE)
    before = seen(three)

    def overtaken(slug: str) -> None:
        if slug == "vault":
            days = [snapshots.Range(LAST - timedelta(days=3), EVE)]
            with job_in(three.database.job, three.team) as connection:
                other = connection.execute(text("select now()")).scalar_one()
                snapshots.stage(connection, three.team, days, three.settings, other)

    with pytest.raises(snapshots.Overtaken):
        snapshots.run(three.database, None, three.settings, None, overtaken)
    assert seen(three) == before
    run(three)
    assert as_of(three) == LAST


def test_a_run_holds_no_table_while_it_computes(three):
    """An upgrade that waits for it would hold up every reader behind itself."""
    held = []

    def look(_slug: str) -> None:
        with three.database.owner.connect() as connection:
            query = """
                select relation::regclass::text from pg_locks
                where locktype = 'relation' and relation::regclass::text = 'snapshot_run'
            """
            held.extend(connection.execute(text(query)).scalars())

    snapshots.run(three.database, None, three.settings, None, look)
    assert held == []


def test_an_error_while_publishing_one_workspace_does_not_stop_the_others(three):
    run(three, EVE)
    three.owner_sql(
        "create function boom() returns trigger language plpgsql as"
        " $$ begin raise exception 'boom'; end $$;"
        "create trigger boom before insert on workspace_usage_snapshot for each row"
        f" when (new.workspace_id = {three.more[0]}) execute function boom()"
    )
    try:
        outcome = run(three)
    finally:
        three.owner_sql("drop trigger boom on workspace_usage_snapshot; drop function boom()")
    assert (outcome.done, set(outcome.failed)) == (2, {"unit"})
    assert "boom" in outcome.failed["unit"]
    assert (as_of(three), noted(three)["unit"][0]) == (LAST, EVE)
    assert run(three).failed == {}
    assert noted(three)["unit"][0] == LAST


def test_an_error_of_the_server_is_no_broken_workspace(three, monkeypatch, one_at_a_time):
    run(three, EVE)
    stage = snapshots.stage

    def full(connection, key, *rest):
        if key != three.team:
            raise psycopg2.errors.DiskFull("No space left on device")
        return stage(connection, key, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "stage", full)
        with pytest.raises(psycopg2.errors.DiskFull):
            run(three)
    assert (as_of(three), runs(three)[-1]) == (EVE, (LAST, False))
    run(three)
    assert as_of(three) == LAST


@pytest.mark.parametrize(
    "said",
    [
        "set transaction_timeout = '1s'",
        "set idle_in_transaction_session_timeout = '300ms'",
        "set default_transaction_isolation = 'repeatable read'",
    ],
)
def test_a_server_that_is_strict_with_transactions_is_published_to(three, said):
    run(three, EVE)

    def strict(raw, _record):
        with raw.cursor() as cursor:
            cursor.execute(said)
        raw.commit()

    event.listen(three.database.job, "connect", strict)
    three.database.job.dispose()
    try:
        snapshots.run(three.database, None, three.settings, None, lambda _: time.sleep(0.5))
    finally:
        event.remove(three.database.job, "connect", strict)
        three.database.job.dispose()
    assert as_of(three) == LAST


@pytest.mark.parametrize(("broken_last", "first", "last"), [(10, 12, 1), (0, 1, 0)])
def test_a_backfill_that_was_broken_off_is_not_forgotten_for_another(
    three, monkeypatch, one_at_a_time, broken_last, first, last
):
    def ago(days: int):
        return LAST - timedelta(days=days)

    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(ago(30), ago(broken_last))
    three.backfill(ago(first), ago(last))
    run(three)
    for workspace_id in (three.team, *three.more):
        with job_in(three.database.job, workspace_id) as connection:
            query = "select min(snapshot_date) from workspace_usage_snapshot"
            assert connection.execute(text(query)).scalar() == ago(30)


def test_a_framework_that_is_gone_has_no_rows_in_the_days_that_are_written_anew(world):
    """And keeps those of the days that are not."""
    result = {"control": "C1", "assessed_at": at(LAST - timedelta(days=50)), "result": "compliant"}
    world.add(world.team, "control_result", [{"framework": n, **result} for n in ("SOC2", "HIPAA")])
    world.backfill(LAST - timedelta(days=40), LAST)
    with job_in(world.database.job, world.team) as connection:
        connection.execute(text("delete from control_result where framework = 'HIPAA'"))
    run(world)
    with job_in(world.database.job, world.team) as connection:
        query = """
            select framework, max(snapshot_date), count(*) from compliance_snapshot_history
            group by framework order by framework
        """
        found = [tuple(row) for row in connection.execute(text(query))]
    assert found == [("HIPAA", LAST - timedelta(days=28), 13), ("SOC2", LAST, 41)]


def test_after_a_crash_of_the_server_the_run_begins_anew(three, monkeypatch, one_at_a_time):
    """What was staged is empty, readers have the whole old day."""
    three.backfill(LAST - timedelta(days=40), EVE)
    late_cause(three)
    before = seen(three)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            run(three)
    assert staged(three)["staged_workspace"] == 2
    with three.database.job.connect() as connection:
        process = connection.execute(text("select pg_backend_pid()")).scalar_one()
        os.kill(process, signal.SIGKILL)
        connection.invalidate()
    # The server notices the death of its process a moment later, and then begins anew itself.
    left, deadline = {"": 1}, time.monotonic() + 30
    while set(left.values()) != {0} and time.monotonic() < deadline:
        time.sleep(0.2)
        for engine in (three.database.job, three.database.web, three.database.owner):
            engine.dispose()
        with suppress(OperationalError):
            left = staged(three)
    assert set(left.values()) == {0}
    assert seen(three) == before
    run(three)
    assert (as_of(three), failed_deployments(three)) == (LAST, 1)
