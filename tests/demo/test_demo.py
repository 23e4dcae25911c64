"""``demo load``: whole or not at all, careful with what is there, every story on the dashboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from aggregators.pooling.groups import has_dropped
from aggregators.vocabulary.period import Ask
from auth import accounts
from demo import people
from demo.stories import STORIES
from reading.dashboard import NotPlatformAdmin, read
from reading.signals import night, open_signals
from tests.deep import long
from tests.demo.counted import LAST, viewer
from tests.demo.test_demo_stories import ToldStory


@pytest.fixture(scope="module")
def dashboards(organisation, settings):
    alice = viewer(organisation, "alice")
    return {days: read(organisation, alice, Ask(days), settings) for days in (28, 90)}


@pytest.fixture(scope="module")
def told(settings) -> ToldStory:
    return ToldStory(LAST, 1, settings.time_zone, 12)


@pytest.fixture(params=[28, 90])
def shown(request, dashboards):
    return dashboards[request.param]


def card(dashboard, domain: str, slug: str):
    return next(c for c in dashboard.scorecard(domain).cards if c.slug == slug)


def test_the_watch_tells_the_drift_and_neither_the_lull_nor_the_noise(organisation, settings, told):
    night.run(organisation, LAST)
    alice = viewer(organisation, "alice")
    signals = open_signals.read(organisation, alice, LAST + timedelta(days=1))
    told_of = {(s.workspace.slug, s.series) for s in signals}
    assert ("payments", "failed_deployments/ended_deployments") in told_of
    assert not {series for slug, series in told_of if slug in ("data-platform", "hr-platform")}
    assert (
        told.deployments("data-platform", 12, 7)[1]
        < told.deployments("data-platform", 12, 20)[1] / 2
    )
    dora = read(organisation, alice, Ask(28), settings).scorecard("dora")
    noise = next(c for c in dora.cards if c.slug == "hr-platform").figures["change_failure_rate"]
    assert noise.value > 0.3
    assert noise.tone == "quiet"
    lull = next(c for c in dora.cards if c.slug == "data-platform").figures["deploy_frequency"]
    assert lull.drifting_since is None
    assert lull.tone != "worse"


# The stories, as the page tells them


def test_the_four_answers_name_the_intended_workspaces(shown):
    found = {a.key: a for a in shown.answers}
    assert found["worst_change_failure_rate"].workspace == "payments"
    assert found["worst_change_failure_rate"].evidence["delta_points"] > 0.05
    lapse = found["closest_to_lapse"]
    assert (lapse.workspace, lapse.evidence["days"]) == ("identity", 4)
    assert [o["workspace"] for o in lapse.evidence["already_out"]] == ["edge-network"]
    assert found["expiring_certificates"].workspace == "iot-gateway"
    assert found["expiring_certificates"].evidence["share"] > 0.8
    assert found["mttr_climbing"].evidence["climbing"] == ["search"]


def test_failure_rates_are_those_counted_from_the_records(shown, told):
    for found in shown.scorecard("dora").cards:
        if found.slug == "notifications":
            continue  # three of its days have no snapshot
        evidence = found.figures["change_failure_rate"].evidence
        failed, ended = told.deployments(found.slug, shown.period.days)
        assert (evidence.numerator, evidence.denominator) == (failed, ended), found.slug


def test_payments_is_worst_and_hr_platform_is_neither_hidden_nor_first(shown):
    cards = shown.scorecard("dora").cards
    assert cards[0].slug == "payments"
    hr = card(shown, "dora", "hr-platform").figures["change_failure_rate"]
    assert hr.low_sample
    assert 1 < cards.find("hr-platform").rank < len(cards)


def test_searchs_sprints_are_those_counted_from_the_records(shown, told):
    answer = next(a for a in shown.answers if a.key == "mttr_climbing")
    counted = told.mttr_by_sprint("search")
    assert answer.evidence["resolved"] == [n for n, _ in counted]
    assert answer.evidence["mttr_seconds"] == pytest.approx([mean for _, mean in counted])


def test_certificates_are_those_counted_from_the_records(shown, told):
    for found in shown.scorecard("certificates").cards:
        for days in (7, 30, 90):
            figure = found.figures[f"within_{days}"]
            assert figure.value == told.expiring(found.slug, days), (found.slug, days)
    assert shown.scorecard("certificates").figures["expired"].value == 2


def test_only_data_platforms_soc2_has_the_chevron(shown):
    compliance = shown.scorecard("compliance")
    assert {
        (c.slug, group)
        for c in compliance.cards
        for group, figure in (c.figures["pass_rate"].by or {}).items()
        if has_dropped(figure, compliance.domain)
    } == {("data-platform", "SOC2")}


def test_pass_rates_are_those_counted_from_the_records(shown, told):
    for slug, framework in told.frameworks():
        figure = card(shown, "compliance", slug).figures["pass_rate"].by[framework]
        assert figure.value == pytest.approx(told.pass_rate(slug, framework)), (slug, framework)


def test_mobile_apps_set_up_no_framework(shown):
    assert not card(shown, "compliance", "mobile-apps").figures["pass_rate"].has_data


def test_notifications_has_missing_days(shown):
    evidence = card(shown, "dora", "notifications").figures["deployments"].evidence
    assert (evidence.days_seen, evidence.days_expected) == (
        shown.period.days - 3,
        shown.period.days,
    )


def test_budgets_and_burn(shown):
    figures = shown.scorecard("slos").figures
    assert (figures["exhausted"].value, figures["no_traffic"].value) == (1, 1)
    assert card(shown, "slos", "mobile-apps").figures["no_traffic"].value == 1
    assert figures["fastest_burn"].evidence.workspace == "edge-network"


def test_vendors_and_incidents(shown):
    vendors = shown.scorecard("vendors")
    assert [c.slug for c in vendors.cards[:2]] == ["lodz-logistics", "hr-platform"]
    assert vendors.figures["never_reviewed"].value == 1
    incidents = shown.scorecard("incidents")
    assert incidents.figures["oldest_open"].evidence.workspace == "edge-network"
    assert incidents.figures["oldest_open"].value > 100 * 86400
    covered = {c.slug: c.figures["postmortem_coverage"].value for c in incidents.cards}
    assert covered["checkout-us"] < 0.6


def test_the_figures_are_those_of_an_organisation_one_believes(shown):
    figures = {s.domain.key: s.figures for s in shown.scorecards}
    assert 0.05 < figures["dora"]["change_failure_rate"].value < 0.15
    assert 3600 < figures["dora"]["lead_time_for_changes"].value < 3 * 86400
    assert 1800 < figures["dora"]["mttr"].value < 86400
    assert 300 < figures["incidents"]["mtta"].value < 3600
    assert 1800 < figures["incidents"]["mttr"].value < 8 * 3600
    assert 0.9 < figures["slos"]["objectives_in_budget"].value < 1
    assert all(0.7 < f.value < 1 for f in figures["compliance"]["pass_rate"].by.values())


# Who may see what


def test_who_may_see_what(organisation, settings):
    def scope(who):
        return read(organisation, viewer(organisation, who), Ask(7), settings).scope

    assert set(scope("alice").slugs) == {t.slug for t in STORIES if t.is_active}
    assert scope("alice").left_out == {"inactive": ("Legacy portal",)}
    assert set(scope("carol").slugs) == {"search", "identity", "iot-gateway"}
    for who in ("bob", "dave"):
        with pytest.raises(NotPlatformAdmin):
            scope(who)


def test_another_region_is_left_out_when_residency_is_strict(organisation, settings):
    with organisation.owner.begin() as connection:
        connection.execute(text("update installation set strict_residency = true"))
    try:
        found = read(organisation, viewer(organisation, "alice"), Ask(7), settings).scope
        assert found.left_out["other_region"] == ("Checkout US",)
    finally:
        with organisation.owner.begin() as connection:
            connection.execute(text("update installation set strict_residency = false"))


@long("tests/demo/test_load.py::test_the_command_loads_and_says_how_to_sign_in")
def test_each_signs_in_with_the_password(organisation, settings):
    for email in people.EMAILS:
        assert accounts.authenticate(organisation.job, email, settings.demo_password)
        assert not accounts.authenticate(organisation.job, email, "another-password")


def test_a_password_is_made_up_once_and_for_its_owner_alone(tmp_path):
    made = people.password(None, tmp_path / "new")
    kept = tmp_path / "new" / "demo-password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(made) >= 12
    assert people.password(None, tmp_path / "new") == made == kept.read_text()
    assert people.password("chosen-by-hand", tmp_path / "new") == "chosen-by-hand"
    assert people.password(None, tmp_path / "other") != made


# The records are such as the importer takes


# Careful


# The command
