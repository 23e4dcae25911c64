"""Where points are expected: as rare outside as promised, and never for the fewness of events."""

from __future__ import annotations

import numpy as np
import pytest

from aggregators.signal.change import Sample
from aggregators.signal.interval import CENTRAL_99, NINETEEN_OF_TWENTY, expected_ends
from aggregators.signal.rules import SeriesKind

WORKSPACES, POINTS = 4000, 12
RATE, RATIO, DURATION = SeriesKind.RATE, SeriesKind.RATIO, SeriesKind.DURATION


def column(values: np.ndarray) -> np.ndarray:
    return values[:, None]


def outside(kind: SeriesKind, sizes: tuple[float, float], base_days: int, errors: float) -> float:
    """Share of the points of workspaces that do not change that lie outside of what is expected."""
    numbers = np.random.default_rng(11)
    level = (
        numbers.uniform(0.02, 0.4, WORKSPACES)
        if kind is RATIO
        else numbers.uniform(*sizes, WORKSPACES)
    )
    exposure = np.rint(numbers.uniform(*sizes, (WORKSPACES, POINTS))).clip(1)
    if kind is DURATION:
        exposure = exposure + 2
        base_n = np.full(WORKSPACES, 40.0)
        shown = numbers.normal(0, 1.2 / np.sqrt(exposure))
        centre = numbers.normal(0, 1.2 / np.sqrt(base_n))
        base = Sample(column(centre * base_n), column(base_n), np.full((WORKSPACES, 1), 1.44))
        value = np.exp(shown - column(centre))
    else:
        base_e = np.full(WORKSPACES, float(base_days))
        drawn = numbers.binomial if kind is RATIO else None
        if drawn:
            x = drawn(base_days, level)
            value = drawn(exposure.astype(int), column(level)) / exposure
        else:
            exposure = np.full_like(exposure, 7.0)
            x = numbers.poisson(level * base_days)
            value = numbers.poisson(column(level) * exposure).astype(float)
        base = Sample.counted(column(x.astype(float)), column(base_e))
    ends = expected_ends(kind, base, exposure, np.ones((WORKSPACES, 1)), errors)
    return float(((value < ends.low - 1e-9) | (value > ends.high + 1e-9)).mean())


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        (RATE, (0.05, 0.5)),
        (RATE, (0.5, 20)),
        (RATIO, (1, 12)),
        (RATIO, (20, 200)),
        (DURATION, (3, 40)),
    ],
)
def test_points_of_what_does_not_change_are_outside_as_rarely_as_promised(kind, sizes):
    assert outside(kind, sizes, 84, CENTRAL_99) <= 0.011
    assert outside(kind, sizes, 84, NINETEEN_OF_TWENTY) <= 0.055


@pytest.mark.parametrize("kind", [RATE, RATIO])
def test_a_doubling_of_many_events_is_outside_and_nothing_of_few_is_not(kind):
    base = Sample.counted(np.array([84.0, 4.0]), np.array([840.0, 84.0]))
    exposure = np.array([200.0, 7.0])
    ends = expected_ends(kind, base, exposure, np.ones(2), CENTRAL_99)
    unit = exposure if kind is RATIO else np.ones(2)
    assert ends.high[0] * unit[0] < 2 * 0.1 * 200
    assert ends.low[1] == 0.0


def test_without_a_base_or_an_exposure_nothing_is_expected():
    for kind in SeriesKind:
        base = Sample(np.array([np.nan, 5.0]), np.array([np.nan, 50.0]), np.ones(2))
        ends = expected_ends(kind, base, np.array([9.0, np.nan]), np.ones(2), NINETEEN_OF_TWENTY)
        assert np.isnan(ends.high).all()
