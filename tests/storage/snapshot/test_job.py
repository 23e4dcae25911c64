"""The end-of-day job: idempotent, atomic, restating the trailing days, moving later totals."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from storage.context import NoSuchWorkspace, job_in
from storage.snapshot import job
from storage.snapshot.job import DayNotOver
from tests.conftest import TODAY
from tests.storage.snapshot.runs import (
    BROKEN,
    EVE,
    LAST,
    as_of,
    blocks,
    deployed,
    failure_rate,
    killed_at,
    noted,
    rows,
    run,
    runs,
    told,
)
from tests.world import at


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
        connection.execute(text(BROKEN))
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
        connection.execute(text(BROKEN))
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

    stage = job.stage
    monkeypatch.setattr(job, "stage", killed)
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
        connection.execute(text(BROKEN))
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
