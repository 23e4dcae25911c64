"""Reads deliveries in the background of a process that serves, and makes the snapshots again that changes
by hand have touched: at once when something came in, and every few seconds whatever another process left
waiting."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from ingest.door.deliveries import drain
from ingest.due.remake import remake
from settings import Settings
from storage.bounds.away import tell
from storage.database import Database

log = logging.getLogger("vigilo.ingest")
EVERY_SECONDS = 15.0


class Drainer:
    """A thread for as long as the process lives; begun with the first wake, or by ``keep``."""

    def __init__(self, database: Callable[[], Database], settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def wake(self) -> None:
        """Has the waiting deliveries read; returns at once."""
        self._wanted.set()
        self.keep()

    def keep(self) -> None:
        """Starts the thread, once a process: a fork has none."""
        with self._lock:
            if self._process != os.getpid():
                self._process, self._thread = os.getpid(), None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="deliveries")
                self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a delivery under way is finished."""
        self._stopped.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wanted.clear()
            try:
                drain(self._database())
                remake(self._database(), self._settings, at_once=True)
            except OperationalError as error:
                tell(log, "the database is away; deliveries wait for it", error)
            except Exception:
                log.exception("deliveries")
            self._wanted.wait(EVERY_SECONDS)
