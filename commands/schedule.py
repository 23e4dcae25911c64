"""``schedule run`` and ``schedule list``."""

from __future__ import annotations

from datetime import datetime

import click
from sqlalchemy.exc import DBAPIError

from commands.installation import DatabaseCommand, database, installation
from scheduling.context import ScheduleContext
from scheduling.tasks import TASKS
from storage.scheduled import nights, runs
from storage.scheduled.runs import SNAPSHOT

SHOWN = 7
"""Nights that are listed."""


@click.command("run", cls=DatabaseCommand)
def run() -> None:
    """Does once what is due; for cron where VIGILO_SCHEDULER is false.

    One task after another; exit code 1 when one failed.
    """
    context = ScheduleContext(database(), installation().settings)
    failed = False
    for task in TASKS:
        try:
            task.work(context)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 -- the other tasks are no less due
            click.echo(f"{task.name}: {type(error).__name__}: {error}", err=True)
            failed = True
    with context.database.job.connect() as connection:
        click.echo("\n".join(nights.state(connection, context.now).lines()))
    if failed:
        raise click.exceptions.Exit(1)


@click.command("list", cls=DatabaseCommand)
def list_tasks() -> None:
    """Lists what is scheduled, and the last nights."""
    context = ScheduleContext(database(), installation().settings)
    zone = context.settings.zone
    for task in TASKS:
        is_on = context.settings.scheduler or task.always
        hour = task.when(zone).get_next_fire_time(None, datetime.now(zone)) if is_on else None
        when = f"{hour:%Y-%m-%d %H:%M:%S %Z}" if hour else "off (VIGILO_SCHEDULER)"
        click.echo(f"{task.name:<10} {when:<28} {task.title}")
    with context.database.job.connect() as connection:
        last = runs.newest(connection, SNAPSHOT, SHOWN)
    for night in last:
        took = f"{night.duration.total_seconds():.1f} s" if night.duration else "-"
        click.echo(f"{night.day or '-'}  {night.state:<8} {took:>8}  {night.message}")
