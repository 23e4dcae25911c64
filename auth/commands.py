"""``user``, ``member`` and ``token``: administration from the command line."""

from __future__ import annotations

import sys

import click
from flask import current_app
from sqlalchemy import Engine

from auth import accounts, tokens
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
def create_token(email: str, days: int) -> None:
    """Prints a new token, once."""
    try:
        click.echo(tokens.create(_jobs(), email, days))
    except AccountError as error:
        raise click.ClickException(str(error)) from error
