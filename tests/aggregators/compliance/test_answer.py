"""Closest control to lapse, on organisations made for each answer."""

import math
from datetime import timedelta

import numpy as np
from sqlalchemy import text

from aggregators.compliance.answer import theil_sen
from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from storage.context import job_in
from tests.aggregators.asking import LAST, answer
from tests.world import World, at


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
    assert found.further == ["Mobile"]
    assert found.sentence == (
        "Search: SOC2 CC6.1 lapses in 4 days; 2 SOC2 controls within 30. "
        "Already out: HIPAA 164.312 in Mobile."
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
    """A framework was there on two days between the points of the period's series, and falling."""
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


def test_a_period_of_the_past_says_its_day(world):
    """Four days before the lapse on the day that the page is about, however long ago that is."""
    assess(world, "payments", "CC1.1", "compliant", -26, back=60)
    world.backfill(LAST - timedelta(days=60), LAST)
    ask = Ask(None, LAST - timedelta(days=40), LAST - timedelta(days=30))
    found = told(world, ask)
    assert found.sentence == ("As of 23 Oct 2026: Payments: SOC2 CC1.1 lapses in 4 days.")


def test_controls_whose_evidence_is_out_do_have_dates(world):
    """Seen: "No evidence dates are recorded" beside evidence that was already out."""
    assess(world, "payments", "CC1.1", "compliant", -3, back=30)
    sentence = answer(world, "closest_to_lapse").sentence
    assert sentence == (
        "No passing control has a date ahead on which its evidence ends, and no pass rate is falling. "
        "Already out: SOC2 CC1.1 in Payments."
    )


def test_a_day_without_a_snapshot_names_the_last_one(world):
    """Seen: "falls from 0.0 % to 0.0 %" of a day that nobody looked at."""
    for i in range(10):
        assess(world, "search", f"CC{i}", "compliant", None, back=40)
        if i < 8:
            assess(world, "search", f"CC{i}", "non_compliant", None, back=24 - 2 * i)
    world.backfill(LAST - timedelta(days=30), LAST - timedelta(days=3))
    found = told(world, Ask(None, LAST - timedelta(days=1), LAST - timedelta(days=1)))
    assert (found.found, found.sentence) == (
        False,
        "No snapshot was made in this period; the last one before it is of 19 Nov 2026.",
    )


def test_no_framework_is_no_missing_snapshot(world):
    """Seen: "No snapshot was made in this period" where no framework is set up."""
    world.backfill(LAST - timedelta(days=30), LAST)
    scorecard = read(world.database, world.alice, Ask(28), world.settings).scorecard("compliance")
    assert scorecard.why_empty == scorecard.domain.empty
    assert answer(world, "closest_to_lapse").sentence == (
        "No workspace in scope has set up a compliance framework."
    )


def told(world: World, ask: Ask):
    answers = read(world.database, world.alice, ask, world.settings).answers
    return next(a for a in answers if a.key == "closest_to_lapse")


def test_theil_sen_ignores_an_outlier_and_a_gap():
    line = np.arange(10.0)
    line[4], line[7] = 100, math.nan
    assert theil_sen(line) == 1
    assert math.isnan(theil_sen(np.array([1.0, math.nan])))
