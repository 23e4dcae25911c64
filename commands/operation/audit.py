"""``audit``: proves that the log of who did what is whole, and hands it to another system."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from auth.secret_key import secret_keys
from commands.installation import DatabaseCommand, database, installation
from storage.audit import chain, export


@click.command("verify", cls=DatabaseCommand)
def verify() -> None:
    """Proves that no event of the audit was changed, taken out, put in or moved; exit code 1 where one
    was."""
    keys = secret_keys(installation().settings)
    with database().job.begin() as connection:
        chain.link(connection)
    with database().job.begin() as connection:
        problems = list(chain.breaches(connection, (keys.current, *keys.former)))
        state = chain.length(connection)
    for breach in problems:
        click.echo(str(breach))
    if problems:
        raise click.exceptions.Exit(1)
    signed = f"signed {state.heads:,} times, up to link {state.signed:,}"
    click.echo(f"The audit is whole: {state.events:,} events, {signed}.")


@click.command("export", cls=DatabaseCommand)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The first day, YYYY-MM-DD.")
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(export.FORMATS)),
    default="jsonl",
    show_default=True,
    help="JSON lines, or ArcSight's Common Event Format.",
)
def export_events(since: datetime | None, form: str) -> None:
    """Prints the events of the audit, the oldest first, one a line."""
    first = (
        since.replace(tzinfo=UTC) if since else datetime.combine(date.min, datetime.min.time(), UTC)
    )
    with database().job.begin() as connection:
        chain.link(connection)
    with database().job.begin() as connection:
        for line in export.lines(connection, first, form):
            click.echo(line)
