"""``demo load``."""

from __future__ import annotations

import sys

import click
from flask import current_app
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage import demo as organisation
from storage.demo.stories import MOST


@click.group()
def demo() -> None:
    """A believable organisation."""


@demo.command("load")
@click.option("--workspaces", default=12, type=click.IntRange(1, MOST), show_default=True)
@click.option("--days", default=400, type=click.IntRange(1, 3660), show_default=True)
@click.option("--seed", default=1, type=int, show_default=True)
def load(workspaces: int, days: int, seed: int) -> None:
    """Loads it into an empty database: records first, then snapshots."""
    services = current_app.extensions["vigilo"]
    shown = sys.stderr.isatty()

    def tick(done: int, total: int, what: str) -> None:
        if shown:
            click.echo(f"\r{done} of {total}: {what:<40}", nl=done == total, err=True)

    try:
        accounts = organisation.load(
            services.database, services.settings, workspaces, days, seed, tick
        )
    except (organisation.NotEmpty, organisation.Interrupted) as error:
        raise click.ClickException(str(error)) from error
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(
            f"{str(error.orig).strip().splitlines()[0]}\n"
            "Where the schema is missing, flask --app app db upgrade makes it."
        ) from error
    click.echo(f"{workspaces} workspaces with {days} days are loaded.")
    click.echo(f"Sign in with the password {accounts.password} as")
    for email in accounts.emails:
        click.echo(f"  {email}")
