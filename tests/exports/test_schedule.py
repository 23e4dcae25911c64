"""Packs that come by themselves: the calendar, who gets one, and who no longer does."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Span
from exports import queue, schedule, worker
from exports.schedule import InvalidSubscription, last_complete
from exports.worker import ExportContext
from tests.webworld import make


def span(start, end):
    return Span(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("cadence", "now", "expected"),
    [
        ("weekly", "2026-11-23T03:00", span("2026-11-16", "2026-11-22")),
        ("weekly", "2026-11-23T01:59", span("2026-11-09", "2026-11-15")),
        ("weekly", "2026-11-29T12:00", span("2026-11-16", "2026-11-22")),
        ("monthly", "2026-11-23T12:00", span("2026-10-01", "2026-10-31")),
        ("monthly", "2024-03-01T03:00", span("2024-02-01", "2024-02-29")),
        ("monthly", "2026-01-01T01:00", span("2025-11-01", "2025-11-30")),
        ("quarterly", "2026-11-23T12:00", span("2026-07-01", "2026-09-30")),
        ("quarterly", "2026-01-15T12:00", span("2025-10-01", "2025-12-31")),
        ("quarterly", "2026-12-31T23:00", span("2026-07-01", "2026-09-30")),
    ],
)
def test_calendar_periods(cadence, now, expected):
    assert last_complete(cadence, datetime.fromisoformat(now).replace(tzinfo=UTC)) == expected


def test_the_reporting_zone_decides_when_a_week_is_over():
    moment = datetime(2026, 11, 22, 18, tzinfo=UTC)
    assert last_complete("weekly", moment).end == date(2026, 11, 15)
    auckland = moment.astimezone(ZoneInfo("Pacific/Auckland"))
    assert last_complete("weekly", auckland).end == date(2026, 11, 22)


@pytest.fixture
def here(database, settings, tmp_path):
    web = make(database, settings)
    own = settings.model_copy(update={"data_dir": tmp_path})
    return ExportContext(database, own), web


def later(place, day):
    return ExportContext(place.database, place.settings.model_copy(update={"today": day}))


def mails(place):
    folder = place.settings.data_dir / "mails"
    found = sorted(folder.iterdir()) if folder.exists() else []
    return [message_from_bytes(p.read_bytes(), policy=policy.default) for p in found]


def subscribe(here, who="alice", owner="alice", cadence="weekly"):
    place, web = here
    schedule.subscribe(
        place.database.job,
        web.people[owner],
        f"{who}@x.example",
        cadence,
        "pdf",
        place.settings.now(),
    )


def test_each_recipient_gets_their_own_scope_once_a_period(here):
    place, web = here
    web.world.member(web.people["dave"], web.world.beta, "platform_admin")
    subscribe(here)
    subscribe(here, "dave")
    assert schedule.queue_due(place.database, place.settings) == 0  # it begins with the next period
    monday = later(place, date(2026, 11, 30))
    for _ in range(3):
        schedule.queue_due(monday.database, monday.settings)
        worker.tidy(monday)
        worker.drain(monday)
    with place.database.job.connect() as connection:
        rows = connection.execute(
            text("select u.email, j.scope, j.params, j.state from export_job j"
                 " join app_user u on u.id = j.user_id order by u.email")
        ).all()  # fmt: skip
    assert [(r.email, sorted(r.scope), r.state) for r in rows] == [
        ("alice@x.example", ["alpha", "beta"], "ready"),
        ("dave@x.example", ["beta"], "ready"),
    ]
    assert rows[0].params["start"] == "2026-11-23"
    assert sorted(m["To"] for m in mails(monday)) == ["alice@x.example", "dave@x.example"]


def test_many_processes_queue_it_once(here):
    place, _ = here
    subscribe(here)
    monday, start, found = later(place, date(2026, 11, 30)), threading.Barrier(6), []

    def ask():
        start.wait()
        found.append(schedule.queue_due(monday.database, monday.settings))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 1


def test_who_lost_the_role_gets_none_and_the_subscription_says_why(here):
    place, web = here
    web.world.member(web.people["dave"], web.world.beta, "platform_admin")
    subscribe(here, "dave")
    web.world.revoke(web.people["dave"], web.world.beta)
    monday = later(place, date(2026, 11, 30))
    schedule.queue_due(monday.database, monday.settings)
    assert queue.claim(place.database.job) is None
    (one,) = schedule.subscriptions_of(place.database.job, web.people["alice"])
    assert one.reason == schedule.NO_ROLE
    assert mails(monday) == []


def test_who_loses_it_between_the_queue_and_the_drawing_gets_none(here):
    place, web = here
    web.world.member(web.people["dave"], web.world.beta, "platform_admin")
    subscribe(here, "dave")
    monday = later(place, date(2026, 11, 30))
    assert schedule.queue_due(monday.database, monday.settings) == 1
    web.world.revoke(web.people["dave"], web.world.beta)
    worker.drain(monday)
    assert mails(monday) == []


def test_wrong_ones_are_refused_and_both_sides_may_end_it(here):
    place, web = here
    for stranger in ("dave", "nobody"):
        with pytest.raises(InvalidSubscription, match="No member of your workspaces"):
            subscribe(here, stranger)
    web.world.member(web.people["dave"], web.world.beta, "viewer")
    subscribe(here, "dave")
    with pytest.raises(InvalidSubscription, match="already"):
        subscribe(here, "dave")
    with pytest.raises(InvalidSubscription, match="how often"):
        subscribe(here, cadence="hourly")
    (one,) = schedule.subscriptions_of(place.database.job, web.people["dave"])
    assert not schedule.unsubscribe(place.database.job, web.people["bob"], one.id)
    assert schedule.unsubscribe(place.database.job, web.people["dave"], one.id)
