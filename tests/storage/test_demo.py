"""The demo organisation: deterministic, careful, and every story visible in the figures."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from aggregators.period import Ask
from aggregators.read import NotPlatformAdmin, read
from auth import accounts
from layouts.bars import dropped
from storage import demo
from storage.demo.generate import records
from storage.demo.stories import STORIES, teams
from storage.models import SLUG
from tests.conftest import TODAY, empty

LAST = TODAY - timedelta(days=1)


@pytest.fixture(scope="module")
def organisation(server, settings):
    empty(server)
    password = demo.load(server, settings)
    assert password == settings.demo_password
    return server


@pytest.fixture(scope="module")
def dashboards(organisation, settings):
    alice = accounts.by_email(organisation.job, "alice@demo.example").viewer
    return {days: read(organisation, alice, Ask(days), settings) for days in (28, 90)}


def card(dashboard, domain: str, name: str):
    return next(c for c in dashboard.scorecard(domain).cards if c.name == name)


def test_the_same_seed_gives_the_same_records_in_any_process():
    team = STORIES[0]
    code = (
        "from datetime import date; from storage.demo.generate import records;"
        "from storage.demo.stories import STORIES; import hashlib;"
        "r = records(STORIES[0], date(2026, 8, 1), date(2026, 11, 22), 3);"
        "print(hashlib.sha256(repr(r).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1
    first, last = date(2026, 8, 1), LAST
    assert records(team, first, last, 3) == records(team, first, last, 3)
    assert records(team, first, last, 3) != records(team, first, last, 4)


def test_a_thousand_teams_have_names_of_their_own():
    made = teams(1012, 1)
    assert len({t.slug for t in made}) == len({t.name for t in made}) == 1012
    assert all(re.match(SLUG, t.slug) and 3 <= len(t.slug) <= 30 for t in made)


def test_it_refuses_a_database_that_holds_workspaces(organisation, settings):
    with pytest.raises(demo.NotEmpty):
        demo.load(organisation, settings)
    with organisation.job.connect() as connection:
        assert connection.execute(text("select count(*) from workspace")).scalar_one() == 12


def test_who_may_see_what(organisation, settings):
    def scope(who):
        viewer = accounts.by_email(organisation.job, f"{who}@demo.example").viewer
        return read(organisation, viewer, Ask(7), settings).scope

    assert len(scope("alice").slugs) == 11
    assert scope("alice").left_out == {"inactive": ("Legacy portal",)}
    assert len(scope("carol").slugs) == 3
    for who in ("bob", "dave"):
        with pytest.raises(NotPlatformAdmin):
            scope(who)


@pytest.mark.parametrize("days", [28, 90])
def test_the_four_answers_name_the_intended_workspaces(dashboards, days):
    found = {a.key: a for a in dashboards[days].answers}
    assert found["worst_change_failure_rate"].workspace == "payments"
    assert found["closest_to_lapse"].workspace == "identity"
    assert found["closest_to_lapse"].evidence["days"] == 4
    assert [o["workspace"] for o in found["closest_to_lapse"].evidence["already_out"]] == [
        "edge-network"
    ]
    assert found["expiring_certificates"].workspace == "iot-gateway"
    assert found["expiring_certificates"].evidence["share"] > 0.8
    assert found["mttr_climbing"].evidence["climbing"] == ["search"]


def test_payments_drifts(dashboards):
    rate = card(dashboards[90], "dora", "Payments").figures["change_failure_rate"]
    assert rate.delta > 0.05
    assert dashboards[90].scorecard("dora").cards[0].slug == "payments"


def test_a_soc2_rate_dropped_by_more_than_five_points(dashboards):
    scorecard = dashboards[28].scorecard("compliance")
    alarmed = {
        (c.slug, group)
        for c in scorecard.cards
        for group, figure in (c.figures["pass_rate"].by or {}).items()
        if dropped(figure, scorecard.domain)
    }
    assert alarmed == {("data-platform", "SOC2")}


def test_the_rest_of_the_stories(dashboards):
    shown = dashboards[28]
    assert not card(shown, "compliance", "Mobile apps").figures["pass_rate"].has_data
    assert card(shown, "dora", "Notifications").figures["deployments"].evidence.days_seen == 25
    hr = card(shown, "dora", "HR platform").figures["change_failure_rate"]
    assert hr.low_sample or not hr.has_data
    slos = shown.scorecard("slos").figures
    assert (slos["exhausted"].value, slos["no_traffic"].value) == (1, 1)
    assert slos["fastest_burn"].evidence.workspace == "edge-network"
    vendors = shown.scorecard("vendors")
    assert vendors.cards[0].name == "Łódź logistics"
    assert vendors.figures["never_reviewed"].value == 1
    assert shown.scorecard("incidents").figures["oldest_open"].value > 100 * 86400


def test_the_figures_are_those_of_an_organisation_one_believes(dashboards):
    figures = {s.domain.key: s.figures for s in dashboards[28].scorecards}
    assert 0.05 < figures["dora"]["change_failure_rate"].value < 0.15
    assert 3600 < figures["dora"]["lead_time_for_changes"].value < 3 * 86400
    assert 1800 < figures["incidents"]["mttr"].value < 8 * 3600
    assert 0.9 < figures["slos"]["objectives_in_budget"].value < 1
    assert all(0.7 < f.value < 1 for f in figures["compliance"]["pass_rate"].by.values())
    assert 1 <= figures["certificates"]["within_7"].value <= 20


def test_another_region_is_left_out_when_residency_is_strict(organisation, settings, dashboards):
    assert len(dashboards[28].scope.slugs) == 11
    with organisation.owner.begin() as connection:
        connection.execute(text("update installation set strict_residency = true"))
    try:
        alice = accounts.by_email(organisation.job, "alice@demo.example").viewer
        left_out = read(organisation, alice, Ask(7), settings).scope.left_out
        assert left_out["other_region"] == ("Checkout US",)
    finally:
        with organisation.owner.begin() as connection:
            connection.execute(text("update installation set strict_residency = false"))
