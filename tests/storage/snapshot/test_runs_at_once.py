"""Runs at once, runs that fail or are killed, and what stands of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from datetime import timedelta
from multiprocessing import get_context

import psycopg2.errors
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from storage.context import job_in
from storage.database import connect
from storage.snapshot import job, staging
from tests.deep import all_but
from tests.storage.snapshot.runs import (
    EVE,
    LAST,
    as_of,
    failed_deployments,
    killed_at,
    late_cause,
    noted,
    run,
    runs,
    seen,
    staged,
)


def test_of_runs_at_once_one_is_under_way_at_a_time(three, monkeypatch):
    """The others wait, and begin where it is through."""
    under_way, at_once, stage = [], [], job.stage

    def counted(connection, workspace_id, ranges, settings, since):
        under_way.append(since)
        at_once.append(len(set(under_way)))
        made = stage(connection, workspace_id, ranges, settings, since)
        under_way.remove(since)
        return made

    monkeypatch.setattr(job, "stage", counted)
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
        job.run(three.database, None, three.settings, None, stop)
    assert staged(three)["staged_workspace"] < 3


def _dies(settings, after: int) -> None:
    """A process that runs the night and is gone, as by ``kill -9``, after so many workspaces."""
    turns = []

    def tick(slug: str) -> None:
        turns.append(slug)
        if len(turns) == after:
            os.kill(os.getpid(), signal.SIGKILL)

    job.run(connect(settings), None, settings, None, tick)


@pytest.mark.parametrize("after", all_but([3], [1, 3]))
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
            days = [staging.DayRange(LAST - timedelta(days=3), EVE)]
            with job_in(three.database.job, three.team) as connection:
                other = connection.execute(text("select now()")).scalar_one()
                job.stage(connection, three.team, days, three.settings, other)

    with pytest.raises(staging.Overtaken):
        job.run(three.database, None, three.settings, None, overtaken)
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

    job.run(three.database, None, three.settings, None, look)
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
    stage = job.stage

    def full(connection, key, *rest):
        if key != three.team:
            raise psycopg2.errors.DiskFull("No space left on device")
        return stage(connection, key, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(job, "stage", full)
        with pytest.raises(psycopg2.errors.DiskFull):
            run(three)
    assert (as_of(three), runs(three)[-1]) == (EVE, (LAST, False))
    run(three)
    assert as_of(three) == LAST


@pytest.mark.parametrize(
    "said",
    all_but(
        ["set default_transaction_isolation = 'repeatable read'"],
        [
            "set transaction_timeout = '1s'",
            "set idle_in_transaction_session_timeout = '2s'",
            "set default_transaction_isolation = 'repeatable read'",
        ],
    ),
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
        job.run(three.database, None, three.settings, None, lambda _: time.sleep(0.5))
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


def test_after_a_crash_of_the_server_the_run_begins_anew(three, monkeypatch, one_at_a_time):
    """Staging tables are empty, readers have the whole old day."""
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
