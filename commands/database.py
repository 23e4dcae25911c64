"""``db``: brings the schema up to date, and writes the migration of a new domain."""

from __future__ import annotations

import click

from commands.installation import UpgradeCommand, database, installation
from settings import Settings


@click.command("upgrade", cls=UpgradeCommand)
def upgrade() -> None:
    """Runs the migrations, as the owner; makes again the snapshots that they have marked."""
    from storage.snapshot.due import marked

    settings = installation().settings
    database().upgrade(settings)
    with database().job.connect() as connection:
        some_are_due = bool(marked(connection))
    if some_are_due:
        _remake(settings)
    click.echo("The schema is up to date.")


def _remake(settings: Settings) -> None:
    """Makes the snapshots again that wait for it at once, and tells of each workspace."""
    from aggregators.vocabulary.formats import counted
    from ingest.desk.remake import remake, workspaces_due

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
