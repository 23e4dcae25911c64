"""``member invite|invitations|uninvite``: links by which people come into a workspace."""

from __future__ import annotations

import click

import instants
from auth.joining import invitations
from auth.membership import NotAllowed
from commands.desk.by_hand import choose_workspace, workspaces
from commands.installation import DatabaseCommand, database, installation
from web.people.inviting import Inviting


def _inviting_for(slug: str) -> Inviting:
    """The operator at the door of a workspace. Raises ClickException."""
    return Inviting(database().job, installation().settings, choose_workspace(slug))


@click.command("invite", cls=DatabaseCommand)
@click.argument("email")
@click.argument("slug")
@click.argument("role")
@click.option("--link", "is_link", is_flag=True, help="Print the link instead of mailing it.")
def invite(email: str, slug: str, role: str, is_link: bool) -> None:
    """Invites an address into a workspace: a link that is good once and for a week, by mail."""
    door, email = _inviting_for(slug), email.strip().lower()
    try:
        click.echo(door.link(email, role) if is_link else door.invite(email, role))
    except NotAllowed as error:
        raise click.ClickException(str(error)) from error


@click.command("invitations", cls=DatabaseCommand)
@click.argument("slug", required=False)
def list_invitations(slug: str | None) -> None:
    """Lists the invitations that are open, of a workspace or of all: address, role, sender, end."""
    for workspace_id, name in workspaces(slug):
        for each in invitations.open_in(database().job, workspace_id):
            until = "expired" if each.is_expired else instants.to_the_second(each.expires_at)
            click.echo("\t".join((name, each.email, each.role, each.invited_by, until)))


@click.command("uninvite", cls=DatabaseCommand)
@click.argument("email")
@click.argument("slug")
def uninvite(email: str, slug: str) -> None:
    """Withdraws an invitation: its link opens nothing any more."""
    try:
        click.echo(_inviting_for(slug).withdraw(email.strip().lower()))
    except NotAllowed as error:
        raise click.ClickException(str(error)) from error
