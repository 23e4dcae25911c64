"""Worst change failure rate, on organisations made for each answer."""

from datetime import date, timedelta

import pytest

from aggregators.dora.answer import wilson
from aggregators.vocabulary.period import Compare
from tests.aggregators.asking import LAST, answer
from tests.world import World, at


def deploy(world: World, slug: str, failed: int, fine: int, day: date = LAST) -> None:
    rows = [
        {
            "key": f"d{i} of {day}",
            "completed_at": at(day, i / 10),
            "environment": "production",
            "outcome": "failed" if i < failed else "successful",
        }
        for i in range(failed + fine)
    ]
    world.add(world.ids[slug], "deployment", rows)


def test_wilson_interval_of_the_textbook():
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_the_worst_rate_is_that_of_section_three(world):
    """Twelve deployments, nine, twenty-one: the highest is named, whatever the number behind it."""
    deploy(world, "payments", 4, 8)
    deploy(world, "search", 5, 4)
    deploy(world, "mobile", 1, 20)
    found = answer(world, "worst_change_failure_rate")
    assert found.workspace == "search"
    assert found.sentence.startswith(
        "Search: 55.6 %, 5 of 9 deployments (95 % interval 26.7 to 81.1 %)"
    )
    assert found.evidence["interval_low"] == pytest.approx(wilson(5, 9)[0])
    assert found.href == "/ws/search/analytics?failed=yes&period=28"


def test_a_workspace_below_ten_deployments_is_not_hidden_behind_a_lower_rate(world):
    """Seen: 6.7 % was called the highest, while another stood at 3 of 9."""
    deploy(world, "payments", 3, 6)
    deploy(world, "search", 2, 28)
    deploy(world, "mobile", 0, 12)
    found = answer(world, "worst_change_failure_rate")
    assert found.sentence.startswith("Payments: 33.3 %, 3 of 9")


def test_the_worst_of_many_is_not_called_the_highest_where_few_show_more(world):
    deploy(world, "payments", 30, 60)
    deploy(world, "search", 1, 1)
    deploy(world, "mobile", 2, 80)
    found = answer(world, "worst_change_failure_rate")
    assert found.workspace == "payments"
    assert found.sentence.startswith("Payments: 33.3 %, 30 of 90")
    assert found.sentence.endswith(" 1 other rate is higher.")
    assert found.evidence["after_shrinking"] == pytest.approx(1 / 3, abs=0.02)


def test_equal_rates_are_told_together(world):
    for slug in ("payments", "search", "mobile"):
        deploy(world, slug, 2, 10)
    found = answer(world, "worst_change_failure_rate")
    assert " and 2 others: 16.7 %, 2 of 12 deployments" in found.sentence


def test_nobody_failing_is_an_answer(world):
    deploy(world, "payments", 0, 12)
    found = answer(world, "worst_change_failure_rate")
    assert not found.found
    assert found.sentence == "None of 12 production deployments failed, in 1 workspace."


def test_nobody_deploying_is_an_answer(world):
    found = answer(world, "worst_change_failure_rate")
    assert found.sentence == "No workspace ended a production deployment in this period."


def test_one_alone_is_not_the_worst(world):
    deploy(world, "payments", 3, 3)
    assert answer(world, "worst_change_failure_rate").sentence.startswith(
        "Payments alone ended deployments: 50.0 %, 3 of 6"
    )


@pytest.mark.parametrize("compare", Compare)
def test_the_period_before_is_named_where_the_page_compares_with_another(world, compare):
    deploy(world, "payments", 10, 20)
    deploy(world, "payments", 3, 27, LAST - timedelta(days=28))
    found = answer(world, "worst_change_failure_rate", LAST - timedelta(days=55), compare)
    days = "" if compare is Compare.PREVIOUS else " on the period before"
    assert f", +23.3 pts{days}, " in found.sentence
