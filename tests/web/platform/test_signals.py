"""The signals' page and JSON: only one's own workspaces, and what people make of a signal stands there."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from layouts.executive.tile import tile
from reading import dashboard
from storage.context import job_in
from tests.webworld import DAY

PATH, API = "/platform/signals", "/api/v1/platform/signals/"


def act(client, action, workspace="alpha", note=""):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(PATH).text)
    assert token
    form = {
        "csrf_token": token[1],
        "workspace": workspace,
        "series": "failed_deployments/ended_deployments",
        "opened": DAY.isoformat(),
        "action": action,
        "note": note,
    }
    return client.post(PATH, data=form, follow_redirects=True)


def test_the_page_names_who_drifts_since_when_and_what_it_means(drifting):
    page = drifting.sign_in("alice").get(PATH).text
    assert "New last night" in page
    assert "10.0 % → 31.0 %" in page
    assert "since 13 Nov 2026, give or take 3 days" in page
    assert "About 17 more in 28 days than usual" in page
    assert "false alarm" in page


def test_acknowledged_stays_put_off_goes_and_an_explanation_needs_a_sentence(drifting):
    alice = drifting.sign_in("alice")
    assert "Acknowledged by alice@x.example" in act(alice, "acknowledge").text
    assert "Say in one sentence" in act(alice, "explain").text
    assert (
        "Explained by alice@x.example: Region failover test"
        in act(alice, "explain", note="Region failover test").text
    )
    page = act(alice, "dismiss").text
    assert "Put off or dismissed" in page
    assert "Of 2 signals in 90 days, 1 was dismissed as noise." in page
    assert alice.get(API).json["drifts"][0]["is_new"] is True


def test_another_s_signal_is_neither_seen_nor_changed(drifting):
    drifting.world.revoke(drifting.people["alice"], drifting.world.beta)
    alice = drifting.sign_in("alice")
    assert {d["workspace"] for d in alice.get(API).json["drifts"]} == {"alpha"}
    assert act(alice, "dismiss", workspace="beta").status_code == 422


def test_the_badge_counts_what_is_open_and_an_answer_changes_it(drifting):
    alice = drifting.sign_in("alice")
    assert "open signals, 2 new last night" in alice.get(PATH).text
    assert '<span class="count hot"' in alice.get("/exports").text
    act(alice, "dismiss")
    page = alice.get("/exports").text
    assert "open signal, 1 new last night" in page
    act(alice, "dismiss", workspace="beta")
    assert "open signal" not in alice.get("/exports").text
    assert "open signal" not in drifting.sign_in("bob").get("/account").text


def test_the_page_of_one_workspace_shows_its_signals_alone(drifting):
    alice = drifting.sign_in("alice")
    page = alice.get(f"{PATH}?workspace=beta").text
    assert "Signals of Beta" in page
    assert "/ws/beta/analytics?period=28" in page
    assert "/ws/alpha/analytics?period=28" not in page
    drifting.world.revoke(drifting.people["alice"], drifting.world.beta)
    assert alice.get(f"{PATH}?workspace=beta").status_code == 404


def test_a_new_workspace_says_until_when_it_is_learned(drifting):
    page = drifting.sign_in("alice").get(f"{PATH}?workspace=beta").text
    with job_in(drifting.world.database.job, drifting.world.beta) as connection:
        query = text("select min(snapshot_date) from workspace_usage_snapshot")
        until = connection.execute(query).scalar_one() + timedelta(days=56)
    assert f"Learning until {until:%-d %b %Y}: nothing is called drifting before" in page


def test_the_night_that_was_watched_is_named_where_the_last_one_was_not(drifting):
    before = DAY - timedelta(days=1)
    for days, told in (([], "Nothing was watched yet"), ([before], f"Night of {before:%-d %b %Y}")):
        with drifting.world.database.job.begin() as connection:
            connection.execute(text("delete from watch_day"))
            for day in days:
                query = text("insert into watch_day (series, day, share) values ('x', :day, 1)")
                connection.execute(query, {"day": day})
        assert told in drifting.sign_in("alice").get(PATH).text
    assert f"{DAY:%-d %b %Y} is not watched yet" in drifting.sign_in("alice").get(PATH).text
    assert drifting.sign_in("alice").get(API).json["night"] == str(before)


def test_the_signals_are_there_as_csv_and_no_cell_is_a_formula(drifting):
    with drifting.world.database.job.begin() as connection:
        connection.execute(text("update workspace set name = '=1+1' where slug = 'beta'"))
    lines = drifting.sign_in("alice").get(f"{PATH}.csv").text.splitlines()
    assert lines[0].startswith("\ufeffworkspace,measure,grade,since")
    assert len(lines) == 3
    assert "'=1+1: change failure rate drifts, 10.0 % to 31.0 %" in "".join(lines)


def test_what_moved_with_a_drift_is_told_and_whoever_looks_at_services_is_noted(drifting):
    alice = drifting.sign_in("alice")
    for drift in alice.get(API).json["drifts"]:
        assert drift["services"] is None
        assert {moved["measure"] for moved in drift["moved_with"]} <= {
            "deploy_frequency", "lead_time_for_changes", "mttr", "mtta", "postmortem_coverage",
            "opened",
        }  # fmt: skip
    of_beta = alice.get(f"{API}?workspace=beta").json
    assert {drift["workspace"] for drift in of_beta["drifts"]} == {"beta"}
    ((part,), *_) = (drift["services"] for drift in of_beta["drifts"])
    assert part["service"] is None
    now, before = (part[side] for side in ("now", "previous"))
    was = before["numerator"] / before["denominator"]
    assert part["part"] == pytest.approx(now["numerator"] / now["denominator"] - was)
    assert opened(drifting) == ["beta"]
    page = alice.get(f"{PATH}?workspace=alpha").text
    assert "By service: no service named +5.0 pts (3 of 10, before 7 of 28)." in page
    assert opened(drifting) == ["beta", "alpha"]
    assert alice.get(f"{API}?workspace=nobody").status_code == 404


def opened(web):
    query = text("select subject from audit_event where action = 'evidence.open' order by id")
    with web.world.database.owner.connect() as connection:
        return list(connection.execute(query).scalars())


@pytest.fixture
def together(drifting):
    """A drift of the sum of alpha and beta, told last night."""
    told = {"series": "failed_deployments/ended_deployments", "opened_on": str(DAY),
            "grade": "drifting", "since": str(DAY - timedelta(days=12)), "give_or_take": 4,
            "evidence": 21.0, "usual": 0.2, "now": 0.4, "extra": 31.0, "seen_on": str(DAY),
            "ended_on": None}  # fmt: skip
    row = text(
        "insert into scope_watch (user_id, workspaces, series, held_on, data, night, signals)"
        " values (:user, :ids, '{}', :day, '', :day, cast(:signals as jsonb))"
    )
    values = {
        "user": drifting.people["alice"].user_id,
        "ids": sorted([drifting.world.alpha, drifting.world.beta]),
        "day": DAY,
        "signals": json.dumps([told]),
    }
    with drifting.world.database.job.begin() as connection:
        connection.execute(row, values)
    return drifting


def test_what_all_do_together_is_told_on_page_file_api_and_tile(together):
    alice = together.sign_in("alice")
    page = alice.get(PATH).text
    assert "All your workspaces together" in page
    assert "20.0 % → 40.0 %" in page
    assert "since 10 Nov 2026, give or take 4 days" in page
    assert "About 31 more in 28 days than usual" in page
    assert "All your workspaces together" not in alice.get(f"{PATH}?workspace=beta").text
    assert len(alice.get(f"{PATH}.csv").text.splitlines()) == 4
    told = alice.get(API).json
    (drift,) = told["together"]
    assert (drift["workspace"], drift["since"], drift["usual"]) == (None, "2026-11-10", 0.2)
    assert drift["sentence"].startswith("All your workspaces together: change failure rate drifts")
    assert alice.get(f"{API}?workspace=beta").json["together"] == []
    services = together.world
    read = dashboard.read(services.database, together.people["alice"], Ask(28), services.settings)
    drawn = str(tile(read.scorecard("dora"), read, None))
    assert ">Drifting since 10 Nov 2026</a>" in drawn
    others = [str(tile(one, read, None)) for one in read.scorecards if one.domain.key != "dora"]
    assert not [one for one in others if "since 10 Nov" in one]


def test_the_sum_with_a_workspace_that_is_not_theirs_any_more_is_told_to_nobody(together):
    together.world.revoke(together.people["alice"], together.world.beta)
    alice = together.sign_in("alice")
    assert "All your workspaces together" not in alice.get(PATH).text
    assert alice.get(API).json["together"] == []
