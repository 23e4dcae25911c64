"""Formats: one per unit, a true minus, never NaN or infinity."""

from datetime import date

import pytest

from aggregators import words
from aggregators.figures import Figure
from aggregators.measure import HIGHER, LOWER, Count, Ratio, Unit
from aggregators.period import Span

RATE = Ratio("r", "Rate", part=("a",), whole=("b",), better=LOWER, definition="")
OPEN = Count("o", "Open", of="o", better=LOWER, definition="")
FAST = Count("f", "Frequency", of="o", better=HIGHER, definition="", unit=Unit.PER_DAY)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (3599, "1 h"),
        (6120, "1 h 42 min"),
        (86399, "1 d"),
        (90000, "1 d 1 h"),
        (-6120, "−1 h 42 min"),
        (30 * 86400, "30 d"),
    ],
)
def test_durations(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.142, Unit.RATIO, "14.2 %"),
        (1204, Unit.COUNT, "1,204"),
        (-3, Unit.COUNT, "−3"),
        (3.4, Unit.PER_DAY, "3.4 / day"),
        (0.3, Unit.PER_DAY, "2.1 / week"),
        (0, Unit.PER_DAY, "0.0 / day"),
        (6.2, Unit.BURN, "6.2×"),
        (41, Unit.DAYS, "41 d"),
        (None, Unit.RATIO, "–"),
        (float("nan"), Unit.RATIO, "–"),
        (float("inf"), Unit.BURN, "over budget"),
        (-0.00001, Unit.RATIO, "0.0 %"),
    ],
)
def test_values(value, unit, text):
    assert words.value(value, unit) == text


@pytest.mark.parametrize(
    ("measure", "value", "previous", "text"),
    [
        (RATE, 0.142, 0.111, "+3.1 pts · worse"),
        (RATE, 0.1, 0.15, "−5.0 pts · better"),
        (RATE, 0.1, 0.1, "No change"),
        (RATE, 0.1003, 0.1, "No change"),
        (OPEN, 12, 8, "+4 · worse"),
        (OPEN, 4, 0, "+4, from 0 · worse"),
        (OPEN, 4, None, "no earlier data"),
        (OPEN, None, 4, "–"),
        (FAST, 1.1, 0.9, "+1.4 / week · better"),
    ],
)
def test_changes(measure, value, previous, text):
    assert words.change(Figure(measure, value, previous, comparable=True)) == text


@pytest.mark.parametrize(
    ("change", "unit", "signed", "plain"),
    [
        (0.0231, Unit.RATIO, "+2.3 pts", "2.3 points"),
        (-0.0004, Unit.RATIO, "0.0 pts", "0.0 points"),
        (-3, Unit.COUNT, "−3", "3"),
        (-4800, Unit.SECONDS, "−1 h 20 min", "1 h 20 min"),
        (0.2, Unit.PER_DAY, "+1.4 / week", "1.4 / week"),
        (3, Unit.BURN, "+3.0×", "3.0×"),
        (0.2, Unit.DAYS, "0 d", "0 d"),
    ],
)
def test_shifts_are_signed_and_sizes_are_not(change, unit, signed, plain):
    assert (words.shift(change, unit), words.size(change, unit)) == (signed, plain)


def test_spans_name_the_year_once_unless_it_changes():
    assert words.span(Span(date(2026, 10, 26), date(2026, 11, 22))) == "26 Oct – 22 Nov 2026"
    assert words.span(Span(date(2025, 12, 26), date(2026, 1, 2))) == "26 Dec 2025 – 2 Jan 2026"


def test_a_sparkline_in_words():
    series = ((date(2026, 1, 1), 0.09), (date(2026, 1, 2), None), (date(2026, 1, 3), 0.14))
    assert words.spark(Figure(RATE, series=series)) == (
        "Rate, 0 days: 9.0 % to 14.0 %, low 9.0 %, high 14.0 %"
    )
    assert words.spark(Figure(RATE)) == "Rate: no data"
