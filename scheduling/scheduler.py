"""The clock inside a process that serves: APScheduler runs the tasks, each in one process at a time."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import OperationalError

from scheduling.context import ScheduleContext
from scheduling.tasks import TASKS, Task
from storage.bounds.away import tell

log = logging.getLogger("vigilo.schedule")
logging.getLogger("apscheduler").setLevel(logging.ERROR)

AT_START = ("snapshots", "watch")
"""Tasks that need not wait for their hour: they make up for what was missed."""


class Scheduler:
    """Threads that run the tasks for as long as the process lives; begun by ``keep``."""

    def __init__(
        self, context: Callable[[], ScheduleContext], tasks: Sequence[Task] = TASKS
    ) -> None:
        self._context, self._tasks = context, tasks
        self._lock = threading.Lock()
        self._clock: BackgroundScheduler | None = None
        self._process = os.getpid()
        self._is_away = False

    def keep(self) -> None:
        """Starts the clock, once a process: a fork has no threads."""
        with self._lock:
            if self._process != os.getpid():
                self._process, self._clock = os.getpid(), None
            if self._clock is None:
                self._clock = self._make_clock()
                self._clock.start()

    def wake(self, name: str) -> None:
        """Has a task run now; without a clock it waits for its hour elsewhere."""
        if self._clock is not None and (job := self._clock.get_job(name)):
            job.modify(next_run_time=datetime.now(self._context().settings.zone))

    def look(self) -> None:
        """Has the clock look at once what is due, as after the machine's clock was set."""
        if self._clock is not None:
            self._clock.wakeup()

    def stop(self) -> None:
        """Ends the clock; a task under way is finished."""
        with self._lock:
            if self._clock is not None:
                self._clock.shutdown(wait=True)
                self._clock = None

    def leave(self) -> None:
        """Ends the clock with the process: nothing more begins, and nobody waits for a task under way."""
        with self._lock:
            if self._clock is not None and self._process == os.getpid():
                self._clock.shutdown(wait=False)
                self._clock = None

    def _make_clock(self) -> BackgroundScheduler:
        """The clock with every task of this process on it."""
        settings = self._context().settings
        clock = BackgroundScheduler(
            timezone=settings.zone,
            daemon=True,
            executors={"default": ThreadPoolExecutor(sum(t.at_once for t in self._tasks))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for task in self._tasks:
            if not (settings.scheduler or task.always):
                continue
            first = {"next_run_time": datetime.now(settings.zone)} if task.name in AT_START else {}
            clock.add_job(
                self.run,
                task.when(settings.zone),
                [task],
                id=task.name,
                max_instances=task.at_once,
                **first,
            )
        return clock

    def run(self, task: Task) -> None:
        """Do a task; whatever goes wrong, it comes again at its next hour."""
        try:
            task.work(self._context())
            self._is_away = False
        except OperationalError as error:
            if not self._is_away:  # said once: each task comes again every few seconds
                tell(log, "the database is away, and what is due waits", error)
            self._is_away = True
        except Exception:
            log.exception("task %s", task.name)
