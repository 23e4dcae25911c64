"""Raises workers and kills them: run as a program of its own by test_killed_workers.py.

    python -m tests.exports.nursery WEB_URL JOB_URL DEATHS SEED

Settings come from the environment. Each worker is a fork that works until it is killed at a random moment;
a worker at a job's last attempt is let be (three deaths of one job are what the limit is for). After the
last death one worker finishes what is left. Prints how many died.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import timedelta

from sqlalchemy import Engine, create_engine, text

from exports import celery_app, mail, queue, worker
from exports.worker import Place
from settings import load
from storage.database import Database
from storage.roles import Roles

LEASE = 1.5
BIRTH, LIFE = 1.5, 2.5
"""Seconds until a Celery worker listens, and the longest that a worker lives."""


OPEN = "export_job where state in ('queued', 'running')"
MAILS = "mail_outbox where state = 'queued'"
LAST = f"export_job where state = 'running' and attempt >= {queue.ATTEMPTS}"


def engine(url: str) -> Engine:
    """As the program's own."""
    return create_engine(url, connect_args={"options": "-c timezone=UTC"})


def work_on(here: Place) -> None:
    """What ``worker`` does, with a short lease."""
    while True:
        worked = worker.work(here, LEASE)
        mail.deliver(here.database.web, here.settings, lease=timedelta(seconds=LEASE))
        if not worked:
            time.sleep(0.05)


def child(web: str, job: str) -> int:
    """A worker in a process of its own."""
    pid = os.fork()
    if pid:
        return pid
    try:
        here = Place(Database(engine(web), engine(job), None, Roles()), load())
        if here.settings.redis_url:
            celery_app.serve(here, LEASE)
        else:
            work_on(here)
    finally:
        os._exit(1)


def main() -> None:
    """As the module says."""
    web, job, deaths, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance, died = random.Random(seed), 0
    watch, settings = engine(web), load()

    def there_is(what: str) -> bool:
        with watch.connect() as connection:
            return bool(connection.execute(text(f"select exists (select from {what})")).scalar())

    def keep() -> None:
        """What every process that serves does now and then."""
        queue.sweep(watch)
        if settings.redis_url and queue.waits(watch):
            celery_app.wake(settings.redis_url)
        if settings.redis_url:
            mail.deliver(watch, settings, lease=timedelta(seconds=LEASE))

    while there_is(OPEN) or there_is(MAILS):
        pid = child(web, job)
        until = time.monotonic() + (BIRTH if settings.redis_url else 0) + chance.uniform(0.1, LIFE)
        while there_is(OPEN) or there_is(MAILS):
            keep()
            time.sleep(0.02)
            if died < deaths and time.monotonic() > until and not there_is(LAST):
                died += 1
                break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    sys.stdout.write(f"{died}\n")


if __name__ == "__main__":
    main()
