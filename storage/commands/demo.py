"""``demo load`` and ``demo real``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage import demo as organisation
from storage.demo import real
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
    with _problems_said():
        accounts = organisation.load(
            services.database, services.settings, workspaces, days, seed, _tick()
        )
    click.echo(f"{workspaces} workspaces with {days} days are loaded.")
    _tell(accounts)


@demo.command("real")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--days", default=400, type=click.IntRange(1, 3660), show_default=True)
def load_real(folder: Path, days: int) -> None:
    """Loads published records of open-source projects from FOLDER into an empty database."""
    services = current_app.extensions["vigilo"]
    with _problems_said():
        accounts, outcomes = real.load(services.database, services.settings, folder, days, _tick())
    for outcome in outcomes:
        click.echo(outcome.summary())
    _tell(accounts)


def _tick() -> organisation.Progress | None:
    """Shows the steps on a terminal."""

    def tick(done: int, total: int, what: str) -> None:
        click.echo(f"\r{done} of {total}: {what:<60}", nl=done == total, err=True)

    return tick if sys.stderr.isatty() else None


@contextmanager
def _problems_said() -> Iterator[None]:
    """What goes wrong, as one sentence."""
    try:
        yield
    except (organisation.NotEmpty, organisation.Interrupted, real.Absent) as error:
        raise click.ClickException(str(error)) from error
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(
            f"{str(error.orig).strip().splitlines()[0]}\n"
            "Where the schema is missing, flask --app app db upgrade makes it."
        ) from error


def _tell(accounts: organisation.DemoAccounts) -> None:
    click.echo(f"Sign in with the password {accounts.password} as")
    for email in accounts.emails:
        click.echo(f"  {email}")
