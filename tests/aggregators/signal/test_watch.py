"""The watch: bounded nights, flags, the start of a drift, thresholds from one's own history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aggregators.signal.flags import crossings, first_flags
from aggregators.signal.placebo import false_rate, placebo, redrawn_days, threshold
from aggregators.signal.rules import LEARNING_DAYS, RISES, SHIPPED, SeriesKind
from aggregators.signal.stretch import PERIODS, own_stretch, shipped_stretch, stretch_of_days
from aggregators.signal.watch import (
    DailyEvidence,
    WatchState,
    advance_night,
    evidence_by_night,
    nights,
)

SERIES, DAYS, CHANGED = 60, 320, 240
LIMIT = SHIPPED[SeriesKind.RATIO, False].watch


def deployments(rate: float = 0.1, worse: float = 0.1, seed: int = 1) -> DailyEvidence:
    """Series with 25 deployments a day whose failure rate changes on a day."""
    numbers = np.random.default_rng(seed)
    e = numbers.poisson(25, (SERIES, DAYS))
    rates = np.where(np.arange(DAYS) < CHANGED, rate, worse)
    x = numbers.binomial(e, rates)
    return DailyEvidence(
        SeriesKind.RATIO, False, x.astype(float), e.astype(float), np.zeros(x.shape)
    )


@pytest.fixture(scope="module")
def stable() -> DailyEvidence:
    return deployments()


@pytest.fixture(scope="module")
def doubled() -> DailyEvidence:
    return deployments(worse=0.2)


def test_stable_series_are_hardly_ever_flagged(stable: DailyEvidence) -> None:
    assert false_rate([evidence_by_night(stable)], LIMIT) == 0.0


def test_a_doubling_is_found_within_four_weeks_nearly_everywhere(doubled: DailyEvidence) -> None:
    delays = first_flags(evidence_by_night(doubled), LIMIT, np.full(SERIES, CHANGED))
    assert (delays < 28).mean() > 0.9


def test_no_single_night_raises_a_flag(stable: DailyEvidence) -> None:
    states = [state for state, _ in nights(stable)]
    catastrophe = DailyEvidence(
        SeriesKind.RATIO,
        False,
        np.where(np.arange(DAYS) == CHANGED, stable.e, stable.x),
        stable.e,
        stable.squares,
    )
    hit = evidence_by_night(catastrophe)[:, CHANGED]
    before = np.logaddexp(0.0, states[CHANGED - 1].total)
    assert (hit <= before + RISES[SeriesKind.RATIO].most + 1e-9).all()
    assert (hit < LIMIT).all()


def test_since_when_is_near_the_day_of_the_change(doubled: DailyEvidence) -> None:
    state = list(nights(doubled))[CHANGED + 40][0]
    off = np.abs(state.since - CHANGED)
    assert np.median(off) <= 10
    assert (off <= state.give_or_take).mean() > 0.7


def test_nights_before_the_baseline_is_learned_say_nothing(doubled: DailyEvidence) -> None:
    assert (evidence_by_night(doubled)[:, : LEARNING_DAYS - 1] < -20).all()


def test_a_window_of_days_goes_on_where_the_whole_history_is(doubled: DailyEvidence) -> None:
    """The nightly job keeps the state and reads 63 days: the outcome is the same as from all days."""
    states = [state for state, _ in nights(doubled)]
    first = 200
    window = doubled.on(np.arange(first - 62, DAYS))
    state = states[first - 1]
    for day in range(62, window.days):
        state, _ = advance_night(state, window, day)
    assert state.day == DAYS
    np.testing.assert_allclose(state.total, states[-1].total)
    np.testing.assert_array_equal(state.since, states[-1].since)


def test_a_crossing_needs_quiet_nights_before_it() -> None:
    evidence = np.zeros((1, 90))
    evidence[0, [10, 20, 60]] = 9.0
    assert np.flatnonzero(crossings(evidence, 8.0)).tolist() == [10, 60]


def test_redrawn_days_keep_the_days_of_the_week() -> None:
    order = redrawn_days(400, np.random.default_rng(2))
    assert (order % 7 == np.arange(len(order)) % 7).all()
    assert len(order) == 399


def test_one_s_own_history_gives_a_threshold_near_the_shipped_one(stable: DailyEvidence) -> None:
    redrawn = placebo(stable, seed=4)
    assert threshold(redrawn, 5.0) < LIMIT + 3


def test_a_drift_is_left_out_of_the_placebo(doubled: DailyEvidence) -> None:
    assert len(placebo(doubled, seed=4)[0]) < SERIES / 3


def test_stretch_is_never_below_chance_and_grows_from_the_shipped_one(
    stable: DailyEvidence,
) -> None:
    own = own_stretch(stable)
    assert set(own) == set(PERIODS)
    assert all(1.0 <= factor < 2.0 for factor in own.values())
    assert stretch_of_days(shipped_stretch(SeriesKind.RATIO, False), 365) == 1.4


def test_an_empty_history_breaks_nothing() -> None:
    nothing = np.zeros((3, 120))
    for kind in SeriesKind:
        history = DailyEvidence(kind, kind is SeriesKind.RATE, nothing, nothing, nothing)
        assert np.isfinite(evidence_by_night(history)).all()
    assert (WatchState.empty(3).total < -20).all()


def lasting(history: DailyEvidence, calm: DailyEvidence, days: int) -> DailyEvidence:
    """A drift that is over after so many days."""
    drifts = np.arange(DAYS) < CHANGED + days
    return replace(
        history,
        x=np.where(drifts, history.x, calm.x),
        e=np.where(drifts, history.e, calm.e),
    )


def test_a_drift_that_is_over_ends_within_weeks_and_none_that_goes_on_does(
    stable: DailyEvidence, doubled: DailyEvidence
) -> None:
    for history, is_over in ((lasting(doubled, stable, 30), True), (doubled, False)):
        state = WatchState.empty(SERIES)
        for day in range(history.days):
            state, _ = advance_night(state, history, day, LIMIT)
        ended = state.over >= CHANGED + 15
        assert ended.mean() == pytest.approx(1.0 if is_over else 0.0, abs=0.07)
        assert ((state.total >= LIMIT).mean() > 0.9) == (not is_over)
        if is_over:
            assert (state.over[ended] >= CHANGED + 30).mean() > 0.95


def test_before_a_threshold_is_reached_nothing_is_over(doubled: DailyEvidence) -> None:
    """First flags are those of the evidence alone."""
    bare = evidence_by_night(doubled)
    state = WatchState.empty(SERIES)
    first = np.full(SERIES, DAYS)
    for day in range(DAYS):
        state, _ = advance_night(state, doubled, day, LIMIT)
        first = np.where((state.total >= LIMIT) & (first == DAYS), day, first)
    assert (
        first == np.where((bare >= LIMIT).any(axis=1), (bare >= LIMIT).argmax(axis=1), DAYS)
    ).all()


def test_a_series_that_is_new_says_nothing_for_eight_weeks(doubled: DailyEvidence) -> None:
    """However long the others have been there."""
    late = replace(doubled, begins=np.where(np.arange(SERIES) < 20, CHANGED - 30, 0))
    evidence = evidence_by_night(late)
    assert (evidence[:20, : CHANGED - 30 + LEARNING_DAYS] < -20).all()
    assert (evidence[:20, CHANGED - 30 + LEARNING_DAYS] > -20).all()
    np.testing.assert_allclose(evidence[20:], evidence_by_night(doubled)[20:])
