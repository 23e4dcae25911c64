"""Runs that were broken off, killed, or met by another: what their readers see, and how they go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from storage.context import job_in
from storage.snapshot import job
from storage.snapshot.sql import PreparedStatement
from tests.storage.snapshot.runs import (
    EVE,
    LAST,
    as_of,
    failed_deployments,
    killed_at,
    late_cause,
    noted,
    rows,
    run,
    runs,
    seen,
    staged,
    told,
)


def test_readers_see_nothing_of_a_run_before_it_is_through(three):
    """Neither its day nor the trailing ones of the workspaces that it has been to."""
    three.backfill(LAST - timedelta(days=40), EVE)
    late_cause(three)
    before, meanwhile = told(three), []
    outcome = job.run(
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
                patch.setattr(job, "STAGE", (PreparedStatement("select 1"), *job.STAGE))
            turns = killed_at(patch, 0)
            settings = another if change == "settings" else three.settings
            job.run(three.database, None, settings)
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
        job.run(three.database, None, another)
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
