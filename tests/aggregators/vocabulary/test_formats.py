"""Formats: one per unit, a true minus, never NaN or infinity."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Unit
from aggregators.vocabulary.period import Span


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
    assert formats.duration(seconds) == text


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
    assert formats.value(value, unit) == text


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
    assert (formats.shift(change, unit), formats.size(change, unit)) == (signed, plain)


def test_spans_name_the_year_once_unless_it_changes():
    assert formats.span(Span(date(2026, 10, 26), date(2026, 11, 22))) == "26 Oct – 22 Nov 2026"
    assert formats.span(Span(date(2025, 12, 26), date(2026, 1, 2))) == "26 Dec 2025 – 2 Jan 2026"


def test_an_instant_is_told_in_a_zone_its_day_without_a_nought():
    at, berlin = datetime(2026, 11, 1, 23, 5, 9, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    assert formats.instant(at, UTC) == "1 Nov 2026 23:05 UTC"
    assert formats.instant(at, berlin, year=False, seconds=True) == "2 Nov 00:05:09 Europe/Berlin"


def test_days_are_written_in_one_place_alone():
    root = Path(__file__).parents[3]
    tracked = [*root.glob("*.py"), *root.glob("[a-z]*/**/*.py"), *root.glob("web/**/*.html")]
    own = {root / "aggregators/vocabulary/formats.py"}
    ours = [
        path
        for path in tracked
        if not {"tests", "node_modules"} & set(path.relative_to(root).parts)
    ]
    assert {path for path in ours if "%b" in path.read_text()} == own
