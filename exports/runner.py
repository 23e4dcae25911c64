"""Wakes the work: in this process by default, in a worker apart, or through Celery where Redis is there.

A wake carries nothing but the news that a job waits. Where it is lost, a keeper finds the job: each process
that may make exports looks every few seconds, whatever else would wake it, and does the upkeep.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from diskcache import Deque, Timeout
from sqlalchemy.exc import OperationalError

from exports import worker
from exports.worker import ExportContext
from storage.bounds.away import tell

log = logging.getLogger("vigilo.exports")
LISTEN_SECONDS = 0.1
"""How often a worker apart listens for the bell."""


class Bell:
    """News between processes on one machine, in a folder of the data directory."""

    def __init__(self, data_dir: Path) -> None:
        folder = data_dir / "wake"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._deque = Deque(directory=str(folder), maxlen=1000)

    def ring(self) -> None:
        """A job waits."""
        self._deque.append(b"")

    def has_rung(self) -> bool:
        """Whether it rang since; each ring is heard once."""
        try:
            self._deque.popleft()
        except IndexError:
            return False
        return True


def ring(data_dir: Path) -> None:
    """Rings the bell; on a disk that is full or can not be written, the keepers find the job."""
    try:
        Bell(data_dir).ring()
    except (OSError, sqlite3.Error, Timeout):
        log.warning("the bell can not be rung; the keepers find what waits", exc_info=True)


class Runner:
    """The worker inside a process that serves. One thread works at a time, for as long as jobs wait."""

    def __init__(self, context: Callable[[], ExportContext]) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again = False
        self._process = os.getpid()
        self._keeper = worker.Keeper(context, self._look_after)

    def wake(self) -> None:
        """Has the waiting jobs made; returns at once."""
        settings = self._context().settings
        if redis := settings.redis_url:
            from exports import celery_app

            if celery_app.wake(redis) or not settings.exports_in_process:
                return
        else:
            ring(settings.data_dir)
        if settings.exports_in_process:
            self._work()

    def keep(self) -> None:
        """Starts looking after forgotten jobs, mails and files, for as long as the process lives; where
        exports are made apart, the workers do it."""
        if self._context().settings.exports_in_process:
            self._keeper.start()

    def stop(self) -> None:
        """Ends the keeper; a job under way is finished."""
        self._keeper.stop()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        with self._lock:
            if self._process != os.getpid():  # a fork has no threads
                self._process, self._thread = os.getpid(), None
            self._again = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="exports")
                self._thread.start()

    def _run(self) -> None:
        """Makes exports until nothing more was asked for."""
        while True:
            with self._lock:
                if not self._again:
                    self._thread = None
                    return
                self._again = False
            try:
                worker.drain(self._context())
            except OperationalError as error:
                tell(log, "the database is away; waiting exports are made when it is back", error)
            except Exception:
                log.exception("exports")

    def _look_after(self, is_forgotten: bool) -> None:
        """Passes on what waits; makes it here where it waited last time too, for then nobody listens."""
        if is_forgotten:
            self._work()
        else:
            self.wake()


def work_apart(context: ExportContext) -> None:
    """Makes exports and does the upkeep for as long as the process lives, woken by the bell."""
    bell = Bell(context.settings.data_dir)
    while True:
        try:
            worker.tidy(context)
            worker.drain(context)
        except OperationalError as error:
            tell(log, "the database is away; waiting for it", error)
        except Exception:
            log.exception("exports")
        deadline = time.monotonic() + context.pace.look
        while not bell.has_rung() and time.monotonic() < deadline:
            time.sleep(LISTEN_SECONDS)
