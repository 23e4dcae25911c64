"""``user``, ``member`` and ``token``: administration from the command line."""

from __future__ import annotations

import sys

import click
from flask import current_app
from sqlalchemy import Engine

from auth import accounts, ingest, tokens
from auth.accounts import AccountError
from auth.passwords import WeakPassword


def _password() -> str:
    """From standard input; asked for twice on a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _jobs() -> Engine:
    engine: Engine = current_app.extensions["vigilo"].database.job
    return engine


@click.group()
def user() -> None:
    """Accounts."""


@user.command("create")
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


@user.command("password")
@click.argument("email")
def password(email: str) -> None:
    """Sets a password, from standard input, and ends every session of the account."""
    try:
        accounts.set_password(_jobs(), email, _password())
    except (AccountError, WeakPassword) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} has a new password; every session has ended.")


@click.group()
def member() -> None:
    """Memberships."""


@member.command("grant")
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


@member.command("revoke")
@click.argument("email")
@click.argument("slug")
def revoke(email: str, slug: str) -> None:
    """Ends a membership at once."""
    try:
        accounts.revoke(_jobs(), email, slug)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{email.lower()} is no longer a member of {slug}.")


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("email")
@click.option("--days", default=365, type=click.IntRange(1, 3660), help="Days until it expires.")
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
    kind = {} if slug is None else {"scope": ingest.scope(slug)}
    try:
        if slug is not None:
            accounts.require_member(_jobs(), email, slug, ingest.SENDERS)
        click.echo(tokens.create(_jobs(), email, days, signing_secret=secret, **kind))
    except AccountError as error:
        raise click.ClickException(str(error)) from error


def _signing_secret() -> bytes:
    """From standard input, sealed. Raises UsageError."""
    given = _password()
    if not 8 <= len(given) <= 500:
        raise click.UsageError("A signing secret has 8 to 500 characters.")
    return ingest.sealed(current_app.config["SECRET_KEY"], given)
