"""``secrets``: the installation's own key."""

from __future__ import annotations

import click

from commands.installation import DatabaseCommand, database, installation


@click.command("rotate", cls=DatabaseCommand)
def rotate() -> None:
    """Seals what is kept of others' secrets under the current key; makes that key, where none is set."""
    from auth import secret_key
    from auth.resealing import reseal
    from web.health.sealed import SEALED

    settings, jobs = installation().settings, database().job
    with jobs.connect():  # no key is made while the database is away
        is_made = secret_key.renew(settings)
    done = reseal(jobs, secret_key.secret_keys(settings), tuple(SEALED))
    click.echo(f"{done.renewed} secrets are sealed under the current key.")
    if is_made:
        click.echo("A new key was made in the data directory; restart what serves.")
    if done.lost:
        raise click.ClickException(
            f"{done.lost} secrets open with no key: add the key that they were sealed under to"
            " VIGILO_SECRET_KEY_FORMER; where it is lost, flask --app app doctor says what to type."
        )
    click.echo("Cookies are renewed as their people come by: keep the former key a week.")
