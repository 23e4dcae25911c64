"""Targets in figures: those that held when the period ended, each workspace by its own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from aggregators.chosen.known import find_setting
from aggregators.vocabulary.measure import Origin, Status
from aggregators.vocabulary.period import Ask
from ingest.desk.choosing import Choice, choose
from reading.dashboard import read, version
from reading.encode import dashboard_json
from reading.workspace_page import read_workspace
from tests.webworld import DAY, WebWorld, make

RATE = "dora.change_failure_rate"


@pytest.fixture
def web(database, settings) -> WebWorld:
    """Alpha and beta, a quarter of whose deployments failed."""
    return make(database, settings)


def set_target(web: WebWorld, value: str, since: date, slug: str = "", name: str = RATE) -> None:
    """Sets a target of the organisation, or of a workspace."""
    setting = find_setting(name)
    workspace = (getattr(web.world, slug), slug) if slug else None
    made = Choice(setting, setting.read(value, ""), since, "alice@x.example", workspace)
    choose(web.world.database, made, "UTC")


def figures(web: WebWorld, ask: Ask):
    """Change failure rates: the organisation's, then those of the workspaces by slug."""
    dashboard = read(web.world.database, web.people["alice"], ask, web.world.settings)
    scorecard = dashboard.scorecard("dora")
    own = {card.slug: card.figures["change_failure_rate"] for card in scorecard.cards}
    return scorecard.figures["change_failure_rate"], own


def test_a_workspace_is_judged_by_its_own_target_and_the_others_by_the_organisations(web):
    set_target(web, "20", DAY)
    set_target(web, "30", DAY, "alpha")
    whole, own = figures(web, Ask(28))
    assert whole.value == pytest.approx(0.25)
    assert (whole.status, whole.meets_target) == (Status.BAD, False)
    assert (own["alpha"].status, own["alpha"].meets_target) == (Status.GOOD, True)
    assert (own["beta"].status, own["beta"].meets_target) == (Status.BAD, False)
    assert own["alpha"].measure.aim.origin is Origin.WORKSPACE
    assert own["beta"].measure.aim.origin is Origin.ORGANISATION


def test_the_target_itself_is_met(web):
    set_target(web, "25", DAY)
    whole, _ = figures(web, Ask(28))
    assert (whole.status, whole.meets_target) == (Status.GOOD, True)


def test_a_period_that_ended_before_the_change_stays_as_it_was(web):
    ended = Ask(None, DAY - timedelta(days=27), DAY - timedelta(days=1))
    asked = web.world.database, web.people["alice"], ended, web.world.settings
    before = dashboard_json(read(*asked))
    set_target(web, "30", DAY)
    set_target(web, "30", DAY, "alpha")
    assert dashboard_json(read(*asked)) == before
    assert figures(web, Ask(28))[0].status is Status.GOOD


def test_a_change_to_come_holds_when_it_comes(web):
    asked = web.world.database, web.people["alice"], Ask(28), web.world.settings
    before = dashboard_json(read(*asked))
    set_target(web, "30", DAY + timedelta(days=1))
    assert dashboard_json(read(*asked)) == before


def test_a_change_makes_another_version(web):
    asked = web.world.database, web.people["alice"], Ask(28), web.world.settings
    versions = {version(*asked)}
    set_target(web, "30", DAY)
    versions.add(version(*asked))
    set_target(web, "30", DAY, "beta")
    versions.add(version(*asked))
    assert len(versions) == 3


def test_the_workspaces_page_says_the_same_as_its_card(web):
    set_target(web, "20", DAY)
    set_target(web, "30", DAY, "alpha")
    _, own = figures(web, Ask(28))
    for slug in ("alpha", "beta"):
        view = read_workspace(
            web.world.database, web.people["alice"], slug, "dora", Ask(28), web.world.settings
        )
        figure = view.figures["change_failure_rate"]
        assert figure.measure.aim == own[slug].measure.aim
        assert figure.status is own[slug].status


def test_the_api_says_the_target_and_whether_it_is_met(web):
    set_target(web, "30", DAY, "alpha")
    dashboard = read(web.world.database, web.people["alice"], Ask(28), web.world.settings)
    (dora,) = (d for d in dashboard_json(dashboard)["domains"] if d["key"] == "dora")
    cards = {w["slug"]: w["measures"]["change_failure_rate"]["target"] for w in dora["workspaces"]}
    assert cards["alpha"] == {
        "value": 0.3, "is_met_at": True, "met": True, "set_by": "workspace", "since": DAY
    }  # fmt: skip
    assert cards["beta"] == {
        "value": 0.15, "is_met_at": False, "met": False, "set_by": "declaration", "since": None
    }  # fmt: skip
    assert dora["measures"]["deploy_frequency"]["target"] is None


def test_settings_of_a_workspace_out_of_scope_are_not_read(web):
    """Bob owns alpha and is platform admin of nothing; Alice loses beta."""
    set_target(web, "30", DAY, "beta")
    web.world.revoke(web.people["alice"], web.world.beta)
    whole, own = figures(web, Ask(28))
    assert set(own) == {"alpha"}
    assert whole.measure.aim.origin is Origin.DECLARATION
