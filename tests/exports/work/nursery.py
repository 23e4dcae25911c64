"""Raises workers and kills them: run as a program of its own by test_killed_workers.py.

    python -m tests.exports.work.nursery WEB_URL JOB_URL DEATHS SEED

Settings come from the environment, and with them who works: the process that serves, a worker apart, one of
Celery, or both. Each is a fork that works until it is killed at a random moment; a worker at a job's last
attempt is let be (three deaths of one job are what the limit is for). After the last death those who live
finish what is left, and nobody else helps them. Prints how many died.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable

from sqlalchemy import Engine, create_engine, text

from exports import celery_app, queue, runner
from exports.worker import ExportContext, Pace
from settings import Settings, load
from storage.database import Database
from storage.roles import Roles

PACE = Pace(lease=1.5, mail_lease=1.5, mail_wait=0.5, upkeep=0.3, look=0.3)
BIRTH, LIFE = 1.5, 2.5
"""Seconds until a Celery worker listens, and the longest that a worker lives."""

OPEN = "export_job where state in ('queued', 'running')"
MAILS = "mail_outbox where state = 'queued'"
LAST = f"export_job where state = 'running' and attempt >= {queue.ATTEMPTS}"


def engine(url: str) -> Engine:
    """As the program's own."""
    return create_engine(url, connect_args={"options": "-c timezone=UTC"})


def serve(here: ExportContext) -> None:
    """Keep as a process that serves does."""
    kept = runner.Runner(lambda: here)
    kept.keep()
    while True:
        time.sleep(1)


def who_work(settings: Settings) -> list[Callable[[ExportContext], None]]:
    """Everybody who has to do with exports where these are the settings."""
    apart = celery_app.serve if settings.redis_url else runner.work_apart
    if not settings.exports_in_process:
        return [apart]
    return [serve, apart] if settings.redis_url else [serve]


def child(web: str, job: str, work: Callable[[ExportContext], None]) -> int:
    """A worker in a process of its own."""
    pid = os.fork()
    if pid:
        return pid
    try:
        database = Database(engine(web), engine(job), None, Roles())
        work(ExportContext(database, load(), PACE))
    finally:
        os._exit(1)


def main() -> None:
    """As the module says."""
    web, job, deaths, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance, died = random.Random(seed), 0
    watch, settings = engine(job), load()
    alive: dict[Callable[[ExportContext], None], int] = {}

    def there_is(what: str) -> bool:
        with watch.connect() as connection:
            return bool(connection.execute(text(f"select exists (select from {what})")).scalar())

    while there_is(OPEN) or there_is(MAILS):
        for work in who_work(settings):
            alive[work] = alive.get(work) or child(web, job, work)
        until = time.monotonic() + (BIRTH if settings.redis_url else 0) + chance.uniform(0.1, LIFE)
        while there_is(OPEN) or there_is(MAILS):
            time.sleep(0.02)
            if died < deaths and time.monotonic() > until and not there_is(LAST):
                died += 1
                break
        kill(alive.pop(chance.choice(list(alive))))
    for pid in alive.values():
        kill(pid)
    sys.stdout.write(f"{died}\n")


def kill(pid: int) -> None:
    """End it without a warning."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
