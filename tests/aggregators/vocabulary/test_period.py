"""Periods, series points and sprints."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.vocabulary.period import (
    ENOUGH_POINTS,
    TRAILING_WINDOWS,
    Ask,
    Compare,
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
def test_a_series_has_few_points_and_ends_with_the_period(days):
    period = Period(Span(AS_OF - timedelta(days=days - 1), AS_OF))
    points = period.points()
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


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ((2026, 10, 26), (2026, 11, 22), ((2025, 10, 26), (2025, 11, 22))),
        ((2028, 2, 29), (2028, 2, 29), ((2027, 2, 28), (2027, 2, 28))),
        ((2028, 2, 1), (2028, 2, 29), ((2027, 1, 31), (2027, 2, 28))),
        ((2028, 2, 20), (2028, 3, 5), ((2027, 2, 19), (2027, 3, 5))),
        ((2029, 2, 20), (2029, 3, 5), ((2028, 2, 21), (2028, 3, 5))),
        ((2025, 1, 1), (2025, 12, 31), ((2024, 1, 2), (2024, 12, 31))),
    ],
)
def test_a_year_ago_is_as_long_and_ends_on_the_same_day(start, end, before):
    period = Period(Span(date(*start), date(*end)), compare=Compare.YEAR)
    assert period.previous == Span(date(*before[0]), date(*before[1]))
    assert period.previous.days == period.days
    assert len(period.points(period.previous)) == len(period.points())


@given(st.dates(date(2001, 3, 1), date(2100, 12, 31)), st.integers(1, 366))
def test_a_year_ago_ends_365_or_366_days_earlier(end, days):
    span = Span(end - timedelta(days - 1), end)
    assert (end - span.year_ago.end).days in (365, 366)
    assert span.year_ago.days == days


@pytest.mark.parametrize("text", [None, "previous"])
def test_the_period_before_is_compared_with_where_nobody_chose(text):
    ask = Ask.parse("28", None, None, text)
    assert ask == Ask()
    assert ask.on(AS_OF, TODAY).query == "period=28"


def test_a_comparison_stands_in_the_query():
    assert Ask.parse("7", None, None, "year").on(AS_OF, TODAY).query == "period=7&compare=year"
    custom_range = Ask.parse(None, "2026-01-01", "2026-01-31", "none").on(AS_OF, TODAY)
    assert custom_range.query == "start=2026-01-01&end=2026-01-31&compare=none"
    assert custom_range.plain.query == "start=2026-01-01&end=2026-01-31"


@pytest.mark.parametrize("text", ["", "YEAR", "last year", "0", "previous ", "year,none"])
def test_a_wrong_comparison_is_named(text):
    with pytest.raises(InvalidPeriod) as caught:
        Ask.parse("28", None, None, text)
    assert caught.value.field == "compare"
