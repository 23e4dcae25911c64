"""``demo load`` and ``demo real``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

import demo as organisation
from commands.installation import DatabaseCommand, database, installation
from counting_settings import MOST_DAYS
from demo import real
from demo.stories import MOST
from reading import packed_presets
from reading.signals import night


@click.command("load", cls=DatabaseCommand)
@click.option("--workspaces", default=12, type=click.IntRange(1, MOST), show_default=True)
@click.option("--days", default=400, type=click.IntRange(1, MOST_DAYS), show_default=True)
@click.option("--seed", default=1, type=int, show_default=True)
def load(workspaces: int, days: int, seed: int) -> None:
    """Loads it into an empty database: records first, then snapshots."""
    settings = installation().settings
    with _refusals_told():
        accounts = organisation.load(database(), settings, workspaces, days, seed, _tick())
        packed_presets.pack(database(), settings)
        night.run(database(), settings.now().date() - timedelta(days=1))
    click.echo(f"{workspaces} workspaces with {days} days are loaded.")
    _tell(accounts)


@click.command("real", cls=DatabaseCommand)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--days", default=400, type=click.IntRange(1, MOST_DAYS), show_default=True)
def load_real(folder: Path, days: int) -> None:
    """Loads published records of open-source projects from FOLDER into an empty database."""
    with _refusals_told():
        accounts, outcomes = real.load(database(), installation().settings, folder, days, _tick())
    for outcome in outcomes:
        click.echo(outcome.summary())
    _tell(accounts)


def _tick() -> organisation.Progress | None:
    """Shows the steps on a terminal."""

    def tick(done: int, total: int, what: str) -> None:
        click.echo(f"\r{done} of {total}: {what:<60}", nl=done == total, err=True)

    return tick if sys.stderr.isatty() else None


@contextmanager
def _refusals_told() -> Iterator[None]:
    """Why nothing is loaded, as one sentence."""
    try:
        yield
    except (organisation.NotEmpty, organisation.Interrupted, real.Absent) as error:
        raise click.ClickException(str(error)) from error


def _tell(accounts: organisation.DemoAccounts) -> None:
    click.echo(f"Sign in with the password {accounts.password} as")
    for email in accounts.emails:
        click.echo(f"  {email}")
