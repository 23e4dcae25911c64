"""Periods, series points and sprints."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.period import (
    ENOUGH_POINTS,
    MAX_POINTS,
    TRAILING_WINDOWS,
    Ask,
    InvalidPeriod,
    Period,
    Span,
    completed_sprints,
    custom,
    rolling,
)

TODAY = date(2026, 11, 23)
AS_OF = date(2026, 11, 22)


def test_a_rolling_period_ends_at_the_last_snapshot_day():
    period = rolling(28, AS_OF)
    assert (period.start, period.end, period.days) == (date(2026, 10, 26), AS_OF, 28)
    assert period.previous == Span(date(2026, 9, 28), date(2026, 10, 25))
    assert period.query == "period=28"


def test_a_custom_period_is_absolute():
    period = custom(date(2026, 1, 1), date(2026, 3, 31), TODAY)
    assert (period.days, period.preset) == (90, None)
    assert period.query == "start=2026-01-01&end=2026-03-31"


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-11-20", "2026-11-10", "end"),
        ("2026-11-20", "2026-11-24", "end"),
        ("2025-11-20", "2026-11-21", "end"),
        ("1999-12-31", "2000-01-01", "start"),
        ("2026-02-30", "2026-03-01", "start"),
        ("2026-2-3", "2026-03-01", "start"),
        ("20260203", "2026-03-01", "start"),
        ("２０２６-02-03", "2026-03-01", "start"),
        ("2026-02-03", None, "end"),
        (None, "2026-02-03", "start"),
        ("NaN", "2026-03-01", "start"),
    ],
)
def test_a_wrong_range_names_its_field(start, end, field):
    with pytest.raises(InvalidPeriod) as caught:
        Ask.parse(None, start, end).on(AS_OF, TODAY)
    assert caught.value.field == field


@pytest.mark.parametrize("period", ["", "0", "-7", "28.0", "1e9", "NaN", "９０", "366", " 28"])
def test_a_wrong_preset_is_named(period):
    with pytest.raises(InvalidPeriod) as caught:
        Ask.parse(period, None, None)
    assert caught.value.field == "period"


def test_a_preset_and_a_range_do_not_mix():
    with pytest.raises(InvalidPeriod):
        Ask.parse("28", "2026-01-01", "2026-01-02")


def test_366_days_are_allowed():
    assert custom(date(2023, 11, 24), date(2024, 11, 23), TODAY).days == 366


@given(st.integers(1, 366))
def test_a_series_has_at_most_sixty_points_and_ends_with_the_period(days):
    period = Period(Span(AS_OF - timedelta(days=days - 1), AS_OF))
    points = period.points()
    assert len(points) <= MAX_POINTS
    assert points[-1] == AS_OF
    assert points[0] >= period.start
    assert points == sorted(set(points))
    assert len(points) <= ENOUGH_POINTS
    assert period.window % period.step == 0
    assert period.window in TRAILING_WINDOWS
    assert len(period.points(period.previous)) == len(points)


def test_sprints_start_on_mondays_and_are_over():
    sprints = completed_sprints(14, AS_OF, 4)
    assert all(s.start.weekday() == 0 and s.days == 14 for s in sprints)
    assert sprints[-1].end <= AS_OF < sprints[-1].end + timedelta(days=14)
    assert [s.start - timedelta(days=14) for s in sprints[1:]] == [s.start for s in sprints[:-1]]
    assert completed_sprints(14, date(2026, 11, 22), 1)[0].end == date(2026, 11, 22)
    assert completed_sprints(14, date(2026, 11, 21), 1)[0].end == date(2026, 11, 8)
