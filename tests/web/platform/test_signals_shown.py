"""Pictures and the detail of the signals' page: the cards' own line in each row, one signal told whole."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from aggregators import words
from aggregators.vocabulary.period import Ask
from reading import dashboard
from tests.web.platform.test_signals import opened, together  # noqa: F401
from tests.webworld import DAY
from tests.world import at
from web.platform import signal_rows

PATH = "/platform/signals"
MEASURE = "dora.change_failure_rate"
SINCE = f"drifting since {DAY - timedelta(days=9):%-d %b %Y}"


def key(slug: str, night=DAY) -> str:
    return f"{slug}:{MEASURE}:{night.isoformat()}"


def chosen(client, slug: str, **more: str) -> str:
    answer = client.get(PATH, query_string={"signal": key(slug), **more})
    assert answer.status_code == 200
    return answer.text


def lines(page: str) -> list[str]:
    return [unescape(told) for told in re.findall(r'class="spark-box" aria-label="([^"]*)"', page)]


def test_each_row_has_the_line_that_the_card_has(drifting):
    read = dashboard.read(
        drifting.world.database, drifting.people["alice"], Ask(90), drifting.world.settings
    )
    cards = read.scorecard("dora").cards
    page = drifting.sign_in("alice").get(PATH).text
    for slug in ("alpha", "beta"):
        figure = cards.find(slug).figures["change_failure_rate"]
        outside = int(figure.band.outside.sum()) if figure.band else 0
        assert f"{words.spark(figure, outside)}, {SINCE}" in lines(page)
    assert page.count('class="spark-onset"') >= 3  # two rows, and the chart of the first


def test_a_long_list_has_lines_for_its_first_rows_alone(drifting, monkeypatch):
    monkeypatch.setattr(signal_rows, "MOST_LINES", 1)
    page = drifting.sign_in("alice").get(PATH).text
    assert len(lines(page)) == 1
    assert page.count('class="signal ') + page.count('class="signal"') >= 2


def test_the_first_signal_is_told_whole_and_nobody_is_noted_for_it(drifting):
    page = drifting.sign_in("alice").get(PATH).text
    assert len(re.findall(r'data-signal="[^"]*" aria-current="true"', page)) == 1
    assert 'id="detail"' in page
    assert "between 10 Nov and 16 Nov 2026" in page
    assert "By service" not in page
    assert opened(drifting) == []


def test_a_signal_that_is_chosen_is_told_with_its_services_and_records(drifting):
    page = chosen(drifting.sign_in("alice"), "beta")
    assert "Beta: change failure rate" in page
    assert "By service: no service named" in page
    assert opened(drifting) == ["beta"]
    since = DAY - timedelta(days=9)
    assert f"/ws/beta/analytics?start={since}&amp;end={DAY}" in page
    assert re.search(r'data-signal="beta:[^"]*" aria-current="true"', page)
    assert not re.search(r'data-signal="alpha:[^"]*" aria-current="true"', page)


def test_the_picture_begins_long_before_the_drift(drifting):
    page = chosen(drifting.sign_in("alice"), "alpha")
    chart = re.search(r'<svg[^>]*drift-chart[^>]*aria-label="([^"]*)"', page)
    assert chart
    assert f"{SINCE}, give or take 3 days" in chart[1]
    days = re.search(r", (\d+) days:", chart[1])
    assert days
    assert int(days[1]) >= 84
    assert 'class="onset-span"' in page


def test_the_signal_alone_is_what_the_page_has_of_it(drifting):
    alice = drifting.sign_in("alice")
    part, page = chosen(alice, "beta", part="detail"), chosen(alice, "beta")
    assert "<html" not in part
    plain = [re.sub(r'value="[^"]*"', "", text_) for text_ in (part, page)]
    assert plain[0].strip() in plain[1]


@pytest.mark.parametrize(
    "name", ["gamma:x.y:2026-11-22", "beta", ":", key("alpha", DAY - timedelta(days=1))]
)
def test_a_signal_that_is_none_is_not_told_and_the_list_is_there(drifting, name):
    alice = drifting.sign_in("alice")
    page = alice.get(PATH, query_string={"signal": name})
    assert page.status_code == 200
    assert "is-chosen" not in page.text
    alone = alice.get(PATH, query_string={"signal": name, "part": "detail"})
    assert alone.status_code == 404


def test_another_s_signal_can_not_be_chosen(drifting):
    drifting.world.revoke(drifting.people["alice"], drifting.world.beta)
    alice = drifting.sign_in("alice")
    asked = {"signal": key("beta"), "part": "detail"}
    assert alice.get(PATH, query_string=asked).status_code == 404
    assert opened(drifting) == []
    assert alice.get(PATH, query_string={"signal": key("alpha"), "part": "x"}).status_code == 422


def test_an_answer_comes_back_to_the_signal_that_was_chosen(drifting):
    alice = drifting.sign_in("alice")
    page = chosen(alice, "beta", workspace="beta")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "workspace": "beta", "action": "acknowledge", "note": "",
            "series": "failed_deployments/ended_deployments", "opened": DAY.isoformat()}  # fmt: skip
    asked = {"workspace": "beta", "signal": key("beta")}
    answer = alice.post(PATH, query_string=asked, data=form, follow_redirects=True)
    assert answer.request.args.to_dict() == asked
    assert "Acknowledged by alice@x.example" in answer.text


def test_what_all_do_together_has_its_line_and_is_told_whole(together):  # noqa: F811
    alice = together.sign_in("alice")
    page = alice.get(PATH, query_string={"signal": key("")}).text
    assert "All your workspaces together: change failure rate" in page
    assert "is-chosen" in page
    assert page.count('action="/platform/signals"') == 0
    told = page[page.index('id="signal-detail"') :]
    assert "Records since then" not in told
    assert "Acknowledge" not in told
    assert "drift-chart" in told


def test_a_count_that_passed_its_threshold_last_night_stands_with_what_is_new(drifting):
    opened_at = at(DAY, 20)
    incident = {"key": "INC-0002", "opened_at": opened_at, "severity": "p1", "title": "down"}
    drifting.world.add(drifting.world.alpha, "incident", [incident])
    drifting.world.backfill(DAY, DAY)
    page = drifting.sign_in("alice").get(PATH).text
    new = page[page.index('id="new"') : page.index('id="still"')]
    assert "And 1 count that passed its threshold." in new
    assert "Open P1 <b" in new
    assert f"since {DAY:%-d %b %Y}" in new
    assert "Open P1" not in page[page.index('id="facts"') :]
