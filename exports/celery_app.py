"""Celery on Redis as the one that wakes workers, with ``VIGILO_REDIS_URL``. The job's row stays the truth:
a task that is lost, doubled or late does no harm."""

from __future__ import annotations

import logging
import threading
from functools import cache

from celery import Celery
from kombu.exceptions import OperationalError as Unreachable

from exports import worker
from exports.worker import ExportContext, Keeper

log = logging.getLogger(__name__)
TASK = "vigilo.exports"


@cache
def app(redis_url: str) -> Celery:
    """The Celery application of an installation."""
    made = Celery("vigilo", broker=redis_url)
    made.conf.update(
        task_ignore_result=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
        task_publish_retry=False,
        worker_hijack_root_logger=False,
    )
    return made


def wake(redis_url: str) -> bool:
    """Sends the news; False where Redis is away, and then the keepers find the job."""
    try:
        app(redis_url).send_task(TASK)
    except (Unreachable, OSError):
        log.warning("Redis is away; the keepers find what waits", exc_info=True)
        return False
    return True


def serve(context: ExportContext) -> None:
    """Works for as long as the process lives, whether Redis is there or not: what waits is in PostgreSQL,
    and the keeper beside Celery's own loop looks there itself."""
    assert context.settings.redis_url
    made = app(context.settings.redis_url)
    one_at_a_time = threading.Lock()

    def drain() -> None:
        with one_at_a_time:
            worker.drain(context)

    @made.task(name=TASK)
    def make() -> None:
        drain()

    Keeper(lambda: context, lambda _is_forgotten: drain()).start()
    made.worker_main(["worker", "--pool=solo", "--loglevel=warning", "--without-gossip"])
