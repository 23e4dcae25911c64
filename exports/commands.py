"""``export pdf`` and ``export trace``: the board pack without a browser, and who made one."""

from __future__ import annotations

import io
from pathlib import Path

import click
from flask import current_app
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from aggregators.period import Ask, InvalidPeriod
from aggregators.read import NotPlatformAdmin, read
from auth import accounts
from exports import jobs


@click.group()
def export() -> None:
    """The board pack."""


@export.command("pdf")
@click.option("--as", "email", required=True, help="On whose behalf, with their scope.")
@click.option("--period", help="7, 28, 90 or 365 days; 28 when left out.")
@click.option("--start", help="First day of a range, YYYY-MM-DD.")
@click.option("--end", help="Last day of a range, YYYY-MM-DD.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def pdf(email: str, period: str | None, start: str | None, end: str | None, out: Path) -> None:
    """Writes the pack to a file."""
    services = current_app.extensions["vigilo"]
    account = accounts.by_email(services.database.job, email)
    if account is None:
        raise click.ClickException(f"there is no active account {email}")
    try:
        ask = Ask.parse(period, start, end)
        dashboard = read(services.database, account.viewer, ask, services.settings)
    except InvalidPeriod as wrong:
        raise click.ClickException(f"--{wrong.field}: {wrong}") from wrong
    except NotPlatformAdmin as error:
        raise click.ClickException(f"{email} holds platform_admin nowhere") from error
    folder = services.settings.data_dir / "exports"
    made = jobs.make(
        services.database.web, folder, account.viewer, dashboard, services.settings.now()
    )
    out.write_bytes(made.data)
    click.echo(f"{out}: {len(made.data):,} bytes, export {made.id}")


@export.command("trace")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def trace(file: Path) -> None:
    """Says who exported a pack, when, for what."""
    data = file.read_bytes()
    with current_app.extensions["vigilo"].database.job.connect() as connection:
        found = jobs.trace(connection, data, _embedded_id(data))
    if found is None:
        raise click.ClickException(f"{file} was not exported by this installation")
    click.echo(found)


def _embedded_id(data: bytes) -> str | None:
    """The export id in the file's keywords."""
    try:
        found = PdfReader(io.BytesIO(data)).metadata
    except PyPdfError:
        return None
    keywords = str(found.get("/Keywords", "")) if found else ""  # type: ignore[call-overload]
    words = keywords.replace(",", " ").split()
    return next((w.removeprefix("export:") for w in words if w.count("-") == 4), None)
