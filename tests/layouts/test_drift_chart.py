"""Chart of a drift: round numbers across, the onset where it was, nothing outside of the picture."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregators.vocabulary.kinds import Ratio
from aggregators.vocabulary.measure import LOWER, Unit
from layouts.pieces.sparkline import onset_place
from layouts.signals.chart import HEIGHT, ROOM, WIDTH, Onset, axis_step, drift_chart
from tests.samples import figure

DAY = date(2026, 1, 1)
RATE = Ratio("r", "Rate", part=("a",), whole=("b",), better=LOWER, definition="")


def over(*values: float | None):
    """A figure with these points, a day each."""
    series = tuple((DAY + timedelta(days=i), value) for i, value in enumerate(values))
    return figure(RATE, 0.3, 0.1, series=series)


def drawn(values, since: date, give_or_take: int = 2) -> ElementTree.Element:
    return ElementTree.fromstring(str(drift_chart(over(*values), Onset(since, give_or_take))))


def texts(chart: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in chart.iter("text")]


def test_the_onset_stands_at_its_day_with_the_days_that_it_may_be():
    chart = drawn([0.1] * 11, DAY + timedelta(days=5))
    (line,) = [p for p in chart.iter("path") if p.get("class") == "spark-onset"]
    middle = (ROOM.left + ROOM.right) / 2
    assert line.get("d", "").startswith(f"M{middle:.1f} ")
    (span,) = chart.iter("rect")
    days = (ROOM.right - ROOM.left) / 10
    assert float(span.get("width", 0)) == pytest.approx(4 * days, abs=0.1)
    assert "6 Jan" in texts(chart)
    assert "drifting since 6 Jan 2026, give or take 2 days" in chart.get("aria-label", "")


@pytest.mark.parametrize("since", [DAY - timedelta(days=1), DAY + timedelta(days=11)])
def test_what_began_before_the_picture_or_after_it_has_no_line(since):
    chart = drawn([0.1] * 11, since)
    assert not [p for p in chart.iter("path") if p.get("class") == "spark-onset"]
    assert not list(chart.iter("rect"))
    assert onset_place(over(0.1, 0.2).series, since) is None


def test_the_axis_has_round_numbers_and_ends_above_the_line():
    told = texts(drawn([0.1, 0.14, 0.31], DAY))
    assert [t for t in told if t.endswith("%")] == ["0 %", "10 %", "20 %", "30 %", "40 %", "31 %"]


@pytest.mark.parametrize("values", [[0.2], [None, None], [0.0, 0.0], [None, 0.3, None], [1.0, 0.0]])
def test_few_points_and_gaps_are_drawn(values):
    chart = drawn(values, DAY)
    points = [p.get("d", "") for p in chart.iter("path") if p.get("class") == "spark-line"]
    assert len(points) == (1 if any(v is not None for v in values) else 0)


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=120),
    st.integers(-30, 150),
    st.integers(0, 60),
)
def test_nothing_is_drawn_outside_of_the_picture(values, start, give_or_take):
    chart = drawn(values, DAY + timedelta(days=start), give_or_take)
    for path in chart.iter("path"):
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", "")):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
    for rect in chart.iter("rect"):
        left, width = float(rect.get("x", 0)), float(rect.get("width", 0))
        assert ROOM.left - 0.1 <= left <= left + width <= ROOM.right + 1.1


@given(st.floats(1e-6, 1e7), st.sampled_from(list(Unit)))
@example(60.0, Unit.SECONDS)
@example(301.0, Unit.SECONDS)
def test_lines_across_are_few_and_more_than_one(span, unit):
    step = axis_step(span, unit)
    assert step > 0
    assert span / step <= 5 + 1e-6
    if unit not in (Unit.COUNT, Unit.DAYS) and not (unit is Unit.SECONDS and span < 60):
        assert span / step >= 1.6
