"""Chips: the test of each kind, checked against slow, obvious computations."""

from __future__ import annotations

import math
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.signal.change import (
    VERDICTS,
    ChangeOutcome,
    Sample,
    Verdict,
    compare_samples,
    verdicts,
)
from aggregators.signal.interval import likelihood, of_change, wilson
from aggregators.signal.normal import mid_p_z, upper_tail
from aggregators.signal.rules import SeriesKind
from tests.deep import examples
from tests.plain import verdicts as plain

ONE = np.ones(1)


def counted(x: float, e: float) -> Sample:
    return Sample.counted(np.array([float(x)]), np.array([float(e)]))


def z_of_ratio(x: int, n: int, x0: int, n0: int, dispersion: float = 1.0) -> ChangeOutcome:
    return compare_samples(SeriesKind.RATIO, counted(x, n), counted(x0, n0), dispersion * ONE)


def verdict(outcome: ChangeOutcome, worse_sign: float = 1.0) -> Verdict:
    (place_in_list,) = verdicts(outcome, worse_sign, outcome.z)
    return VERDICTS[place_in_list]


def test_two_of_21_against_one_of_20_is_noise() -> None:
    outcome = z_of_ratio(2, 21, 1, 20)
    assert outcome.z[0] == pytest.approx(0.56, abs=0.01)
    assert verdict(outcome) is Verdict.WITHIN_NOISE


def test_one_of_one_is_too_few_to_paint_red() -> None:
    outcome = z_of_ratio(1, 1, 0, 20)
    assert outcome.z[0] == pytest.approx(1.98, abs=0.01)
    assert verdict(outcome) is Verdict.LIKELY_WORSE


def test_where_the_worst_outcome_could_not_tell_it_is_too_few() -> None:
    assert verdict(z_of_ratio(0, 1, 5, 20)) is Verdict.TOO_FEW
    assert verdict(z_of_ratio(0, 0, 5, 20)) is Verdict.TOO_FEW


def test_a_plain_rise_is_worse_and_a_plain_fall_better() -> None:
    assert verdict(z_of_ratio(30, 100, 8, 100)) is Verdict.WORSE
    assert verdict(z_of_ratio(8, 100, 30, 100)) is Verdict.BETTER
    assert verdict(z_of_ratio(30, 100, 8, 100), worse_sign=-1.0) is Verdict.BETTER


def test_nothing_is_coloured_where_the_shown_figure_went_the_other_way() -> None:
    outcome = z_of_ratio(30, 100, 8, 100)
    assert VERDICTS[verdicts(outcome, 1.0, -outcome.z)[0]] is Verdict.WITHIN_NOISE


@given(st.integers(1, 4), st.integers(0, 4), st.integers(1, 60), st.integers(0, 60))
def test_mid_p_is_that_of_the_hypergeometric_distribution(
    n: int, x: int, n_before: int, x_before: int
) -> None:
    x, x_before = min(x, n), min(x_before, n_before)
    wholes, marked = n + n_before, x + x_before

    def mass(k: int) -> float:
        if k > marked or n - k > wholes - marked or k > n:
            return 0.0
        return comb(marked, k) * comb(wholes - marked, n - k) / comb(wholes, n)

    mid_p = sum(mass(k) for k in range(x + 1, n + 1)) + mass(x) / 2
    z = mid_p_z(*(np.array([float(v)]) for v in (x, n, x_before, n_before)))[0]
    assert upper_tail(z) == pytest.approx(min(max(mid_p, 1e-15), 1 - 1e-15), abs=1e-9)


@given(
    st.integers(0, 300), st.floats(5, 90), st.integers(0, 300), st.floats(5, 90), st.floats(1, 9)
)
def test_dispersion_divides_the_deviance_of_a_rate(
    x: int, e: float, x0: int, e0: float, dispersion: float
) -> None:
    plain = compare_samples(SeriesKind.RATE, counted(x, e), counted(x0, e0), ONE).z[0]
    scattered = compare_samples(
        SeriesKind.RATE, counted(x, e), counted(x0, e0), dispersion * ONE
    ).z[0]
    assert scattered * math.sqrt(dispersion) == pytest.approx(plain, rel=1e-9, abs=1e-9)


@given(st.integers(5, 500), st.data(), st.integers(5, 500), st.data())
def test_swapping_the_periods_turns_the_sign(
    n: int, a: st.DataObject, m: int, b: st.DataObject
) -> None:
    x, y = a.draw(st.integers(0, n)), b.draw(st.integers(0, m))
    assert z_of_ratio(x, n, y, m).z[0] == pytest.approx(-z_of_ratio(y, m, x, n).z[0], abs=1e-9)


def test_durations_are_compared_by_their_mean_logs() -> None:
    numbers = np.random.default_rng(3)
    slow, quick = numbers.normal(9, 1, 400), numbers.normal(8, 1, 400)
    samples = [
        Sample(*(np.array([v]) for v in (logs.sum(), 400.0, (logs**2).sum())))
        for logs in (slow, quick)
    ]
    outcome = compare_samples(SeriesKind.DURATION, samples[0], samples[1], ONE)
    assert outcome.z[0] == pytest.approx(1 / math.sqrt(2 / 400), rel=0.15)
    interval = of_change(SeriesKind.DURATION, samples[0], samples[1], ONE)
    assert interval.low[0] < math.e < interval.high[0]


@given(st.integers(1, 400), st.data())
def test_wilson_holds_the_ratio_within_0_and_1(n: int, data: st.DataObject) -> None:
    x = data.draw(st.integers(0, n))
    interval = wilson(np.array([float(x)]), np.array([float(n)]), ONE)
    assert 0 <= interval.low[0] <= x / n + 1e-12
    assert x / n - 1e-12 <= interval.high[0] <= 1


counts_of_a_period = st.tuples(st.integers(0, 40), st.integers(0, 60)).map(
    lambda two: (min(two), max(two))
)
both_periods = st.lists(st.tuples(counts_of_a_period, counts_of_a_period), min_size=1, max_size=20)


@examples(quick=200, deep=3000)
@given(
    both_periods,
    st.sampled_from([SeriesKind.RATIO, SeriesKind.RATE]),
    st.floats(0.8, 4),
    st.booleans(),
)
def test_every_verdict_is_that_of_the_slow_computation(counts, kind, scatter, is_fall):
    now, before = (
        Sample.counted(*np.array([pair[at] for pair in counts], float).T) for at in (0, 1)
    )
    outcome = compare_samples(kind, now, before, np.full(len(counts), scatter))
    moved = np.nan_to_num(outcome.z)
    told = verdicts(outcome, -1.0 if is_fall else 1.0, moved)
    errors = plain.of_ratio if kind is SeriesKind.RATIO else plain.of_rate
    for place_in_list, pair, delta in zip(told.tolist(), counts, moved.tolist(), strict=True):
        expected, z = plain.verdict(errors, *pair, scatter, -1 if is_fall else 1, delta)
        if min(abs(abs(z) - at) for at in (plain.LIKELY, plain.CERTAIN)) > 1e-6:
            assert VERDICTS[place_in_list] == expected, pair


@examples(quick=60, deep=1000)
@given(both_periods, st.sampled_from([SeriesKind.RATIO, SeriesKind.RATE]), st.floats(0.8, 4))
def test_an_interval_ends_where_the_test_says_too_far(counts, kind, scatter):
    now, before = (
        Sample.counted(*np.array([pair[at] for pair in counts], float).T) for at in (0, 1)
    )
    bound = 1.959964**2 * scatter
    one = likelihood(now.x, now.e, np.full(len(counts), scatter))
    for (x, n), low, high in zip([p[0] for p in counts], one.low, one.high, strict=True):
        if n == 0:
            assert np.isnan(low)
            continue
        assert 0 <= low <= x / n <= high <= 1
        for end, is_open in ((low, x == 0), (high, x == n)):
            if not is_open:
                assert deviance(x, n, end) == pytest.approx(bound, rel=1e-6)
    change = of_change(kind, now, before, np.full(len(counts), scatter))
    for (own, earlier), low, high in zip(counts, change.low, change.high, strict=True):
        if kind is SeriesKind.RATE and own[1] and earlier[1] and own[0] + earlier[0]:
            factor = (own[0] + 0.1) / own[1] / ((earlier[0] + 0.1) / earlier[1])
            assert 0 <= low < factor < high


def deviance(x: float, n: float, ratio: float) -> float:
    """Twice the log of how much likelier what was counted is under its own ratio."""
    parts = [(x, ratio), (n - x, 1 - ratio)]
    return 2 * sum(o * math.log(o / (n * p)) for o, p in parts if o)


def test_an_interval_of_few_events_holds_as_often_as_of_many():
    numbers = np.random.default_rng(3)
    for mean in (2.0, 4.0, 8.0, 40.0):
        now, before = (
            Sample.counted(numbers.poisson(mean, 20_000).astype(float), np.ones(20_000))
            for _ in range(2)
        )
        ends = of_change(SeriesKind.RATE, now, before, np.ones(20_000))
        known = ~np.isnan(ends.low)
        held = ((ends.low <= 1) & (ends.high >= 1))[known].mean()
        assert held == pytest.approx(0.95, abs=0.015), mean
