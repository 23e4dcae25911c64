"""Bounds of what is asked of a sender while somebody waits for it: so many requests, so much time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


class Enough(Exception):
    """Nothing more may be asked."""


@dataclass(slots=True)
class Allowance:
    """Requests and seconds that all clients of a run have together."""

    requests: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._ends - self.clock()

    def spend(self) -> None:
        """Takes one request of it. Raises Enough."""
        if self.requests < 1 or self.left <= 0:
            raise Enough
        self.requests -= 1
