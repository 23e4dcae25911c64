"""``user list|activate|deactivate|sessions`` and ``token list|revoke``: what is given can be withdrawn."""

from __future__ import annotations

from datetime import datetime

import click

import instants
from auth import accounts, credentials, second_factor
from auth.accounts import AccountError
from auth.granting import OPERATOR
from auth.provider import linking
from commands.installation import DatabaseCommand, database


def _instant(at: datetime | None, never: str = "never") -> str:
    """An instant in UTC, or the word for none."""
    return instants.to_the_second(at) if at else never


@click.command("list", cls=DatabaseCommand)
def list_users() -> None:
    """Lists the accounts: address, name, whether they are let in, second factor, last seen."""
    for account in accounts.list_accounts(database().job):
        state = "active" if account.is_active else "deactivated"
        factor = "second factor" if account.has_second_factor else "password"
        seen = _instant(account.seen_at, "not seen of late")
        click.echo("\t".join((account.email, account.name, state, factor, seen)))


@click.command("deactivate", cls=DatabaseCommand)
@click.argument("email")
def deactivate(email: str) -> None:
    """Lets an account in no longer; every session and token of it ends for good."""
    _set_active(email, is_active=False)
    click.echo(f"{email.lower()} is deactivated; every session and token has ended.")


@click.command("activate", cls=DatabaseCommand)
@click.argument("email")
def activate(email: str) -> None:
    """Lets a deactivated account in again; its former sessions and tokens stay ended."""
    _set_active(email, is_active=True)
    click.echo(f"{email.lower()} can sign in.")


def _set_active(email: str, *, is_active: bool) -> None:
    try:
        accounts.set_active(database().job, email, is_active=is_active)
    except AccountError as error:
        raise click.ClickException(str(error)) from error


@click.command("second-factor-off", cls=DatabaseCommand)
@click.argument("email")
def second_factor_off(email: str) -> None:
    """Takes the second factor of an account away, for whoever lost their phone and their codes."""
    jobs = database().job
    try:
        second_factor.switch_off(jobs, accounts.id_of(jobs, email), OPERATOR)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} signs in by password alone.")


@click.command("unlink", cls=DatabaseCommand)
@click.argument("email")
def unlink(email: str) -> None:
    """Takes the links of an account to people at identity providers away; its sessions and tokens end."""
    try:
        links = linking.unlink(database().job, email, OPERATOR)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} had {links} {'link' if links == 1 else 'links'}, and has none.")


@click.command("sessions", cls=DatabaseCommand)
@click.argument("email")
@click.option("--end", is_flag=True, help="End all of them.")
def sessions(email: str, end: bool) -> None:
    """Lists the open sessions of an account, or ends them."""
    jobs = database().job
    try:
        user_id = accounts.id_of(jobs, email)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    if end:
        click.echo(f"{credentials.end_sessions(jobs, user_id, OPERATOR)} sessions have ended.")
        return
    for one in credentials.sessions_of(jobs, user_id):
        began, seen = _instant(one.created_at), _instant(one.seen_at)
        click.echo("\t".join((one.handle[:12], began, seen, one.address, one.agent)))


@click.command("list", cls=DatabaseCommand)
@click.argument("email", required=False)
def list_tokens(email: str | None) -> None:
    """Lists the tokens that open something, of an account or of all: number, holder, scope, last use."""
    jobs = database().job
    try:
        user_id = accounts.id_of(jobs, email) if email else None
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    for token in credentials.tokens_of(jobs, user_id):
        ends, used = _instant(token.expires_at), _instant(token.last_used_at)
        may = ",".join(token.scopes) + (" signed" if token.is_senders else "")
        click.echo("\t".join((str(token.id), token.email, may, token.hint, token.name, ends, used)))


@click.command("revoke", cls=DatabaseCommand)
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """Ends a token for good, by the number that ``token list`` shows."""
    if not credentials.revoke_token(database().job, number, OPERATOR):
        raise click.ClickException(f"there is no token {number} that opens anything")
    click.echo(f"Token {number} opens nothing any more.")
