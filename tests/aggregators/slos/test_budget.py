"""Error budgets against published figures."""

import json
import math

import numpy as np
import pytest

from tests import budget


@pytest.fixture(scope="module")
def cases(acceptance_data):
    listed = json.loads((acceptance_data / "slos/slo_generator/cases.json").read_text())["cases"]
    return {case["id"]: case for case in listed}


def test_googles_report_to_its_digits(cases):
    given, expected = (cases["google-v1-report"][k] for k in ("input", "expected"))
    good, bad, goal, window = (given[k] for k in ("good", "bad", "goal", "window_s"))
    total = good + bad
    sli = float(budget.sli(good, total))
    minutes = window * (1 - goal) / 60
    remaining = float(budget.budget_remaining(bad, total, goal))
    assert round(sli, 6) == expected["sli"]
    assert round(sli - goal, 6) == expected["gap"]
    assert round(float(budget.burn_rate(bad, total, goal)), 1) == expected["burn_rate"]
    assert round(minutes, 6) == expected["error_budget_minutes"]
    assert round(remaining * minutes, 6) == expected["error_budget_remaining_minutes"]
    assert round((1 - remaining) * minutes, 6) == expected["error_minutes"]
    assert (budget.burn_rate(bad, total, goal) > 3) == expected["alert_at_threshold_3"]


def test_every_published_case_with_counts(cases):
    checked = 0
    for case in cases.values():
        given, expected = case["input"], case["expected"]
        if "good" not in given:
            continue
        good, bad = given["good"] or 0, given.get("bad") or 0
        total = given.get("valid", good + bad)
        sli = float(budget.sli(good, total))
        if expected.get("valid") is False:
            assert math.isnan(sli), case["id"]
        elif "sli" in expected:
            assert sli == pytest.approx(expected["sli"], abs=1e-6), case["id"]
        elif "sli_pct" in expected:
            assert sli * 100 == pytest.approx(expected["sli_pct"], rel=1e-12), case["id"]
            target = given["target_pct"] / 100
            left = budget.budget_remaining(total - good, total, target)
            assert (left >= 0) == expected["in_budget"], case["id"]
        elif "sli_pct_2dp_shown" in expected:
            assert f"{sli * 100:.2f}" == expected["sli_pct_2dp_shown"], case["id"]
        checked += 1
    assert checked >= 7


def test_dynatraces_budget_in_points(cases):
    given, expected = (cases["dynatrace-slo"][k] for k in ("input", "expected"))
    target, sli = given["target_pct"] / 100, given["sli_pct"] / 100
    remaining = float(budget.budget_remaining(1 - sli, 1.0, target))
    points = remaining * (1 - target) * 100
    assert points == pytest.approx(expected["error_budget_pp"], abs=1e-9)
    assert (remaining >= 0) == expected["in_budget"]


def test_a_target_of_one_allows_nothing():
    assert budget.burn_rate(0, 10, 1.0) == 0
    assert math.isinf(float(budget.burn_rate(1, 10, 1.0)))
    assert budget.budget_remaining(1, 10, 1.0) == -math.inf


def test_no_traffic_is_no_figure():
    assert np.isnan(budget.burn_rate(0, 0, 0.99))
    assert np.isnan(budget.budget_remaining(0, 0, 0.99))


def test_the_workbooks_thresholds_scale_with_the_window():
    assert budget.threshold(budget.THRESHOLDS_30_DAYS["1h"], 30) == 14.4
    assert budget.threshold(budget.THRESHOLDS_30_DAYS["6h"], 7) == pytest.approx(1.4)


def test_time_left_at_this_burn():
    assert budget.seconds_left(0.5, 1.0, 30) == 15 * 86400
    assert np.isnan(budget.seconds_left(-0.1, 2.0, 30))
    assert np.isnan(budget.seconds_left(0.5, 0.0, 30))
