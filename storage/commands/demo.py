"""``demo load``."""

from __future__ import annotations

import click
from flask import current_app

from storage import demo as organisation


@click.group()
def demo() -> None:
    """A believable organisation."""


@demo.command("load")
@click.option("--workspaces", default=12, type=click.IntRange(1, 1012), show_default=True)
@click.option("--days", default=400, type=click.IntRange(1, 3660), show_default=True)
@click.option("--seed", default=1, type=int, show_default=True)
def load(workspaces: int, days: int, seed: int) -> None:
    """Loads it into an empty database, records first, then snapshots."""
    services = current_app.extensions["vigilo"]
    try:
        organisation.load(services.database, services.settings, workspaces, days, seed)
    except organisation.NotEmpty as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Loaded {workspaces} workspaces with {days} days.")
    for line in organisation.how_to_sign_in(services.database, services.settings):
        click.echo(line)
