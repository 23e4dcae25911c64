"""Digests that are due: to whom, with what, how often, and quiet when nothing is new."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest

from storage.digests.channels import TooManyChannels, last_sunday
from tests.conftest import TODAY
from tests.exports.digest.conftest import CFR, Digests
from tests.webworld import DAY

MONDAY = TODAY  # 23 November 2026; DAY is the Sunday before it


def test_what_is_new_is_told_once_with_the_scope_of_that_time(digests: Digests):
    world, people = digests.web.world, digests.web.people
    world.member(people["dave"], world.beta, "platform_admin")
    digests.channel()
    digests.channel(who="dave")
    digests.drift("alpha")
    digests.drift("beta", since=DAY - timedelta(days=2))
    today = digests.on(TODAY)
    assert [today.queue() for _ in range(3)] == [2, 0, 0]
    alice, dave = today.mails()
    assert alice.subject == "Northwind Group: 2 new signals, night of 22 Nov 2026"
    assert dave.subject == "Northwind Group: 1 new signal, night of 22 Nov 2026"
    for part in (alice.text, re.sub(r"<[^>]+>", "", alice.html)):
        assert "Alpha: change failure rate drifts, 10.0 % to 31.0 %, since 13 Nov 2026" in part
    for part in (alice.text, alice.html):
        assert "About 17 more in 28 days than usual, if it goes on." in part
        assert "/ws/alpha/analytics?period=28" in part
        assert alice.unsubscribe in part
    assert "Alpha" not in dave.text + dave.html
    assert "false alarm" in dave.text


def test_who_lost_the_role_gets_none_and_the_page_says_why(digests: Digests):
    digests.channel()
    digests.drift()
    for workspace in (digests.web.world.alpha, digests.web.world.beta):
        digests.web.world.revoke(digests.web.people["alice"], workspace)
    today = digests.on(TODAY)
    assert today.queue() == 0
    assert today.mails() == []
    assert "platform admin of no workspace" in today.known()[0].reason


def test_a_quiet_night_says_nothing_and_a_setting_says_so_once_a_week(digests: Digests):
    digests.channel()
    digests.channel(who="alice", kind="slack", url="https://hooks.example.com/x", says_quiet=True)
    for number in range(9):  # Monday 23 November to Tuesday of the week after
        digests = digests.on(TODAY + timedelta(days=number))
        digests.queue()
    assert digests.mails() == []
    bodies = [str(body) for (body,) in digests.states("body")]
    assert ["night of" in b or "since" in b for b in bodies] == [True, True]
    assert "2 workspaces were looked at each night since" in bodies[1]
    assert "nothing new" in bodies[0]


def test_a_weekly_digest_comes_after_sunday_with_the_whole_week(digests: Digests):
    digests.channel(cadence="weekly")
    sent = []
    for number in range(8):
        day = TODAY + timedelta(days=number)
        if number in (2, 4):
            digests.drift("alpha" if number == 2 else "beta", night=day - timedelta(days=1))
        digests = digests.on(day)
        sent.append(digests.queue())
    assert sent == [0, 0, 0, 0, 0, 0, 0, 1]
    ((_, subject, *_),) = digests.mails()
    assert subject == "Northwind Group: 2 new signals, since 22 Nov 2026"


def test_what_was_put_off_or_dismissed_or_has_ended_is_not_new(digests: Digests):
    digests.channel()
    digests.drift("alpha", state="dismissed")
    digests.drift("beta", state="snoozed", until=TODAY + timedelta(days=7))
    assert digests.on(TODAY).queue() == 0
    digests.drift("alpha", night=TODAY, series="incidents_opened")
    digests.end("beta", TODAY)
    tomorrow = digests.on(TODAY + timedelta(days=1))
    assert tomorrow.queue() == 1
    ((text,),) = tomorrow.mails("text")
    assert "Still open" not in text


def test_what_goes_on_and_what_ended_stand_below_what_is_new(digests: Digests):
    digests.channel()
    digests.drift("alpha", night=DAY - timedelta(days=20))
    digests.drift("beta", night=DAY - timedelta(days=30))
    digests.end("beta", DAY)
    digests.drift("beta", series="incidents_opened", usual=0.5, now=1.9)
    today = digests.on(TODAY)
    assert today.queue() == 1
    ((text,),) = today.mails("text")
    order = [text.index(part) for part in ("New\n", "Ended\n", "Still open\n")]
    assert order == sorted(order)
    assert "Beta: incidents opened drifts, 0.5 / day to 1.9 / day" in text
    assert "Beta: change failure rate drifted from" in text


def test_a_night_that_is_not_watched_yet_waits_and_missed_ones_come_as_one(digests: Digests):
    digests.channel()
    late = TODAY + timedelta(days=3)
    for back in (3, 2, 1):
        digests.drift("alpha", night=late - timedelta(days=back), series=f"{CFR}" if back == 1 else
                      ("incidents_opened", "successful_deployments")[back - 2])  # fmt: skip
    catching_up = digests.on(TODAY + timedelta(days=1))
    away = catching_up.settings.model_copy(update={"today": late})
    catching_up.settings = away
    assert catching_up.queue() == 0
    assert digests.on(late).queue() == 1
    ((subject,),) = digests.mails("subject")
    assert subject.startswith("Northwind Group: 3 new signals")


def test_many_processes_queue_it_once(digests: Digests):
    digests.channel()
    digests.drift()
    today, start, queued = digests.on(TODAY), threading.Barrier(4), []

    def ask() -> None:
        start.wait()
        queued.append(today.queue())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(queued) == 1
    assert len(today.mails()) == 1


def test_one_mail_a_person_and_ten_ways_at_most(digests: Digests):
    digests.channel()
    with pytest.raises(TooManyChannels, match="by mail already"):
        digests.channel()
    for _ in range(9):
        digests.channel("slack", "https://hooks.example.com/x")
    with pytest.raises(TooManyChannels, match="10"):
        digests.channel("teams", "https://hooks.example.com/x")


@pytest.mark.parametrize("back", range(8))
def test_the_last_sunday(back):
    sunday = last_sunday(MONDAY - timedelta(days=back))
    assert sunday.isoweekday() == 7
    assert 0 <= (MONDAY - timedelta(days=back) - sunday).days < 7
