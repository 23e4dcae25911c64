"""Turns at work that is dear: so many at a time in a process, or one at a time on a machine.

A turn may have a rest: it is given on only some time after the work, a multiple of what that took. Whoever
works does not wait for it. Without it one that asks again and again has a core to itself, and everybody
else's statements, which take less than a millisecond, wait for that core.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("vigilo.turns")
LONGEST_REST_SECONDS = 1.0
"""Bound of a rest: what is long because the machine is busy takes little of it, and the next one waits."""


class Busy(RuntimeError):
    """Others do the same dear work, and no turn came in time."""


class Turns:
    """Dear work of a process, so many at a time; the others wait for their turn. ``rest`` times as long as
    it took is nobody's turn."""

    def __init__(self, at_once: int, patience_seconds: float, rest: float = 0.0) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._patience, self._rest = patience_seconds, rest

    @contextmanager
    def hold_turn(self) -> Iterator[None]:
        """Waits for a turn and holds it. Raises Busy where none came."""
        if not self._free.acquire(timeout=self._patience):
            raise Busy("no turn came in time")
        begun = time.monotonic()
        try:
            yield
        finally:
            _release_later(self._rest * (time.monotonic() - begun), self._free.release)


@contextmanager
def one_at_a_time(lock: Path, patience_seconds: float, rest: float = 0.0) -> Iterator[None]:
    """Dear work that the processes of a machine do one at a time, with a rest as ``Turns`` have it: a turn
    is a lock on the file, which the system gives back when a process dies. Where nothing can be written
    there are no turns. Raises Busy."""
    from filelock import FileLock, Timeout

    turn = FileLock(lock, thread_local=False)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        turn.acquire(timeout=patience_seconds)
    except Timeout as error:
        raise Busy("no turn came in time") from error
    except OSError as error:
        log.warning("no turns at dear work: %s", error)
    begun = time.monotonic()
    try:
        yield
    finally:
        _release_later(rest * (time.monotonic() - begun), lambda: turn.release(force=True))


def _release_later(seconds: float, release: Callable[[], None]) -> None:
    """Gives a turn on after so many seconds, one at most."""
    if seconds <= 0:
        release()
        return
    resting = threading.Timer(min(seconds, LONGEST_REST_SECONDS), release)
    resting.daemon = True
    resting.start()
