"""``export pdf``, ``export trace`` and ``worker``: exports without a browser, and who made one."""

from __future__ import annotations

import io
import os
import time
from datetime import timedelta
from pathlib import Path

import click
from flask import current_app
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from sqlalchemy.exc import OperationalError

from aggregators.period import Ask, InvalidPeriod
from aggregators.read import NotPlatformAdmin, scope
from auth import accounts
from exports import celery_app, jobs, queue
from exports.runner import Bell
from exports.worker import TYPES, Place, drain, tidy, work

LOOK_SECONDS = 3.0
"""How often a worker looks for itself, though no bell rang."""


@click.group()
def export() -> None:
    """The board pack."""


@export.command("pdf")
@click.option("--as", "email", required=True, help="On whose behalf, with their scope.")
@click.option("--period", help="7, 28, 90 or 365 days; 28 when left out.")
@click.option("--start", help="First day of a range, YYYY-MM-DD.")
@click.option("--end", help="Last day of a range, YYYY-MM-DD.")
@click.option("--format", "form", type=click.Choice(tuple(TYPES)), default="pdf", show_default=True)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def pdf(
    email: str, period: str | None, start: str | None, end: str | None, form: str, out: Path
) -> None:
    """Writes the pack to a file; it is noted as an export of that person."""
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise click.ClickException(f"--out: nothing can be written in {out.parent}")
    if out.exists() and not os.access(out, os.W_OK):
        raise click.ClickException(f"--out: {out} is there already and can not be written")
    services = current_app.extensions["vigilo"]
    place = Place(services.database, services.settings)
    account = accounts.by_email(services.database.job, email)
    if account is None:
        raise click.ClickException(f"there is no active account {email}")
    given = {"period": period, "start": start, "end": end}
    try:
        ask = Ask.parse(period, start, end)
        today = services.settings.now().date()
        ask.on(today - timedelta(days=1), today)
        places = scope(services.database, account.viewer)
    except InvalidPeriod as wrong:
        raise click.ClickException(f"--{wrong.field}: {wrong}") from wrong
    except NotPlatformAdmin as error:
        raise click.ClickException(f"{email} holds platform_admin nowhere") from error
    params = {name: value for name, value in given.items() if value}
    id = queue.put(services.database.web, account.viewer, params, form, places)
    while (job := queue.one(services.database.web, account.viewer, id)) and job.is_open:
        if not work(place):
            time.sleep(0.2)
    try:
        made = jobs.fetch(services.database.web, place.folder, account.viewer, id, places)
    except LookupError as error:
        raise click.ClickException(
            job.error if job and job.error else "it was cancelled"
        ) from error
    try:
        out.write_bytes(made.data)
    except OSError as error:
        raise click.ClickException(
            f"--out: {out} can not be written: {error.strerror}. The export is ready all the same: see"
            " Your exports."
        ) from error
    click.echo(f"{out}: {len(made.data):,} bytes, export {made.id}")


@click.command()
def worker() -> None:
    """Makes exports and sends their mails until it is stopped; with VIGILO_REDIS_URL through Celery."""
    services = current_app.extensions["vigilo"]
    place = Place(services.database, services.settings)
    if services.settings.redis_url:
        celery_app.serve(place)
        return
    click.echo("Waiting for exports. Stop with Ctrl+C.")
    bell = Bell(services.settings.data_dir)
    while True:
        try:
            tidy(place)
            drain(place)
        except OperationalError as error:
            click.echo(f"The database does not answer: {str(error.orig).strip()}", err=True)
        deadline = time.monotonic() + LOOK_SECONDS
        while not bell.rang() and time.monotonic() < deadline:
            time.sleep(0.1)


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
