"""``db``: brings the schema up to date, writes the migration of a new domain, mends what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commands.installation import (
    UPGRADE,
    DatabaseCommand,
    UpgradeCommand,
    database,
    installation,
    is_refused,
    reason,
)

if TYPE_CHECKING:
    from settings import Settings


@click.command("upgrade", cls=UpgradeCommand)
def upgrade() -> None:
    """Runs the migrations, as the owner; makes again the snapshots that they have marked."""
    from storage.snapshot.due import marked_workspaces

    settings = installation().settings
    database().upgrade(settings)
    with database().job.connect() as connection:
        some_are_due = bool(marked_workspaces(connection))
    if some_are_due:
        _remake(settings)
    click.echo("The schema is up to date.")


def _remake(settings: Settings) -> None:
    """Makes the snapshots again that wait for it at once, and tells of each workspace."""
    from aggregators.vocabulary.formats import counted
    from ingest.due.remake import remake, workspaces_due

    if due := workspaces_due(database(), at_once=True):
        click.echo(
            f"Snapshots of {counted(len(due), 'workspace')} are made again from their records:"
        )
        remake(database(), settings, at_once=True, progress=lambda slug: click.echo(f"  {slug}"))


@click.command("revision", cls=UpgradeCommand)
@click.argument("name")
def revise(name: str) -> None:
    """Writes the migration for what the domains declare and the database does not have, once that has run
    every migration that there is."""
    from storage import schema

    database().upgrade(installation().settings)
    with database().web.connect() as connection:
        try:
            path = schema.revise(connection, name)
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"Written: {path}" if path else "Nothing is missing.")


@click.command("mend", cls=DatabaseCommand)
def mend() -> None:
    """Makes functions, triggers, policies, views, columns and constraints again that are not as the
    migrations made them, as the owner; says of each what it was."""
    from sqlalchemy.exc import IntegrityError, NotSupportedError, ProgrammingError

    from storage import schema

    with database().web.connect() as connection:
        if schema.revision_of(connection) != schema.head():
            raise click.ClickException(UPGRADE)
    try:
        mended, left = database().mend()
    except (IntegrityError, ProgrammingError, NotSupportedError) as error:
        if is_refused(error):
            raise
        raise click.ClickException(
            f"Nothing is mended, something is in the way: {reason(error)}"
        ) from error
    for each in mended:
        click.echo(f"Mended: {each.detail}")
    for each in left:
        click.echo(f"Left: {each.detail}; flask --app app doctor says what to type")
    if not mended and not left:
        click.echo("Everything is as the migrations made it.")
    if left:
        raise SystemExit(1)
