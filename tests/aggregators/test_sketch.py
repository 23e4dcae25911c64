"""The distribution summary: accuracy, merging, subtraction, broken bytes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.sketch import EMPTY, BrokenSketch, Sketch
from tests.oracle import quantile

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


@given(durations, durations)
def test_a_running_total_less_an_earlier_one_is_what_came_between(a, b):
    assert Sketch.of(a + b) - Sketch.of(a) == Sketch.of(b)


@given(durations)
def test_it_survives_storage(values):
    sketch = Sketch.of(values)
    assert Sketch.unpack(sketch.pack()) == sketch
    assert Sketch.unpack(sketch.pack()).n == len(values)


def test_under_a_second_is_zero_and_nothing_is_none():
    assert Sketch.of([0.0, 0.4]).quantile(0.5) == 0.0
    assert EMPTY.quantile(0.5) is None
    assert EMPTY.n == 0


@pytest.mark.parametrize("data", [b"12345", b"\x05\x00\x01\x00\x00\x00\x05\x00\x01\x00\x00\x00"])
def test_broken_bytes_are_named(data):
    with pytest.raises(BrokenSketch):
        Sketch.unpack(data)


def test_a_falling_total_is_named():
    with pytest.raises(BrokenSketch, match="falls"):
        Sketch.of([5.0]) - Sketch.of([5.0, 5.0])


def test_ten_years_fit():
    years = [10 * 366 * 86400.0]
    assert math.isclose(Sketch.of(years).quantile(0.5), years[0], rel_tol=0.02)
    assert np.all(Sketch.of(years).buckets < 2**15)
