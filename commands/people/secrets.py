"""``secrets``: the installation's own key."""

from __future__ import annotations

import click

from auth import second_factor, secret_key
from auth.resealing import SealedColumn, reseal
from commands.installation import DatabaseCommand, database, installation
from exports.digest import sending
from ingest.door import senders
from ingest.pulling import store

SEALED = (
    SealedColumn("api_token", "signing_secret", senders.PURPOSE),
    SealedColumn("source", "secret", store.PURPOSE),
    SealedColumn("digest_channel", "address", sending.PURPOSE),
    SealedColumn("digest_channel", "secret", sending.PURPOSE),
    SealedColumn("app_user", "totp_secret", second_factor.PURPOSE),
)
"""Everything that is kept sealed under VIGILO_SECRET_KEY."""


@click.command("rotate", cls=DatabaseCommand)
def rotate() -> None:
    """Seals what is kept of others' secrets under the current key; makes that key, where none is set."""
    settings, jobs = installation().settings, database().job
    with jobs.connect():  # no key is made while the database is away
        is_made = secret_key.renew(settings)
    done = reseal(jobs, secret_key.secret_keys(settings), SEALED)
    click.echo(f"{done.renewed} secrets are sealed under the current key.")
    if is_made:
        click.echo("A new key was made in the data directory; restart what serves.")
    if done.lost:
        raise click.ClickException(
            f"{done.lost} secrets open with no key: add the key that they were sealed under to"
            " VIGILO_SECRET_KEY_FORMER."
        )
    click.echo("Cookies are renewed as their people come by: keep the former key a week.")
