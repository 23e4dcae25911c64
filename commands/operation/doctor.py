"""``doctor``: everything that is wrong with the installation, with what to type."""

from __future__ import annotations

import click

from commands.installation import installation
from web.health import checkup


@click.command("doctor")
@click.option(
    "--no-address",
    is_flag=True,
    help="Do not ask VIGILO_BASE_URL: before the services start, or where this machine can not reach it.",
)
def doctor(no_address: bool) -> None:
    """Looks at everything that may be wrong and says what to type; exit code 1 where anything is."""
    here = installation()
    problems = checkup.of_everything(
        lambda: here.database, here.settings, asks_address=not no_address
    )
    for finding in problems:
        click.echo(str(finding))
    if problems:
        raise click.exceptions.Exit(1)
    click.echo("All is well.")
