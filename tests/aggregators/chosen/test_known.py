"""Values of settings: as they are typed, what they mean, and what is wrong with those that are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.catalogue import DOMAINS
from aggregators.chosen import amounts
from aggregators.chosen.known import COUNTING, WrongSettingValue, find_setting
from aggregators.vocabulary.measure import Measure, MeasureTarget, Status, Unit

MEASURES = [(domain, measure) for domain in DOMAINS for measure in domain.measures]
AMOUNTS = {
    Unit.RATIO: st.integers(0, 10_000).map(lambda n: n / 10_000),
    Unit.SECONDS: st.integers(0, 10_000_000).map(float),
    Unit.COUNT: st.integers(0, 10_000).map(float),
}


def amount(unit: Unit):
    return AMOUNTS.get(unit, st.integers(0, 100_000).map(lambda n: n / 100))


@given(st.sampled_from(list(Unit)).flatmap(lambda unit: st.tuples(st.just(unit), amount(unit))))
def test_what_is_written_is_read_back(pair):
    unit, value = pair
    assert amounts.read(amounts.write(value, unit), unit) == value


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (Unit.RATIO, "12.5", 0.125),
        (Unit.RATIO, " 12.5 % ", 0.125),
        (Unit.RATIO, "1.1", 0.011),
        (Unit.RATIO, "100%", 1.0),
        (Unit.SECONDS, "1 h 30 min", 5400.0),
        (Unit.SECONDS, "2D", 172800.0),
        (Unit.COUNT, "0", 0.0),
        (Unit.BURN, "14.4", 14.4),
    ],
)
def test_amounts_as_people_type_them(unit, text, value):
    assert amounts.read(text, unit) == value


@pytest.mark.parametrize(
    ("name", "value", "watch", "field"),
    [
        ("dora.change_failure_rate", "150", "", "target"),
        ("dora.change_failure_rate", "-1", "", "target"),
        ("dora.change_failure_rate", "nan", "", "target"),
        ("dora.change_failure_rate", "", "", "target"),
        ("dora.change_failure_rate", "1e2", "", "target"),
        ("dora.change_failure_rate", "10", "20", "watch"),
        ("dora.change_failure_rate", "10", "x", "watch"),
        ("compliance.pass_rate", "90", "80", "watch"),
        ("dora.mttr", "90", "", "target"),
        ("dora.mttr", "2 weeks", "", "target"),
        ("incidents.open", "1.5", "", "target"),
        ("incidents.open", "٣", "", "target"),
        ("nothing.at_all", "1", "", "name"),
        ("dora", "1", "", "name"),
        ("dora.change_failure_rate/SOC2", "1", "", "name"),
        ("compliance.pass_rate/", "1", "", "name"),
        ("compliance.pass_rate/\x00", "1", "", "name"),
        ("sprint_days", "0", "", "value"),
        ("sprint_days", "14.5", "", "value"),
        ("sprint_days", "999999999999", "", "value"),
        ("review_days", "365, 365, 730", "", "value"),
        ("review_days", "365, 365, 730, x", "", "value"),
        ("postmortem_days", "", "", "value"),
        ("time_zone", "Mars/Olympus", "", "value"),
        ("time_zone", "", "", "value"),
    ],
)
def test_a_wrong_value_names_its_field(name, value, watch, field):
    with pytest.raises(WrongSettingValue) as wrong:
        find_setting(name).read(value, watch)
    assert wrong.value.field == field
    assert str(wrong.value).startswith(field)


@pytest.mark.parametrize("value", [None, [], "x", {"watch": 1}, {"target": True}, {"target": "1"},
                                   {"target": math.inf}, {"target": 0.1, "more": 1}])  # fmt: skip
def test_json_of_another_shape_is_refused(value):
    with pytest.raises(WrongSettingValue):
        find_setting("dora.change_failure_rate").check(value)


@pytest.mark.parametrize(("text", "kept"), [("7", 7), (" 90 ", 90)])
def test_the_ways_of_counting_are_typed_as_they_are_kept(text, kept):
    setting = COUNTING["sprint_days"]
    assert setting.read(text, "") == kept
    assert setting.type(kept) == (text.strip(), "")


@given(st.sampled_from(MEASURES), st.data())
def test_a_target_that_was_set_is_met_by_what_reaches_it(pair, data):
    """At the target and better is met and not off target; whatever is worse is off target."""
    _, measure = pair
    target = data.draw(amount(measure.unit))
    value = data.draw(amount(measure.unit))
    judged: Measure = measure.judged_by(MeasureTarget(target, is_met_at=True), None)
    is_met = value <= target if measure.better == "lower" else value >= target
    (status,) = judged.statuses(np.array([value]))
    assert judged.meets(np.array([value, np.nan, np.inf])) == [is_met, None, False]
    assert (status is Status.BAD) is not is_met
