"""``signals run``, ``signals list`` and ``signals calibrate``."""

from __future__ import annotations

from datetime import date, timedelta

import click

from commands.installation import DatabaseCommand, database, installation
from commands.snapshot import Day


@click.command("run", cls=DatabaseCommand)
@click.option("--day", type=Day(), help="The snapshot day to watch; yesterday when left out.")
def run(day: date | None) -> None:
    """The watch over a snapshot day that has been made; it follows each nightly snapshot by itself."""
    from reading.signals import night

    outcome = night.run(database(), day or _yesterday())
    how = "from their whole history" if outcome.rebuilt else "from the night before"
    click.echo(
        f"{outcome.workspaces} workspaces, {outcome.series} series each, {how}:"
        f" {outcome.open_signals} signals, {outcome.new_signals} new."
    )


@click.command("list", cls=DatabaseCommand)
@click.option("--as", "email", required=True, help="Whose workspaces.")
def list_(email: str) -> None:
    """Open signals by evidence."""
    from auth.accounts import on_behalf
    from reading.dashboard import NotPlatformAdmin, scope
    from reading.signals import open_signals
    from reading.signals.words import sentence

    viewer = on_behalf(database().job, email)
    if viewer is None:
        raise click.ClickException(f"there is no active account {email}")
    try:
        scope(database(), viewer)
    except NotPlatformAdmin as error:
        raise click.ClickException(f"{email} holds platform_admin nowhere") from error
    signals = open_signals.read(database(), viewer, installation().settings.now().date())
    for signal in (s for s in signals if s.ended_on is None):
        click.echo(sentence(signal))


@click.command("calibrate", cls=DatabaseCommand)
@click.option("--day", type=Day(), help="The last day of the history; yesterday when left out.")
def calibrate(day: date | None) -> None:
    """Thresholds from the installation's own history; made anew every 28 days by the nightly snapshot."""
    from reading.signals import calibration

    made = calibration.run(database(), day or _yesterday())
    if not made:
        click.echo("Too little history: the shipped thresholds hold.")
    for series, own in made.items():
        limits = own.thresholds
        click.echo(
            f"{series}: may be drifting from {limits.watch:.1f}, drifting from {limits.drifting:.1f},"
            f" tested on {own.days} days of {own.workspaces} workspaces"
        )


def _yesterday() -> date:
    return installation().settings.now().date() - timedelta(days=1)
