"""``snapshot run`` and ``snapshot backfill``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click
import psycopg2
from flask import current_app
from sqlalchemy.exc import DBAPIError

from storage import snapshots
from storage.snapshots import NoSuchWorkspace, Outcome, Overtaken


class Day(click.ParamType):
    """A date as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """The date. Fails naming the option."""
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is not a date as YYYY-MM-DD", param, ctx)


Job = Callable[[Any, Callable[[str], None]], Outcome]


@click.group()
def snapshot() -> None:
    """End-of-day snapshots."""


@snapshot.command("run")
@click.option("--day", type=Day(), help="The day to snapshot; yesterday when left out.")
@click.option("--workspace", "slug", help="Only this workspace.")
def run(day: date | None, slug: str | None) -> None:
    """The snapshot of a day, recomputing the trailing 28 days.

    Readers are shown the day when all workspaces are through; broken off, the next run goes on.
    """
    _report(
        lambda services, tick: snapshots.run(services.database, day, services.settings, slug, tick)
    )


@snapshot.command("backfill")
@click.option("--from", "first", type=Day(), required=True)
@click.option("--to", "last", type=Day(), required=True)
@click.option("--workspace", "slug", help="Only this workspace.")
def backfill(first: date, last: date, slug: str | None) -> None:
    """History from the records."""
    _report(
        lambda services, tick: snapshots.backfill(
            services.database, first, last, services.settings, slug, tick
        )
    )


def _report(job: Job) -> None:
    """Runs the job with a line of progress, prints what it did, exits 1 when a workspace failed."""
    services = current_app.extensions["vigilo"]
    done = 0

    def tick(slug: str) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            click.echo(f"\r{done} workspaces, {slug:<30}", nl=False, err=True)

    try:
        outcome = job(services, tick)
    except (NoSuchWorkspace, Overtaken, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except (DBAPIError, psycopg2.Error) as error:
        said = str(getattr(error, "orig", error)).strip()
        raise click.ClickException(
            f"the database broke off: {said}. Nothing was published; the next run goes on."
        ) from error
    click.echo(f"{outcome.rows} snapshot days written in {outcome.done} workspaces.")
    for slug, why in outcome.failed.items():
        click.echo(f"{slug}: {why}", err=True)
    if outcome.failed:
        raise click.exceptions.Exit(1)
