"""Work of a process that nobody waits for, one piece at a time, each piece once."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("vigilo.cache")


NICE = 10
"""Niceness of a thread whose work nobody waits for: those who ask come first."""


def background_thread() -> ThreadPoolExecutor:
    """A thread of low priority. Its own: nobody but root can make a thread nice and take that back."""
    return ThreadPoolExecutor(1, "background", initializer=_be_nice)


def _be_nice() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class Refresher:
    """A thread of the process, begun with the first piece of work: a fork has no threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: set[str] = set()
        self._thread: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    def add(self, key: str, work: Callable[[], object]) -> None:
        """Has the work done after what waits already; nothing where work of that key waits or goes on."""
        with self._guard:
            if self._process != os.getpid():
                self._process, self._thread = os.getpid(), None
                self._waiting.clear()
            if key in self._waiting:
                return
            self._waiting.add(key)
            self._thread = self._thread or background_thread()
            self._thread.submit(self._run_work, key, work)

    def _run_work(self, key: str, work: Callable[[], object]) -> None:
        """Do the work. What goes wrong shows to those who ask next: they do it themselves."""
        try:
            work()
        except Exception:
            log.warning("nothing was made ready", exc_info=True)
        finally:
            with self._guard:
                self._waiting.discard(key)

    def close(self) -> None:
        """Forgets what waits and lets what goes on end."""
        with self._guard:
            thread, self._thread = self._thread, None
            self._waiting.clear()
        if thread is not None:
            thread.shutdown(wait=True, cancel_futures=True)
