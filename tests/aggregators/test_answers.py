"""The four questions, on organisations made for each answer."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from aggregators.answers import theil_sen, wilson
from aggregators.period import Ask, completed_sprints
from aggregators.read import read
from storage.context import job_in
from tests.conftest import TODAY
from tests.world import World, at

LAST = TODAY - timedelta(days=1)


@pytest.fixture
def world(database, settings) -> World:
    made = World(database, settings)
    made.alice = made.person("alice@x.example")
    made.ids = {}
    for slug in ("payments", "search", "mobile"):
        made.ids[slug] = made.workspace(slug)
        made.member(made.alice, made.ids[slug], "platform_admin")
    return made


def answer(world: World, key: str, first: date = LAST):
    world.backfill(first, LAST)
    found = read(world.database, world.alice, Ask(28), world.settings).answers
    return next(a for a in found if a.key == key)


def deploy(world: World, slug: str, failed: int, fine: int) -> None:
    rows = [
        {
            "key": f"d{i}",
            "completed_at": at(LAST, i / 10),
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


def test_the_worst_rate_needs_ten_deployments(world):
    deploy(world, "payments", 4, 8)
    deploy(world, "search", 5, 4)
    deploy(world, "mobile", 1, 20)
    found = answer(world, "worst_change_failure_rate")
    assert found.workspace == "payments"
    assert found.sentence.startswith(
        "Payments has the highest change failure rate: 33.3 %, 4 of 12"
    )
    assert found.evidence["interval_low"] == pytest.approx(wilson(4, 12)[0])
    assert found.href == "/ws/payments/analytics?period=28"


def test_nobody_failing_is_an_answer(world):
    deploy(world, "payments", 0, 12)
    found = answer(world, "worst_change_failure_rate")
    assert not found.found
    assert "No failed deployment in 1 workspace" in found.sentence


def test_nobody_with_enough_is_an_answer(world):
    deploy(world, "payments", 3, 3)
    assert "No workspace ended 10" in answer(world, "worst_change_failure_rate").sentence


def assess(
    world: World,
    slug: str,
    control: str,
    result: str,
    valid_days: int | None,
    framework="SOC2",
    back=0,
):
    row = {
        "framework": framework,
        "control": control,
        "result": result,
        "assessed_at": at(LAST - timedelta(days=back), 1),
        "valid_until": None if valid_days is None else at(LAST + timedelta(days=valid_days)),
    }
    world.add(world.ids[slug], "control_result", [row])


def test_the_closest_lapse_names_the_control_and_those_already_out(world):
    assess(world, "payments", "CC1.1", "compliant", 9)
    assess(world, "search", "CC6.1", "compliant", 4)
    assess(world, "search", "CC6.2", "compliant", 20)
    assess(world, "search", "CC7.1", "non_compliant", 1)
    assess(world, "mobile", "164.312", "compliant", -3, "HIPAA", back=30)
    found = answer(world, "closest_to_lapse")
    assert found.workspace == "search"
    assert found.sentence == (
        "Search: SOC2 control CC6.1 lapses in 4 days; 2 lapse within 30 days. "
        "Already out: 1 control, such as HIPAA 164.312 in Mobile."
    )


def test_a_tie_goes_to_the_one_with_more_lapsing_soon(world):
    assess(world, "payments", "CC1.1", "compliant", 4)
    assess(world, "search", "CC6.1", "compliant", 4)
    assess(world, "search", "CC6.2", "compliant", 10)
    assert answer(world, "closest_to_lapse").workspace == "search"


def test_without_due_dates_it_is_a_labelled_projection(world):
    for i in range(10):
        assess(world, "payments", f"CC{i}", "compliant", None, back=40)
        assess(world, "search", f"CC{i}", "compliant", None, back=40)
        if i < 8:
            assess(world, "search", f"CC{i}", "non_compliant", None, back=24 - 3 * i)
    found = answer(world, "closest_to_lapse", LAST - timedelta(days=30))
    assert found.workspace == "search"
    assert "Projection" in found.sentence
    assert found.evidence["projection"] is True
    assert found.evidence["slope_points_per_day"] < 0


def test_a_framework_that_is_gone_is_no_projection(world):
    """It was there on two days between the points of the period's series, and falling."""
    for i in range(10):
        assess(world, "payments", f"CC{i}", "compliant", None, back=40)
    world.backfill(LAST - timedelta(days=60), LAST)
    insert = (
        "insert into compliance_snapshot_history (workspace_id, framework, snapshot_date, computed_at,"
        " compliant, non_compliant) values (:w, 'GONE', :d, now(), :c, :n)"
    )
    with job_in(world.database.job, world.ids["payments"]) as connection:
        for back, passing in ((10, 9), (9, 1)):
            day = LAST - timedelta(days=back)
            values = {"w": world.ids["payments"], "d": day, "c": passing, "n": 10 - passing}
            connection.execute(text(insert), values)
    found = read(world.database, world.alice, Ask(90), world.settings).answers
    said = next(a for a in found if a.key == "closest_to_lapse")
    assert "no pass rate is falling" in said.sentence


def test_theil_sen_ignores_an_outlier_and_a_gap():
    line = np.arange(10.0)
    line[4], line[7] = 100, math.nan
    assert theil_sen(line) == 1
    assert math.isnan(theil_sen(np.array([1.0, math.nan])))


def expire(world: World, slug: str, count: int, days: int = 10) -> None:
    rows = [
        {
            "fingerprint": f"{slug}{days}-{i}",
            "host": "",
            "port": 0,
            "not_after": at(LAST + timedelta(days=days)),
        }
        for i in range(count)
    ]
    world.add(world.ids[slug], "certificate", rows)


def test_a_hoarder_holds_eighty_percent_of_at_least_five(world):
    expire(world, "payments", 4)
    expire(world, "search", 1)
    found = answer(world, "expiring_certificates")
    assert found.workspace == "payments"
    assert (
        "Payments holds 4 of the 5 certificates that expire within 30 days (80 %)" in found.sentence
    )
    assert found.href == "/ws/payments/monitor/certs?within=30&status=expiring"


def test_otherwise_it_is_the_smallest_set_that_holds_eighty_percent(world):
    expire(world, "payments", 6)
    expire(world, "search", 5)
    expire(world, "mobile", 2)
    found = answer(world, "expiring_certificates")
    assert found.sentence.startswith("2 of 3 workspaces hold 80 % of the 13 certificates")


def test_four_certificates_are_too_few_to_speak_of_hoarding(world):
    expire(world, "payments", 4)
    assert answer(world, "expiring_certificates").evidence["workspaces"] == 1
    assert "holds 80 %" in answer(world, "expiring_certificates").sentence


def test_without_any_certificate_nothing_is_promised(world):
    found = answer(world, "expiring_certificates")
    assert (found.found, found.sentence) == (False, "No certificate is on record at that time.")
    assert found.evidence == {}


def test_no_expiring_certificate_is_an_answer(world):
    expire(world, "payments", 3, days=80)
    found = answer(world, "expiring_certificates")
    assert (found.found, found.sentence) == (False, "No certificate expires within 30 days.")


def resolve(world: World, slug: str, minutes: tuple[float, ...], count: int = 3) -> None:
    sprints = completed_sprints(14, LAST, 4)
    rows = []
    for s, (sprint, mean) in enumerate(zip(sprints, minutes, strict=True)):
        for i in range(count):
            opened = at(sprint.start + timedelta(days=2 + i), 8)
            rows.append(
                {
                    "key": f"INC-{s}{i}",
                    "opened_at": opened,
                    "resolved_at": opened + timedelta(minutes=mean),
                }
            )
    world.add(world.ids[slug], "incident", rows)


def test_three_rises_in_a_row_are_found(world):
    resolve(world, "payments", (40, 50, 60, 70))
    resolve(world, "search", (40, 50, 49, 70))
    resolve(world, "mobile", (40, 41, 60, 70))
    found = answer(world, "mttr_climbing", LAST - timedelta(days=69))
    assert found.workspace == "payments"
    assert "40 min → 50 min → 1 h → 1 h 10 min" in found.sentence
    assert found.evidence["judged"] == 3


def test_a_rise_of_exactly_five_percent_counts(world):
    resolve(world, "payments", (100, 105, 110.25, 115.7625))
    assert answer(world, "mttr_climbing", LAST - timedelta(days=69)).workspace == "payments"


def test_two_resolved_in_a_sprint_are_too_few(world):
    resolve(world, "payments", (40, 50, 60, 70), count=2)
    found = answer(world, "mttr_climbing", LAST - timedelta(days=69))
    assert (found.found, found.evidence["judged"]) == (False, 0)


def test_it_reads_four_sprints_back_whatever_the_period(world):
    resolve(world, "payments", (40, 50, 60, 70))
    world.backfill(LAST - timedelta(days=69), LAST)
    for preset in (7, 28, 90, 365):
        found = read(world.database, world.alice, Ask(preset), world.settings).answers[3]
        assert found.workspace == "payments"
