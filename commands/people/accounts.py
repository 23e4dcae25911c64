"""``user``, ``member`` and ``token``: administration from the command line."""

from __future__ import annotations

import sys

import click
from sqlalchemy import Engine

from auth import accounts, tokens
from auth.accounts import AccountError
from auth.passwords import WeakPassword
from auth.secret_key import secret_keys
from commands.installation import DatabaseCommand, database, installation
from ingest.door import senders


def _password() -> str:
    """A password from standard input; asked for twice on a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _jobs() -> Engine:
    return database().job


@click.command("create", cls=DatabaseCommand)
@click.argument("email")
@click.option("--name", default="", help="How to call them.")
@click.option("--region", help="Their home region.")
def create(email: str, name: str, region: str | None) -> None:
    """Creates an account; the password comes from standard input."""
    try:
        accounts.create(_jobs(), email, _password(), name, region)
    except (AccountError, WeakPassword) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} can sign in.")


@click.command("password", cls=DatabaseCommand)
@click.argument("email")
def password(email: str) -> None:
    """Sets a password, from standard input, and ends every session of the account."""
    try:
        accounts.set_password(_jobs(), email, _password())
    except (AccountError, WeakPassword) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} has a new password; every session has ended.")


@click.command("grant", cls=DatabaseCommand)
@click.argument("email")
@click.argument("slug")
@click.argument("role")
def grant(email: str, slug: str, role: str) -> None:
    """Gives a role in a workspace."""
    try:
        accounts.grant(_jobs(), email, slug, role)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} is {role} of {slug}.")


@click.command("revoke", cls=DatabaseCommand)
@click.argument("email")
@click.argument("slug")
def revoke(email: str, slug: str) -> None:
    """Ends a membership at once."""
    try:
        accounts.revoke(_jobs(), email, slug)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} is no longer a member of {slug}.")


@click.command("create", cls=DatabaseCommand)
@click.argument("email")
@click.option(
    "--days",
    default=tokens.DAYS_BY_COMMAND[0],
    type=click.IntRange(1, tokens.DAYS_BY_COMMAND[1]),
    help="Days until it expires.",
)
@click.option("--ingest", "slug", help="A token that sends events into this workspace instead.")
@click.option(
    "--signed",
    is_flag=True,
    help="With --ingest: read the secret that the sender signs with from standard input.",
)
def create_token(email: str, days: int, slug: str | None, signed: bool) -> None:
    """Prints a new token, once."""
    if signed and not slug:
        raise click.UsageError("--signed needs --ingest.")
    secret = _signing_secret() if signed else None
    kind = {} if slug is None else {"scope": senders.scope(slug)}
    try:
        if slug is not None:
            accounts.require_member(_jobs(), email, slug, senders.SENDERS)
        click.echo(tokens.create(_jobs(), email, days, signing_secret=secret, **kind))
    except AccountError as error:
        raise click.ClickException(str(error)) from error


def _signing_secret() -> bytes:
    """A sender's secret from standard input, sealed. Raises UsageError."""
    secret = _password()
    if not 8 <= len(secret) <= 500:
        raise click.UsageError("A signing secret has 8 to 500 characters.")
    return senders.seal_secret(secret_keys(installation().settings), secret)
