"""``framework``: sets a framework up in a workspace, and lists what is there."""

from __future__ import annotations

import click

from auth.granting import OPERATOR
from commands.desk.by_hand import choose_workspace, workspaces
from commands.installation import DatabaseCommand, database, installation
from ingest.frameworks.seed import FRAMEWORKS
from ingest.frameworks.seed import frameworks as frameworks_of
from ingest.frameworks.seed import seed as set_up


@click.command("seed", cls=DatabaseCommand)
@click.argument("slug")
@click.argument("framework", type=click.Choice(FRAMEWORKS, case_sensitive=False))
def seed(slug: str, framework: str) -> None:
    """Sets a framework's controls up in a workspace, as not assessed; what is there stays as it is."""
    name = next(each for each in FRAMEWORKS if each.lower() == framework.lower())
    now = installation().settings.now()
    added = set_up(database(), choose_workspace(slug), name, now, OPERATOR)
    click.echo(
        f"{name} in {slug}: {added} controls set up." if added else f"{name} is set up already."
    )


@click.command("list", cls=DatabaseCommand)
@click.argument("slug", required=False)
def list_frameworks(slug: str | None) -> None:
    """Lists the frameworks of a workspace, or of all: controls set up, and those something was told of."""
    for workspace_id, name in workspaces(slug):
        for each in frameworks_of(database(), workspace_id):
            framework = (
                f"{each.framework} (as {each.counts_as})" if each.counts_as else each.framework
            )
            click.echo(f"{name}\t{framework}\t{each.set_up} set up\t{each.told} with results")
