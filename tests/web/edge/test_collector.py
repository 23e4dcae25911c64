"""Python's collector waits for a start, and is as it was afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from web.server.collector import collect_at_end, without_collector


class Knot:
    """An object that only the collector takes away."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Knot.alive += 1

    def __del__(self) -> None:
        Knot.alive -= 1


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    gc.enable()
    gc.collect()
    assert Knot.alive == 0


def test_it_waits_and_goes_on_also_after_an_error():
    seen = []

    def broken() -> None:
        with without_collector():
            seen.append(gc.isenabled())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert seen == [False]
    assert gc.isenabled()


def test_within_another_start_it_goes_on_waiting():
    with without_collector():
        with without_collector():
            pass
        assert not gc.isenabled()


def test_work_within_a_start_that_leaves_nothing_is_cleared_away():
    with without_collector():
        with collect_at_end():
            assert gc.isenabled()
            Knot()
        assert Knot.alive == 0
        assert not gc.isenabled()
