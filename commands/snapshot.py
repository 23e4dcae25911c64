"""``snapshot run`` and ``snapshot backfill``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from commands.installation import (
    DatabaseCommand,
    database,
    installation,
    is_refused,
    lacks_schema,
    reason,
)

if TYPE_CHECKING:
    from storage.snapshot.job import RunOutcome


class Day(click.ParamType):
    """A date as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """The date. Fails naming the option."""
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is not a date as YYYY-MM-DD", param, ctx)


Tick = Callable[[str], None]


@click.command("run", cls=DatabaseCommand)
@click.option("--day", type=Day(), help="The day to snapshot; yesterday when left out.")
@click.option("--workspace", "slug", help="Only this workspace.")
def run(day: date | None, slug: str | None) -> None:
    """The snapshot of a day, recomputing the trailing 28 days.

    Readers are shown the day when all workspaces are through; broken off, the next run goes on.
    """
    from storage.snapshot import job

    _report(lambda tick: job.run(database(), day, installation().settings, slug, tick))


@click.command("backfill", cls=DatabaseCommand)
@click.option("--from", "first", type=Day(), required=True)
@click.option("--to", "last", type=Day(), required=True)
@click.option("--workspace", "slug", help="Only this workspace.")
def backfill(first: date, last: date, slug: str | None) -> None:
    """History from the records."""
    from storage.snapshot import job

    settings = installation().settings
    _report(lambda tick: job.backfill(database(), first, last, settings, slug, tick))


def _report(run: Callable[[Tick], RunOutcome]) -> None:
    """Reads the deliveries that wait, runs the job with a line of progress, deletes what was kept for its
    time, prints the outcome, exits 1 when a workspace failed."""
    from auth.granting import OPERATOR
    from storage import audit

    outcome = _carried_out(run)
    with database().job.begin() as connection:
        details = {"days": outcome.rows, "workspaces": outcome.done, "failed": len(outcome.failed)}
        audit.record(connection, OPERATOR, "snapshot.take", "*", details)
    click.echo(f"{outcome.rows} snapshot days written in {outcome.done} workspaces.")
    for slug, why in outcome.failed.items():
        click.echo(f"{slug}: {why}", err=True)
    if outcome.failed:
        raise click.exceptions.Exit(1)


def _carried_out(run: Callable[[Tick], RunOutcome]) -> RunOutcome:
    """The job's outcome. Raises ClickException with a sentence where it did not get through."""
    import psycopg2
    from sqlalchemy.exc import DBAPIError

    from ingest.door.deliveries import drain
    from ingest.door.janitor import tidy
    from ingest.due.remake import remake
    from reading import packed_presets
    from storage.context import NoSuchWorkspace
    from storage.snapshot.staging import Overtaken

    done = 0

    def tick(slug: str) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            click.echo(f"\r{done} workspaces, {slug:<30}", nl=False, err=True)

    try:
        settings = installation().settings
        drain(database())
        outcome = run(tick)
        remake(database(), settings)
        packed_presets.pack(database(), settings)
        tidy(database(), settings.now() - timedelta(days=settings.delivery_days))
        return outcome
    except (NoSuchWorkspace, Overtaken, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except (DBAPIError, psycopg2.Error) as error:
        if lacks_schema(error) or is_refused(error):
            raise
        raise click.ClickException(
            f"the database broke off: {reason(error)}. Nothing was published; the next run goes on."
        ) from error
