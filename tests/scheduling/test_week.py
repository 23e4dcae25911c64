"""A week that runs itself, by a moved clock: each night once, what was missed in order, and who is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import text

from scheduling import night
from scheduling.context import ScheduleContext
from scheduling.scheduler import Scheduler
from scheduling.tasks import TASKS
from storage.context import job_in
from storage.scheduled import nights, runs
from storage.scheduled.lock import only_process
from storage.scheduled.runs import SNAPSHOT
from storage.snapshot import job
from tests.deep import long
from tests.webworld import make
from tests.world import World, at

MONDAY = date(2026, 11, 23)
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Week:
    """The small world with its clock in the tests' hands."""

    context: ScheduleContext
    world: World
    clock: time_machine.Traveller

    def days(self) -> list[date]:
        """Days that the runs of the snapshot were for, in their order."""
        with self.context.database.job.connect() as connection:
            newest = runs.newest(connection, SNAPSHOT, 100)
        return [run.day for run in reversed(newest)]

    def subjects(self) -> list[str]:
        """Subjects of the mails, in order of the recipients."""
        query = text("select recipient || ': ' || subject from mail_outbox order by 1")
        with self.context.database.job.connect() as connection:
            return list(connection.execute(query).scalars())

    def state(self) -> nights.NightState:
        with self.context.database.job.connect() as connection:
            return nights.state(connection, self.context.now)


@pytest.fixture
def week(database, settings) -> Iterator[Week]:
    """Sunday the 22nd has its snapshot; it is Monday noon."""
    web = make(database, settings)
    moving = settings.model_copy(update={"today": None})
    with time_machine.travel(at(MONDAY), tick=False) as clock:
        yield Week(ScheduleContext(database, moving), web.world, clock)


def test_a_week_left_alone_has_a_week_of_snapshots(week):
    scheduler = Scheduler(lambda: week.context, [t for t in TASKS if t.name == "snapshots"])
    scheduler.keep()
    try:
        while week.context.now < at(MONDAY + timedelta(days=7), 1):
            week.clock.shift(timedelta(minutes=30))
            scheduler.look()
            until_nothing_is_missing(week, scheduler)
    finally:
        scheduler.stop()
    assert week.days() == [MONDAY + timedelta(days=n) for n in range(7)]
    assert week.state().made == date(2026, 11, 29)
    assert week.subjects() == []


def until_nothing_is_missing(week: Week, scheduler: Scheduler) -> None:
    """Waits while a night is made, however slow the machine: the clock stands. Where none is made, as the
    look of before had not ended, it is five minutes later that the task comes again."""
    for look in range(200):
        if not week.state().missing:
            break
        time.sleep(0.05)
        if look % 10 == 9:
            week.clock.shift(timedelta(minutes=5))
            scheduler.look()


def test_ten_past_midnight_in_the_reporting_zone_and_not_before(week):
    berlin = week.context.settings.model_copy(update={"time_zone": "Europe/Berlin"})
    context = week.context._replace(settings=berlin)
    week.clock.move_to(datetime(2026, 11, 24, 0, 9, 59, tzinfo=BERLIN))
    assert night.run_due(context) == 0
    week.clock.move_to(datetime(2026, 11, 24, 0, 10, tzinfo=BERLIN))
    assert night.run_due(context) == 1
    assert night.run_due(context) == 0
    assert week.days() == [MONDAY]


def test_a_program_that_was_off_makes_every_missed_day_in_order_once_and_says_so(week):
    week.clock.move_to(at(MONDAY + timedelta(days=4), 9))
    assert week.state().is_missed
    assert night.mail_if_missed(week.context) == 1
    assert night.mail_if_missed(week.context) == 0
    assert night.run_due(week.context) == 4
    assert week.days() == [MONDAY + timedelta(days=n) for n in range(4)]
    assert night.run_due(week.context) == 0
    assert week.subjects() == [
        "alice@x.example: Northwind Group: missed snapshots made up: 23 Nov 2026 to 26 Nov 2026",
        "alice@x.example: Northwind Group: the snapshot of 23 Nov 2026 is missing",
    ]


def test_a_workspace_that_fails_is_tried_again_and_mailed_once_a_try(week, monkeypatch):
    whole = job.stage

    def stage(connection, key, ranges, settings, since):
        if key == week.world.beta:
            raise ValueError("its records are broken")
        return whole(connection, key, ranges, settings, since)

    week.clock.move_to(at(MONDAY + timedelta(days=1), 1))
    monkeypatch.setattr(job, "stage", stage)
    assert night.run_due(week.context) == 1
    last = week.state().last_run
    assert (last.state, last.failures) == ("failed", {"beta": "ValueError: its records are broken"})
    assert week.subjects() == [
        "alice@x.example: Northwind Group: the snapshot of 23 Nov 2026 failed"
    ]
    monkeypatch.setattr(job, "stage", whole)
    night.run_due(week.context)
    assert week.state().last_run == last, "it waits before it tries again"
    week.world.sql("update task_run set finished_at = now() - interval '16 minutes'")
    night.run_due(week.context)
    again = week.state().last_run
    assert (again.state, again.day, dict(again.failures)) == ("done", MONDAY, {})
    assert snapshot_day(week, "beta") == MONDAY


def snapshot_day(week: Week, slug: str) -> date:
    with week.context.database.job.connect() as connection:
        query = text("select snapshot_day from workspace where slug = :slug")
        return connection.execute(query, {"slug": slug}).scalar_one()


def test_only_one_process_makes_it(week):
    week.clock.move_to(at(MONDAY + timedelta(days=1), 1))
    with only_process(week.context.database.job, SNAPSHOT) as mine:
        assert mine
        assert night.run_due(week.context) == 0
    assert night.run_due(week.context) == 1


def test_a_night_that_was_killed_goes_on_and_is_told_as_broken_off(week):
    week.clock.move_to(at(MONDAY + timedelta(days=1), 1))
    with week.context.database.job.begin() as connection:
        runs.begin(connection, SNAPSHOT, MONDAY, 2)
    assert night.run_due(week.context) == 1
    with week.context.database.job.connect() as connection:
        done, broken = runs.newest(connection, SNAPSHOT, 2)
    assert (done.state, done.day, done.done) == ("done", MONDAY, 2)
    assert (broken.state, broken.message) == ("failed", "The program was stopped while it ran.")


def test_a_snapshot_that_was_asked_for_is_taken_though_no_night_is_due(week):
    engine = week.context.database.job
    first = runs.request(engine, SNAPSHOT, "alice@x.example")
    assert runs.request(engine, SNAPSHOT, "carol@x.example") == first, "one serves both"
    week.world.add(
        week.world.alpha,
        "deployment",
        [
            {
                "key": "late",
                "created_at": at(MONDAY - timedelta(days=1), 8),
                "completed_at": at(MONDAY - timedelta(days=1), 9),
                "outcome": "successful",
                "environment": "production",
            }
        ],
    )
    assert night.run_requested(week.context) == 1
    assert night.run_requested(week.context) == 0
    last = week.state().last_run
    assert (last.id, last.day, last.asked_by) == (first, date(2026, 11, 22), "alice@x.example")


def test_nothing_is_due_before_there_is_a_workspace(week):
    week.world.sql("update workspace set is_active = false")
    week.clock.move_to(at(MONDAY + timedelta(days=3), 1))
    assert week.state().missing == ()
    assert night.run_due(week.context) == 0


@long(
    "tests/scheduling/test_week.py::test_a_program_that_was_off_makes_every_missed_day_in_order_once_and_says_so"
)
def test_a_season_off_is_made_up_with_its_older_days_in_one_go(week):
    week.clock.move_to(at(MONDAY + timedelta(days=40), 1))
    assert night.run_due(week.context) == 40
    assert len(week.days()) == night.AT_ONCE
    query = text(
        "select count(*) from workspace_usage_snapshot"
        " where workspace_id = :w and snapshot_date >= :first"
    )
    with job_in(week.context.database.job, week.world.alpha) as connection:
        values = {"w": week.world.alpha, "first": MONDAY}
        assert connection.execute(query, values).scalar_one() == 40


def test_the_clock_fires_at_ten_past_midnight_on_days_of_23_and_25_hours():
    (task,) = (t for t in TASKS if t.name == "snapshots")
    trigger = task.when(BERLIN)
    for eve in (datetime(2027, 3, 28, 23, 58), datetime(2026, 10, 25, 23, 58)):
        hours, instant = [], eve.replace(tzinfo=BERLIN)
        for _ in range(8):
            instant = trigger.get_next_fire_time(instant, instant + timedelta(seconds=1))
            hours.append(instant.astimezone(UTC))
        due = (eve.replace(tzinfo=BERLIN) + timedelta(minutes=12)).astimezone(UTC)
        assert due in hours
