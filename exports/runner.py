"""Wakes the work: in this process by default, in a worker apart, or through Celery where Redis is there.

A wake carries nothing but the news that a job waits. Where it is lost, the keeper finds the job: every
process that serves looks every few seconds, and so does ``worker``.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from diskcache import Deque
from sqlalchemy.exc import OperationalError

from exports import queue, worker
from exports.worker import Place

log = logging.getLogger("vigilo.exports")
EVERY_SECONDS = 15.0


class Bell:
    """News between processes on one machine, in a folder of the data directory."""

    def __init__(self, data_dir: Path) -> None:
        folder = data_dir / "wake"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._deque = Deque(directory=str(folder), maxlen=1000)

    def ring(self) -> None:
        """A job waits."""
        self._deque.append(b"")

    def rang(self) -> bool:
        """Whether it rang since; each ring is heard once."""
        try:
            self._deque.popleft()
        except IndexError:
            return False
        return True


class Runner:
    """The worker inside a process that serves. One thread works at a time, for as long as jobs wait."""

    def __init__(self, place: Callable[[], Place]) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again = False
        self._process = os.getpid()
        self._keeper: threading.Thread | None = None
        self._stop = threading.Event()

    def wake(self) -> None:
        """Has the waiting jobs made; returns at once."""
        settings = self._place().settings
        if redis := settings.redis_url:
            from exports import celery_app

            celery_app.wake(redis)
            return
        Bell(settings.data_dir).ring()
        if not settings.exports_in_process:
            return
        with self._lock:
            if self._process != os.getpid():  # a fork has no threads
                self._process, self._thread, self._keeper = os.getpid(), None, None
            self._again = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="exports")
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._again:
                    self._thread = None
                    return
                self._again = False
            try:
                worker.drain(self._place())
            except OperationalError:
                log.warning("the database is away; waiting exports are made when it is back")
            except Exception:
                log.exception("exports")

    def keep(self) -> None:
        """Starts looking after forgotten jobs, mails and files, for as long as the process lives; a worker
        apart does it itself."""
        if self._keeper is None and self._place().settings.exports_in_process:
            self._keeper = threading.Thread(target=self._keep, daemon=True, name="export-keeper")
            self._keeper.start()

    def stop(self) -> None:
        """Ends the keeper; a job under way is finished."""
        self._stop.set()
        for thread in (self._keeper, self._thread):
            if thread is not None:
                thread.join()

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                place = self._place()
                worker.tidy(place)
                if queue.waits(place.database.web):
                    self.wake()
            except OperationalError:
                log.warning("the database is away")
            except Exception:
                log.exception("exports")
            self._stop.wait(EVERY_SECONDS)
