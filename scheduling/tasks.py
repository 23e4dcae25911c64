"""Tasks by name: when each runs and what it does. Each finds out by itself whether anything is to be done,
so one that runs twice, or in two processes, does no harm."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from auth import credentials
from auth.secret_key import secret_keys
from exports import files, schedule
from exports.digest import due, sending
from ingest.door import janitor
from ingest.pulling.runner import SourceContext, run_due
from scheduling import night, readiness
from scheduling.context import ScheduleContext
from storage.audit import chain
from storage.digests import notices
from storage.scheduled import runs
from storage.scheduled.lock import only_process
from storage.scheduled.nights import AFTER

log = logging.getLogger("vigilo.audit")
KEPT = timedelta(days=400)
"""How long it is known how a night went."""
NOTICES_KEPT = timedelta(days=30)
"""How long a message to a webhook is kept once it has gone."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something done by the clock. ``always``: also where another program does what is scheduled;
    ``at_once`` is how many may run beside each other in a process."""

    name: str
    title: str
    when: Callable[[ZoneInfo], BaseTrigger]
    work: Callable[[ScheduleContext], object]
    always: bool = False
    at_once: int = 1


def every(**interval: int) -> Callable[[ZoneInfo], BaseTrigger]:
    """Trigger of a task that runs again and again."""
    return lambda zone: IntervalTrigger(timezone=zone, **interval)


def at(hour: int, minute: int) -> Callable[[ZoneInfo], BaseTrigger]:
    """Trigger of a task at a time of the day in the reporting zone."""
    return lambda zone: CronTrigger(hour=hour, minute=minute, timezone=zone)


def _nightly(zone: ZoneInfo) -> BaseTrigger:
    """Ten past midnight; and every five minutes for what was missed or failed."""
    ten_past = at(0, int(AFTER.total_seconds()) // 60)
    return OrTrigger([ten_past(zone), every(minutes=5)(zone)])


def packs(context: ScheduleContext) -> int:
    """Queues the scheduled packs that are due."""
    return schedule.queue_due(context.database, context.settings)


def digests(context: ScheduleContext) -> int:
    """Queues the digests of a night that has been watched."""
    return due.queue_due(context.database, context.settings)


def messages(context: ScheduleContext) -> int:
    """Sends the messages to Slack, Microsoft Teams and webhooks that are due."""
    return sending.deliver(context.database, context.settings)


def clean(context: ScheduleContext) -> None:
    """Removes deliveries' bodies past their time, sessions that ended, and notes of nights long ago."""
    database, settings = context.database, context.settings
    with only_process(database.job, "janitor") as mine:
        if mine:
            janitor.tidy(database, context.now - timedelta(days=settings.delivery_days))
            runs.forget(database.job, context.now - KEPT)
            credentials.forget_ended(database.job)
            notices.forget(database.job, context.now - NOTICES_KEPT)


def pull(context: ScheduleContext) -> int:
    """Runs the sources that are due."""
    return run_due(SourceContext(context.database, context.settings))


def expire(context: ScheduleContext) -> int:
    """Removes the files of exports whose time is over; each host has its own."""
    return files.clean(context.database.job, context.exports.folder)


def chain_audit(context: ScheduleContext) -> int:
    """Links the events of the audit that were committed since."""
    with context.database.job.begin() as connection:
        return chain.link(connection)


def sign_audit(context: ScheduleContext) -> None:
    """Signs the end of the audit's chain, and tells the log, which the database's owner can not change."""
    with context.database.job.begin() as connection:
        chain.link(connection)
        keys = secret_keys(context.settings)
        if head := chain.sign(connection, keys.current, context.now):
            log.info("the audit is signed up to link %s: %s", head.position, head.hash.hex())


TASKS = (
    Task("audit", "Links of the audit's chain", every(seconds=5), chain_audit, True),
    Task("audit head", "Signature of the audit's chain", every(minutes=10), sign_audit, True),
    Task("snapshots", "Nightly snapshot, and every day that was missed", _nightly, night.run_due),
    Task("sources", "Syncs of sources", every(seconds=5), pull, at_once=3),
    Task("packs", "Scheduled packs", every(minutes=1), packs),
    Task("digests", "Digests of the signals", every(minutes=1), digests),
    Task(
        "messages", "Messages to Slack, Microsoft Teams and webhooks", every(seconds=15), messages
    ),
    Task("janitor", "Bodies of deliveries past their time", at(3, 20), clean),
    Task("files", "Files of exports past their time", every(minutes=5), expire, True),
    Task(
        "requests", "Snapshot that somebody asked for", every(seconds=2), night.run_requested, True
    ),
    Task(
        "ready",
        "What was asked for in the last days, ready after a snapshot",
        every(seconds=20),
        readiness.make_ready,
        True,
    ),
    Task(
        "watch",
        "Word to the platform admins of a missed night",
        every(minutes=10),
        night.mail_if_missed,
        True,
    ),
)
