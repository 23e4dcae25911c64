"""Celery on Redis as the one that wakes workers, with ``VIGILO_REDIS_URL``. The job's row stays the truth:
a task that is lost, doubled or late does no harm."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from celery import Celery
from kombu.exceptions import OperationalError as Unreachable

from exports import queue, worker
from exports.worker import Place

TASK = "vigilo.exports"


@cache
def app(redis_url: str) -> Celery:
    """The Celery application of an installation."""
    made = Celery("vigilo", broker=redis_url)
    made.conf.update(
        task_ignore_result=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
        task_publish_retry=False,
        worker_hijack_root_logger=False,
    )
    return made


def wake(redis_url: str) -> None:
    """Sends the news; where Redis is away the keepers find the job."""
    with suppress(Unreachable, OSError):
        app(redis_url).send_task(TASK)


def serve(place: Place, lease: float = queue.LEASE_SECONDS) -> None:
    """Works for as long as the process lives."""
    assert place.settings.redis_url
    made = app(place.settings.redis_url)

    @made.task(name=TASK)
    def make() -> None:
        worker.drain(place, lease)

    made.worker_main(["worker", "--pool=solo", "--loglevel=warning", "--without-gossip"])
