"""Looks at something that may not answer: one at a time, and nobody waits for it longer than a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

from web.health.findings import HealthFinding

MOMENT_SECONDS = 2.0
"""The longest that ``/readyz`` waits for a look: those who probe it give up after a few seconds."""


class Looks:
    """Findings of a function that may wait for servers. Whoever asks during a look waits for its outcome,
    at most ``moment`` seconds; what was seen stands for ``kept`` seconds, and for ``meanwhile`` seconds
    more to those who would wait longer than a moment for the next look."""

    def __init__(
        self, look: Callable[[], list[HealthFinding]], kept: float = 0.0, meanwhile: float = 0.0
    ) -> None:
        self.moment = MOMENT_SECONDS
        self._look, self._kept, self._meanwhile = look, kept, meanwhile
        self._last: tuple[float, list[HealthFinding]] = float("-inf"), []
        self._lock = threading.Lock()
        self._running: Future[list[HealthFinding]] | None = None
        self._until = 0.0

    def findings(self, meanwhile: Callable[[], list[HealthFinding]] = list) -> list[HealthFinding]:
        """Findings of the look; ``meanwhile`` where it is not done within the moment. Raises as the
        look does."""
        try:
            return self._at_hand().result(self.moment)
        except NotYet:
            seen_at, seen = self._last
            return seen if time.monotonic() < seen_at + self._meanwhile else meanwhile()

    def _at_hand(self) -> Future[list[HealthFinding]]:
        """The look that is under way or still stands; else a new one, on a thread of its own."""
        with self._lock:
            running = self._running
            if running is None or (running.done() and time.monotonic() >= self._until):
                running = self._running = Future()
                threading.Thread(target=self._run, args=(running,), daemon=True).start()
            return running

    def _run(self, outcome: Future[list[HealthFinding]]) -> None:
        try:
            seen = self._look()
        except BaseException as error:  # noqa: BLE001 - whoever asked is told
            outcome.set_exception(error)
        else:
            self._last = time.monotonic(), seen
            self._until = time.monotonic() + self._kept
            outcome.set_result(seen)
