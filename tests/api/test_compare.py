"""Comparisons: the period before as ever, the same days a year ago, or none; answers keep the first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.test_exports import export
from tests.webworld import API, DAY
from tests.world import at

YEAR = timedelta(days=365)
WEEK = "period=7"


@pytest.fixture
def alice(web):
    return web.sign_in("alice")


@pytest.fixture
def last_year(web) -> None:
    """A week of a year ago in which every second deployment failed."""
    for workspace_id in (web.world.alpha, web.world.beta):
        rows = [
            {
                "key": f"old-{i}",
                "created_at": at(DAY - YEAR - timedelta(days=i), 8),
                "completed_at": at(DAY - YEAR - timedelta(days=i), 9),
                "outcome": "failed" if i % 2 else "successful",
                "environment": "production",
            }
            for i in range(7)
        ]
        web.world.add(workspace_id, "deployment", rows)
    web.world.backfill(DAY - YEAR - timedelta(days=6), DAY - YEAR)


def without_the_name(answers):
    """Answers without the words that name the period before, which are told where another is compared."""
    return [
        {**each, "sentence": each["sentence"].replace(" on the period before", "")}
        for each in answers
    ]


def figures(answer):
    """Every figure of an answer, the groups' and the workspaces' too."""
    for domain in answer["domains"]:
        for told in (domain["measures"], *(w["measures"] for w in domain["workspaces"])):
            for figure in told.values():
                yield figure
                yield from figure.get("by", {}).values()


def test_the_period_before_is_the_default_to_the_last_byte(alice):
    assert alice.get(API).data == alice.get(f"{API}?compare=previous").data


def test_none_leaves_the_figures_alone(alice):
    plain, alone = (alice.get(f"{API}?{WEEK}{more}").json for more in ("", "&compare=none"))
    assert (alone["period"]["previous"], alone["period"]["compare"]) == (None, "none")
    for before, after in zip(figures(plain), figures(alone), strict=True):
        assert after["value"] == before["value"]
        assert after["series"] == before["series"]
        assert after["previous"] is None
        assert after["delta"] is None
        assert after["change"]["verdict"] == "no_comparison"
    assert without_the_name(alone["answers"]) == without_the_name(plain["answers"])


def test_a_year_ago_is_what_those_days_say_themselves(alice, last_year):
    end = DAY - YEAR
    then = alice.get(f"{API}?start={end - timedelta(days=6)}&end={end}").json
    plain, now = (alice.get(f"{API}?{WEEK}{more}").json for more in ("", "&compare=year"))
    assert now["period"]["previous"] == {"start": str(end - timedelta(days=6)), "end": str(end)}
    assert now["period"]["compare"] == "year"
    moved = 0
    for figure, was in zip(figures(now), figures(then), strict=True):
        assert figure["previous"] == was["value"]
        if figure["delta"] is not None:
            assert figure["delta"] == pytest.approx(figure["value"] - was["value"])
            moved += 1
    rate = now["domains"][0]["measures"]["change_failure_rate"]
    assert rate["previous"] == pytest.approx(6 / 14)
    assert rate["change"]["verdict"] != "no_comparison"
    assert moved
    assert without_the_name(now["answers"]) == without_the_name(plain["answers"])


def test_days_before_the_first_record_can_not_be_compared(alice):
    for figure in figures(alice.get(f"{API}?{WEEK}&compare=year").json):
        assert figure["previous"] is None
        assert figure["change"]["verdict"] == "no_comparison"


def test_links_lead_on_with_the_comparison(alice):
    told = alice.get(f"{API}?{WEEK}&compare=year").json
    cards = [card for domain in told["domains"] for card in domain["workspaces"]]
    assert all(card["href"].endswith("?period=7&compare=year") for card in cards)
    page = "/api/v1/ws/alpha/domains/dora/"
    own = [alice.get(f"{page}?{WEEK}{more}").json for more in ("", "&compare=none")]
    assert own[0]["measures"]["change_failure_rate"]["value"] is not None
    assert own[1]["period"]["previous"] is None


@pytest.mark.parametrize("wrong", ["", "YEAR", "month", "year&compare=none"])
def test_a_wrong_comparison_is_named(alice, wrong):
    refused = alice.get(f"{API}?compare={wrong}")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_parameter")
    assert "compare" in refused.json["detail"]


def test_an_export_is_compared_as_it_was_asked_for(alice):
    for compare in ("none", "year"):
        made = export(alice, period="7", format="json", compare=compare)
        assert alice.get(made.json["href"]).json["period"]["compare"] == compare
