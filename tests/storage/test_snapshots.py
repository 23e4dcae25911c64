"""The end-of-day job: idempotent, atomic, restating the trailing days, moving later totals."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.period import Ask
from aggregators.read import read
from storage import snapshots
from storage.context import job_in
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
    assert hidden_from(world) is None


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
        written.append(write(*given))
        raise KeyboardInterrupt

    write = snapshots.write
    monkeypatch.setattr(snapshots, "write", killed)
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
    """Three workspaces, one done after the other."""
    world.more = [world.workspace(slug) for slug in ("unit", "vault")]
    for n, made in enumerate(world.more):
        world.add(made, "deployment", [deployed(f"m{n}", LAST)])
    return world


@pytest.fixture
def one_at_a_time(monkeypatch):
    monkeypatch.setattr(snapshots, "AT_ONCE", 1)


def hidden_from(world: World):
    """The first day that readers are not shown, as they ask for it."""
    with world.database.web.connect() as connection:
        query = "select min(coalesce(hidden_from, day)) from snapshot_run where finished_at is null"
        return connection.execute(text(query)).scalar()


def runs(world: World) -> list[tuple]:
    with world.database.job.connect() as connection:
        query = "select day, finished_at is not null from snapshot_run order by day"
        return [tuple(row) for row in connection.execute(text(query))]


def noted(world: World) -> dict:
    with world.database.job.connect() as connection:
        query = "select slug, snapshot_day, snapshot_at, snapshot_version from workspace"
        return {row.slug: tuple(row)[1:] for row in connection.execute(text(query))}


def killed_at(monkeypatch, workspace_id: int):
    """The program ends where that workspace's turn comes; returns whose turn it was until then."""
    seen, write = [], snapshots.write

    def killed(connection, given, *rest):
        seen.append(given)
        if given == workspace_id:
            raise KeyboardInterrupt
        return write(connection, given, *rest)

    monkeypatch.setattr(snapshots, "write", killed)
    return seen


def test_readers_do_not_see_a_day_before_its_run_is_through(three):
    run(three, LAST - timedelta(days=1))
    seen = []
    outcome = snapshots.run(
        three.database, None, three.settings, None, lambda _: seen.append(hidden_from(three))
    )
    assert outcome.done == 3
    assert seen == [LAST] * 3
    assert hidden_from(three) is None
    assert runs(three) == [(LAST - timedelta(days=1), True), (LAST, True)]


def test_a_run_that_was_broken_off_goes_on_where_it_was(three, monkeypatch, one_at_a_time):
    run(three, LAST - timedelta(days=1))
    with monkeypatch.context() as patch:
        assert killed_at(patch, three.more[1]) == []
        with pytest.raises(KeyboardInterrupt):
            run(three)
    assert hidden_from(three) == LAST
    before = noted(three)
    assert [before[slug][0] == LAST for slug in ("team", "unit", "vault")] == [True, True, False]
    assert run(three).done == 3
    after = noted(three)
    assert (after["team"], after["unit"]) == (before["team"], before["unit"])
    assert after["vault"][0] == LAST
    assert hidden_from(three) is None


def test_the_next_night_finishes_the_day_that_was_broken_off(three, monkeypatch, one_at_a_time):
    eve = LAST - timedelta(days=1)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[0])
        with pytest.raises(KeyboardInterrupt):
            run(three, eve)
    assert runs(three) == [(eve, False)]
    assert run(three).done == 3
    assert runs(three) == [(eve, True), (LAST, True)]
    assert rows(three, "snapshot_date") == [(eve,), (LAST,)]
    with job_in(three.database.job, three.more[1]) as connection:
        query = "select snapshot_date from workspace_usage_snapshot order by 1"
        assert connection.execute(text(query)).scalars().all() == [eve, LAST]


def test_a_finished_day_is_hidden_again_while_it_is_computed_anew(three, monkeypatch):
    run(three)
    before = noted(three)
    run(three)
    assert all(noted(three)[slug][2] == before[slug][2] + 1 for slug in before)
    killed_at(monkeypatch, three.team)
    with pytest.raises(KeyboardInterrupt):
        run(three)
    assert hidden_from(three) == LAST


def test_a_failed_workspace_does_not_keep_the_day_from_readers(three):
    three.backfill(LAST - timedelta(days=40), LAST - timedelta(days=1))
    with job_in(three.database.job, three.team) as connection:
        connection.execute(text("update duration_block set lead_time = 'broken'"))
    assert set(run(three).failed) == {"team"}
    assert runs(three)[-1] == (LAST, True)
    assert noted(three)["team"][0] == LAST - timedelta(days=1)


def test_one_workspace_alone_hides_nothing_from_anybody(three):
    run(three, slug="unit")
    three.backfill(LAST - timedelta(days=3), LAST, "unit")
    assert runs(three) == []


def test_a_backfill_hides_its_last_day_but_none_that_readers_know(three, monkeypatch):
    three.backfill(LAST - timedelta(days=9), LAST - timedelta(days=1))
    assert runs(three) == [(LAST - timedelta(days=1), True)]
    killed_at(monkeypatch, three.team)
    with pytest.raises(KeyboardInterrupt):
        three.backfill(LAST - timedelta(days=9), LAST - timedelta(days=5))
    assert hidden_from(three) is None
    with pytest.raises(KeyboardInterrupt):
        three.backfill(LAST - timedelta(days=9), LAST)
    assert hidden_from(three) == LAST


def test_the_first_backfill_of_all_hides_every_day_of_it(three, monkeypatch, one_at_a_time):
    """Half of the workspaces with their history, the others without, is no organisation."""
    first = LAST - timedelta(days=9)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(first, LAST)
    assert hidden_from(three) == first
    three.backfill(first, LAST)
    assert hidden_from(three) is None
    assert runs(three) == [(LAST, True)]


def test_a_night_finishes_a_backfill_that_was_broken_off(three, monkeypatch, one_at_a_time):
    """The workspaces that it had not reached get the whole of it, not the night alone."""
    first, eve = LAST - timedelta(days=9), LAST - timedelta(days=1)
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(first, eve)
    before = noted(three)
    assert run(three).failed == {}
    assert hidden_from(three) is None
    assert runs(three) == [(eve, True), (LAST, True)]
    for workspace_id in (three.team, *three.more):
        with job_in(three.database.job, workspace_id) as connection:
            query = "select count(*) from workspace_usage_snapshot"
            assert connection.execute(text(query)).scalar() == 10
    assert noted(three)["team"][2] == before["team"][2] + 1, "computed again"


def test_a_night_anew_hides_its_day_alone(three, monkeypatch):
    """Not all that the backfill hid which wrote that day before."""
    three.backfill(LAST - timedelta(days=9), LAST)
    killed_at(monkeypatch, three.team)
    with pytest.raises(KeyboardInterrupt):
        run(three)
    assert hidden_from(three) == LAST


def test_the_same_night_finishes_a_backfill_up_to_its_day(three, monkeypatch, one_at_a_time):
    with monkeypatch.context() as patch:
        killed_at(patch, three.more[1])
        with pytest.raises(KeyboardInterrupt):
            three.backfill(LAST - timedelta(days=9), LAST)
    run(three)
    with job_in(three.database.job, three.more[1]) as connection:
        query = "select count(*) from workspace_usage_snapshot"
        assert connection.execute(text(query)).scalar() == 10


def test_a_backfill_hides_every_day_that_readers_do_not_know(three, monkeypatch):
    run(three, LAST - timedelta(days=9))
    killed_at(monkeypatch, three.team)
    with pytest.raises(KeyboardInterrupt):
        three.backfill(LAST - timedelta(days=20), LAST)
    assert hidden_from(three) == LAST - timedelta(days=8)


def test_a_backfill_finishes_what_was_broken_off_within_it(three, monkeypatch):
    with monkeypatch.context() as patch:
        killed_at(patch, three.team)
        with pytest.raises(KeyboardInterrupt):
            run(three, LAST - timedelta(days=2))
    three.backfill(LAST - timedelta(days=5), LAST - timedelta(days=1))
    assert hidden_from(three) is None


def test_two_runs_at_once_do_each_workspace_once(three):
    """The second finds what the first has done, whichever comes first to which."""
    with three.database.job.begin() as connection:
        connection.execute(text("insert into snapshot_run (day) values (:day)"), {"day": LAST})
    threads = [threading.Thread(target=run, args=(three,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {version for _, _, version in noted(three).values()} <= {1, 2}
    assert {day for day, _, _ in noted(three).values()} == {LAST}
    assert runs(three) == [(LAST, True)]


def test_interrupted_no_other_workspace_is_begun(three, one_at_a_time):
    def stop(slug):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshots.run(three.database, None, three.settings, None, stop)
    assert noted(three)["vault"][0] is None
