"""Strip of what began to drift last night: over the answers, to those whose workspace it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aggregators.companions import WATCHED
from layouts.executive.news import NewDrift, News, news_strip
from storage.context import job_in
from tests.conftest import TODAY
from tests.web.test_callbacks import body, send
from tests.webworld import DAY, EXECUTIVE

SERIES = [key for key in WATCHED if key != "failed_deployments/ended_deployments"][:2]
LINE = (
    'change failure rate<span class="hide-sm"> <b>10.0 % → 31.0 %</b>, drifting</span> since 13 Nov'
)


def shown(client) -> str:
    """Markup of the page."""
    parts = json.loads(send(client, body()).text)["response"]["page"]["children"]
    return "".join(part["props"].get("data-markup", "") for part in parts)


def test_each_line_says_who_how_much_since_when_and_leads_there(drifting):
    page = shown(drifting.sign_in("alice"))
    assert "New last night" in page
    assert page.count(LINE) == 2
    for slug in ("alpha", "beta"):
        assert f'href="/ws/{slug}/analytics?period=28" class="ws"' in page
    assert '2 new, 2 open<span class="visually-hidden">: all signals</span></a>' in page


def test_the_first_answer_has_it_already(drifting):
    alice = drifting.sign_in("alice")
    shown(alice)
    assert LINE in alice.get(EXECUTIVE).text


def test_a_signal_of_a_workspace_that_is_not_theirs_is_not_told(drifting):
    drifting.world.revoke(drifting.people["alice"], drifting.world.beta)
    page = shown(drifting.sign_in("alice"))
    assert page.count(LINE) == 1
    assert "/ws/beta/analytics" not in page.partition("What needs attention")[0]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'dismissed'",
        "state = 'snoozed', until = :day + 9",
        "ended_on = :day",
        "opened_on = :day - 1",
    ],
)
def test_a_quiet_night_has_no_strip(drifting, change):
    for workspace_id in (drifting.world.alpha, drifting.world.beta):
        with job_in(drifting.world.database.job, workspace_id) as connection:
            connection.execute(text(f"update watch_signal set {change}"), {"day": DAY})
    assert 'class="news"' not in shown(drifting.sign_in("alice"))


def test_of_many_the_three_surest_are_told_and_all_are_counted(drifting):
    for n, slug in enumerate(("alpha", "beta")):
        signals = [
            {"series": series, "opened_on": DAY, "grade": "may_drift", "since": DAY - timedelta(days=3),
             "give_or_take": 2, "evidence": 20.0 + n + i, "usual": 1.0, "now": 2.5, "extra": 40.0,
             "seen_on": DAY}
            for i, series in enumerate(SERIES)
        ]  # fmt: skip
        drifting.world.add(getattr(drifting.world, slug), "watch_signal", signals)
    page = shown(drifting.sign_in("alice")).partition("What needs attention")[0]
    assert page.count("<li>") == 3
    assert "6 new, 6 open" in page
    assert page.count(", may be drifting") == 3


def test_after_a_missed_night_it_says_which_night_it_was():
    drift = NewDrift("Search", "MTTR, typical", "/ws/search", ("47 min", "1 h"), DAY, is_sure=True)
    now, late = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC), DAY - timedelta(days=2)
    assert "New last night" in news_strip(News(DAY, (drift,), 1, 1), now)
    assert f"New on {late.day} {late:%b}" in news_strip(News(late, (drift,), 1, 1), now)
