"""The distribution summary: accuracy, merging, stored days, broken bytes."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.vocabulary.sketch import (
    EMPTY,
    HIGHEST_BUCKET,
    BrokenSketch,
    Sketch,
    bucket_of,
    packed_days,
    unpacked_days,
)
from tests.plain.records import quantile

durations = st.lists(st.floats(1, 4e8), min_size=1, max_size=200)


@given(durations, st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_any_quantile_is_within_two_percent(values, q):
    assert Sketch.of(values).quantile(q) == pytest.approx(quantile(values, q), rel=0.02)


@given(durations, durations, durations)
def test_merging_does_not_depend_on_the_order(a, b, c):
    x, y, z = map(Sketch.of, (a, b, c))
    whole = Sketch.of(a + b + c)
    assert Sketch.merged([x, y, z]) == whole
    assert Sketch.merged([Sketch.merged([z, x]), y]) == whole


def test_under_a_second_is_zero_and_nothing_is_none():
    assert Sketch.of([0.0, 0.4]).quantile(0.5) == 0.0
    assert EMPTY.quantile(0.5) is None
    assert EMPTY.n == 0


def test_broken_bytes_are_named():
    with pytest.raises(BrokenSketch, match="5 bytes"):
        unpacked_days(b"12345")


@given(st.lists(st.tuples(st.integers(0, 31), st.floats(0, 4e8)), max_size=60))
def test_days_survive_storage(events):
    places = np.array([place for place, _ in events], int)
    buckets = bucket_of(np.array([seconds for _, seconds in events]))
    stored = zip(*unpacked_days(packed_days(places, buckets)), strict=True)
    counted = Counter(zip(places.tolist(), buckets.tolist(), strict=True))
    assert {(p, b): n for p, b, n in stored} == counted


def test_a_duration_of_ages_is_refused():
    with pytest.raises(BrokenSketch, match="longer"):
        packed_days(np.array([0]), np.array([HIGHEST_BUCKET + 1]))


def test_ten_years_fit():
    years = [10 * 366 * 86400.0]
    assert math.isclose(Sketch.of(years).quantile(0.5), years[0], rel_tol=0.02)
    assert np.all(Sketch.of(years).buckets < 2**15)
