"""Mails to the platform admins about nights that failed, are missing, or came late: each of them once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from aggregators.vocabulary import formats
from auth.granting import members
from auth.membership import PLATFORM_ADMIN
from exports import mail
from scheduling.context import ScheduleContext
from storage.context import active_workspaces, job_in
from storage.database import Database
from storage.scheduled.nights import NightState

NAMES = uuid.UUID("0b6d9a52-6c8f-4b57-8f0e-3f1f5a6f7c20")
LISTED = 10
"""Workspaces that a mail names one by one."""
Post = Callable[[Connection], int]


def platform_admins(database: Database) -> list[str]:
    """Addresses of everybody who is platform admin of an active workspace."""
    with database.job.connect() as connection:
        ids = [id for id, _ in active_workspaces(connection)]
    emails: set[str] = set()
    for workspace_id in ids:
        with job_in(database.job, workspace_id) as connection:
            emails.update(m.email for m in members(connection) if m.role == PLATFORM_ADMIN)
    return sorted(emails)


def tell_failed(
    context: ScheduleContext, day: date, message: str, failures: Mapping[str, str]
) -> Post:
    """The mail of a night that failed, to be posted in the transaction that notes it."""
    if failures:
        lines = [
            f"The snapshot of {formats.day(day)} could not be made in"
            f" {formats.counted(len(failures), 'workspace')}; the others have theirs.",
            *(f"{slug}: {reason}" for slug, reason in list(failures.items())[:LISTED]),
            "It is tried again by itself.",
        ]
    else:
        lines = [
            f"The snapshot of {formats.day(day)} could not be made: {message}",
            "The dashboard shows the day before until it can. It is tried again by itself.",
        ]
    return _post(context, f"failed {day}", f"the snapshot of {formats.day(day)} failed", lines)


def tell_missing(context: ScheduleContext, state: NightState) -> int:
    """Mails that nights are missing; returns how many mails are new."""
    first, *_ = state.missing
    due = state.due_at.strftime("%H:%M")
    lines = [
        f"The snapshot of {formats.day(first)} was due at {due} and has not been made"
        f" ({formats.counted(len(state.missing), 'day')} missing).",
        "Nothing is lost: the days are made up, in order, as soon as the program or the job that makes"
        " snapshots runs again.",
    ]
    subject = f"the snapshot of {formats.day(first)} is missing"
    with context.database.job.begin() as connection:
        return _post(context, f"missing {first}", subject, lines)(connection)


def tell_late(context: ScheduleContext, days: Sequence[date]) -> int:
    """Mails that missed nights have been made up; returns how many mails are new."""
    late_sources = (
        formats.day(days[0])
        if len(days) == 1
        else f"{formats.day(days[0])} to {formats.day(days[-1])}"
    )
    lines = [
        f"Nobody made snapshots when they were due: {late_sources}"
        f" ({formats.counted(len(days), 'day')}). They have been made up now, in order.",
        "The figures are complete. The program was probably not running at night.",
    ]
    with context.database.job.begin() as connection:
        return _post(
            context, f"late {days[-1]}", f"missed snapshots made up: {late_sources}", lines
        )(connection)


def _post(context: ScheduleContext, name: str, subject: str, lines: Sequence[str]) -> Post:
    """Make one mail to each platform admin, under an id that the news and the recipient give."""
    recipients = platform_admins(context.database)
    settings = context.settings
    title, link = f"{settings.organisation}: {subject}", f"{settings.address}/platform/nights"

    def post(connection: Connection) -> int:
        return sum(
            mail.post(connection, uuid.uuid5(NAMES, f"{name} {to}"), to, title, lines, link)
            for to in recipients
        )

    return post
