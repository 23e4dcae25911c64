"""The nightly snapshot: every day that is due, in order, once; what failed is tried again by itself.

A day is due ten minutes after it ended in the reporting zone. Nothing here remembers what is to be done:
the days that have no snapshot tell it, so a process that was away for a week, or was killed in the
middle, goes on where the last one stood.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from ingest.door.deliveries import drain
from ingest.due.remake import remake
from reading import packed_presets
from reading.signals import calibration
from reading.signals import night as watch_night
from scheduling.context import ScheduleContext
from scheduling.news import tell_failed, tell_late, tell_missing
from storage.scheduled import nights, runs
from storage.scheduled.lock import only_process
from storage.scheduled.runs import SNAPSHOT, TaskRun
from storage.snapshot import job

log = logging.getLogger("vigilo.nights")

AT_ONCE = 28
"""Missed days before which the older ones are made in one go, as history."""
FIRST_WAIT, MOST_TRIES = timedelta(minutes=15), 6
"""Wait before workspaces that failed are tried again, doubled each time; tries of one night in all."""
ACTIVE = text("select count(*) from workspace where is_active")


def run_due(context: ScheduleContext) -> int:
    """Makes every snapshot that is due and tries again what failed; returns how many days were made."""
    with only_process(context.database.job, SNAPSHOT) as mine:
        return _make_due(context) if mine else 0


def run_requested(context: ScheduleContext) -> int:
    """Takes the snapshot that somebody has asked for, if any; returns how many days were made."""
    with context.database.job.connect() as connection:
        if runs.requested_run(connection, SNAPSHOT) is None:
            return 0
    with only_process(context.database.job, SNAPSHOT) as mine:
        if not mine:
            return 0
        with context.database.job.connect() as connection:
            request = runs.requested_run(connection, SNAPSHOT)
        return _make_due(context, request) if request else 0


def mail_if_missed(context: ScheduleContext) -> int:
    """Mails the platform admins where a night is missing; returns how many mails are new. It looks also
    where another program makes the snapshots."""
    with context.database.job.connect() as connection:
        state = nights.state(connection, context.now)
    return tell_missing(context, state) if state.is_missed else 0


def _make_due(context: ScheduleContext, request: TaskRun | None = None) -> int:
    """Deliveries first, then the days in order, then the days that records came late for."""
    database, now = context.database, context.now
    drain(database)
    with database.job.connect() as connection:
        state = nights.state(connection, now)
    days = list(state.missing) or ([nights.due_day(now)] if request else [])
    made = _backfill_older(context, days[:-AT_ONCE])
    for day in days[-AT_ONCE:]:
        if not _make_night(context, day, request.id if request else None):
            break
        request, made = None, made + 1
    else:
        if state.is_missed and made:
            tell_late(context, state.missing)
    if not days:
        _retry_failed(context, nights.due_day(now))
    remake(database, context.settings, at_once=not days)
    return made


def _backfill_older(context: ScheduleContext, days: list[date]) -> int:
    """Makes days of long ago as history in one go: what a program that was off for a season has missed."""
    if days:
        outcome = job.backfill(context.database, days[0], days[-1], context.settings)
        for slug, reason in outcome.failed.items():
            log.error("history of %s could not be made: %s", slug, reason)
    return len(days)


def _make_night(context: ScheduleContext, day: date, run: int | None = None) -> bool:
    """Makes the snapshot of one day, has it packed and watched, and notes the run; whether it was made."""
    engine = context.database.job
    with engine.begin() as connection:
        total = connection.execute(ACTIVE).scalar_one()
        run = runs.begin(connection, SNAPSHOT, day, total, run)
    try:
        outcome = job.run(context.database, day, context.settings, progress=_progress(context, run))
    except OperationalError:
        raise  # the run is noted as broken off by the next one, which goes on
    except Exception as error:
        log.exception("the snapshot of %s", day)
        _note_end(context, run, day, f"{type(error).__name__}: {error}", {}, failed=True)
        return False
    _pack_presets(context, day)
    _watch_over(context, day)
    message = f"{outcome.rows:,} snapshot days written in {outcome.done} workspaces."
    _note_end(context, run, day, message, outcome.failed, failed=bool(outcome.failed))
    return True


def _watch_over(context: ScheduleContext, day: date) -> None:
    """Has the watch look at the day. What goes wrong there is logged and costs no snapshot: the next night
    makes up for it."""
    try:
        outcome = watch_night.run(context.database, day)
        if calibration.is_due(context.database, day):
            calibration.run(context.database, day)
    except OperationalError:
        raise
    except Exception:
        log.exception("the watch of %s", day)
        return
    log.info(
        "watched %s workspaces: %s signals, %s new",
        outcome.workspaces,
        outcome.open_signals,
        outcome.new_signals,
    )


def _pack_presets(context: ScheduleContext, day: date) -> None:
    """Packs the presets of the day. What goes wrong there is logged and costs nobody a figure: rows
    that are not packed are read as they stand."""
    try:
        packed = packed_presets.pack(context.database, context.settings)
    except OperationalError:
        raise
    except Exception:
        log.exception("the presets of %s", day)
        return
    log.info("packed the presets of %s workspaces", packed)


def _progress(context: ScheduleContext, run: int) -> job.Progress:
    """Listener that notes after each workspace how far a run is."""
    done = 0

    def tick(_slug: str) -> None:
        nonlocal done
        done += 1
        runs.tell(context.database.job, run, done)

    return tick


def _note_end(
    context: ScheduleContext,
    run: int,
    day: date,
    message: str,
    failures: Mapping[str, str],
    *,
    failed: bool,
) -> None:
    """Notes the end, and mails what failed, in one transaction."""
    recipients = tell_failed(context, day, message, failures) if failed else None
    with context.database.job.begin() as connection:
        runs.finish(connection, run, message, failures, failed=failed)
        if recipients is not None:
            recipients(connection)


def _retry_failed(context: ScheduleContext, day: date) -> None:
    """Tries the workspaces again whose snapshot of the day failed, after a wait that doubles."""
    with context.database.job.connect() as connection:
        tries = runs.newest(connection, SNAPSHOT, MOST_TRIES, day)
        clock = connection.execute(text("select now()")).scalar_one()
    last = tries[0] if tries else None
    if last is None or last.finished_at is None or not last.failures or len(tries) >= MOST_TRIES:
        return
    if clock < last.finished_at + FIRST_WAIT * 2 ** (len(tries) - 1):
        return
    with context.database.job.begin() as connection:
        run = runs.begin(connection, SNAPSHOT, day, len(last.failures))
    failures: dict[str, str] = {}
    rows = 0
    for slug in last.failures:
        outcome = job.run(context.database, day, context.settings, slug)
        failures |= outcome.failed
        rows += outcome.rows
    message = f"Tried again: {rows:,} snapshot days written."
    _note_end(context, run, day, message, failures, failed=bool(failures))
