"""So many requests a minute for each person, whatever others send."""

from __future__ import annotations

import pytest

from web.bounds.pace import RequestPace, TooFast


class StoppedClock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_a_loop_waits():
    clock = StoppedClock()
    pace = RequestPace(60, clock)
    for _ in range(60):
        pace.step(1)
    with pytest.raises(TooFast) as refused:
        pace.step(1)
    assert refused.value.seconds == 1
    pace.step(2)
    clock.now += 1
    pace.step(1)
    with pytest.raises(TooFast):
        pace.step(1)


def test_a_long_wait_gives_no_more_than_a_minutes_requests():
    clock = StoppedClock()
    pace = RequestPace(10, clock)
    pace.step(1)
    clock.now = 10_000
    for _ in range(10):
        pace.step(1)
    with pytest.raises(TooFast):
        pace.step(1)
