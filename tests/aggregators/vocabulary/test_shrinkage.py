"""Empirical-Bayes means, against priors searched for by hand and against what must hold of any."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.vocabulary.shrinkage import of_durations, of_rates, of_ratios
from tests.deep import examples

shares = st.lists(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=30,
)


def columns(pairs):
    return (np.array(column, float) for column in zip(*pairs, strict=True))


@examples(quick=50, deep=500)
@given(shares)
def test_equal_evidence_ties_and_more_failures_of_as_many_are_worse(pairs):
    x, n = columns(pairs)
    shrunken = of_ratios(x, n)
    assert ((shrunken > 0) & (shrunken < 1)).all()
    for (i, one), (j, other) in product(enumerate(pairs), repeat=2):
        if one == other:
            assert shrunken[i] == shrunken[j]
        elif one[1] == other[1] and one[0] > other[0]:
            assert shrunken[i] >= shrunken[j]


@examples(quick=50, deep=500)
@given(shares, st.randoms(use_true_random=False))
def test_the_order_in_which_workspaces_come_changes_nothing(pairs, random):
    x, n = columns(pairs)
    mixed = list(range(len(pairs)))
    random.shuffle(mixed)
    assert of_ratios(x[mixed], n[mixed]).tolist() == of_ratios(x, n)[mixed].tolist()


def test_ratios_of_a_few_are_those_of_a_beta_found_by_hand():
    pairs = [(3, 9), (1, 2), (25, 79), (19, 100), (0, 12), (4, 80), (2, 21), (9, 60), (1, 40)]

    def likelihood(a, b):
        size = a + b
        each = sum(
            math.lgamma(x + a) + math.lgamma(n - x + b) - math.lgamma(n + size) for x, n in pairs
        )
        prior = math.lgamma(a) + math.lgamma(b) - math.lgamma(size)
        return each - len(pairs) * prior - 0.5 * math.log(size / 12) ** 2

    grid = [
        (m * size, (1 - m) * size)
        for m in np.linspace(0.01, 0.5, 99)
        for size in np.geomspace(1, 200, 99)
    ]
    a, b = max(grid, key=lambda at: likelihood(*at))
    by_hand = [(x + a) / (n + a + b) for x, n in pairs]
    assert of_ratios(*columns(pairs)) == pytest.approx(by_hand, abs=0.012)


def test_three_of_nine_stands_before_one_of_two():
    others = [(round((0.02 + 0.002 * k) * (20 + k)), 20 + k) for k in range(100)]
    nine, two, *_ = of_ratios(*columns([(3, 9), (1, 2), *others]))
    assert 0.1 < two < nine < 1 / 3


def test_rates_are_drawn_to_each_other_by_what_was_seen():
    count, days = columns([(0, 3), (28, 28), (26, 28), (30, 28), (0, 28), (3, 3)])
    shrunken = of_rates(count, days)
    assert shrunken[4] < shrunken[0] < 0.7
    assert shrunken[3] > shrunken[1] > shrunken[2]
    assert abs(shrunken[5] - 1) < 0.15
    assert (shrunken > 0).all()


def test_long_durations_of_a_few_stand_behind_long_ones_of_many():
    value, n = columns([(90_000, 1), (80_000, 200), (3_600, 40), (7_200, 60), (0, 2), (1_800, 30)])
    shrunken = of_durations(value, n)
    assert shrunken[1] == max(shrunken)
    assert 7_200 < shrunken[0] < 90_000
    assert (shrunken > 0).all()


@pytest.mark.parametrize(
    ("part", "whole", "count"), [(5, 10, 10_000), (970_000, 1_000_000, 50), (2, 100, 10_000)]
)
def test_many_that_are_alike_have_the_share_that_they_have(part, whole, count):
    shrunken = of_ratios(np.full(count, float(part)), np.full(count, float(whole)))
    assert shrunken == pytest.approx(np.full(count, part / whole), rel=0.02)


def test_one_that_lies_apart_from_thousands_that_are_alike_stays_apart():
    x, n = columns([(80_000, 100_000), *[(2_000, 100_000)] * 9_999])
    apart, *others = of_ratios(x, n)
    assert apart == pytest.approx(0.8, abs=0.01)
    assert others == pytest.approx([0.02] * 9_999, rel=0.02)


@pytest.mark.parametrize("whole", [10_000, 1_000_000, 100_000_000])
def test_shares_of_many_events_are_drawn_nowhere_and_keep_their_order(whole):
    shown = np.array([0.0301, 0.0303, 0.0305, 0.031, 0.032, 0.034, 0.036, 0.05])
    shrunken = of_ratios(shown * whole, np.full(len(shown), float(whole)))
    assert shrunken == pytest.approx(shown, rel=0.02)
    assert (np.diff(shrunken) > 0).all()


@examples(quick=30, deep=300)
@given(
    st.floats(0, 1),
    st.floats(0, 0.2),
    st.floats(0, 8),
    st.sampled_from([1, 2, 40, 3_000]),
    st.integers(0, 2**32 - 1),
)
def test_shares_of_any_number_of_events_lie_between_none_and_all(mean, spread, digits, count, seed):
    random = np.random.default_rng(seed)
    whole = np.ceil(10 ** random.uniform(0, digits, count))
    share = np.clip(mean + random.normal(0, spread, count), 0, 1)
    shrunken = of_ratios(np.round(whole * share), whole)
    assert ((shrunken > 0) & (shrunken < 1)).all()


def test_one_workspace_alone_has_a_value():
    for made in (
        of_ratios(np.array([1.0]), np.array([2.0])),
        of_rates(np.array([0.0]), np.array([1.0])),
        of_durations(np.array([5.0]), np.array([1.0])),
    ):
        assert np.isfinite(made).all()
