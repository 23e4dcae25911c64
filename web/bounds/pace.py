"""Pace of requests: so many a minute for each person, in each process.

A bucket that fills with time: short bursts pass, a loop does not. Kept in memory, as a program that asks
without end does so of a process that is there; with several processes the bound is as many times as high.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MINUTE = 60.0
REMEMBERED = 10_000
"""People whose buckets are kept; full ones are forgotten before that."""


class TooFast(RuntimeError):
    """More requests than a person may send; ``seconds`` until the next may come."""

    def __init__(self, a_minute: int, seconds: float) -> None:
        super().__init__(f"At most {a_minute} requests a minute: wait {seconds:.0f} s.")
        self.seconds = seconds


class RequestPace:
    """Buckets of ``a_minute`` requests, by person."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_minute, self._clock = a_minute, clock
        self._left: dict[int, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def step(self, person: int) -> None:
        """Takes one of the person's requests. Raises TooFast where none is left."""
        now = self._clock()
        with self._lock:
            left, at = self._left.get(person, (float(self.a_minute), now))
            left = min(self.a_minute, left + (now - at) * self.a_minute / MINUTE)
            if left < 1:
                self._left[person] = left, now
                raise TooFast(self.a_minute, max(1.0, (1 - left) * MINUTE / self.a_minute))
            self._left[person] = left - 1, now
            if len(self._left) > REMEMBERED:
                self._forget(now)

    def _forget(self, now: float) -> None:
        """Drops the buckets that have been filling for a minute: they are full again."""
        self._left = {p: (left, at) for p, (left, at) in self._left.items() if now - at < MINUTE}
