"""Turns at work that is dear: so many at a time in a process, or one at a time on a machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger("vigilo.turns")


class Busy(RuntimeError):
    """Others do the same dear work, and no turn came in time."""


class Turns:
    """Dear work of a process, so many at a time; the others wait for their turn."""

    def __init__(self, at_once: int, patience_seconds: float) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._patience = patience_seconds

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Waits for a turn and holds it. Raises Busy where none came."""
        if not self._free.acquire(timeout=self._patience):
            raise Busy("no turn came in time")
        try:
            yield
        finally:
            self._free.release()


@contextmanager
def alone(lock: Path, patience_seconds: float) -> Iterator[None]:
    """Dear work that the processes of a machine do one at a time: a turn is a lock on the file, which the
    system gives back when a process dies. Where nothing can be written there are no turns. Raises Busy."""
    turn = FileLock(lock, thread_local=False)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        turn.acquire(timeout=patience_seconds)
    except Timeout as error:
        raise Busy("no turn came in time") from error
    except OSError as error:
        log.warning("no turns at dear work: %s", error)
    try:
        yield
    finally:
        turn.release(force=True)
