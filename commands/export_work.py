"""The work of ``export`` and ``worker``, apart from their options: it draws, so it takes time to import."""

from __future__ import annotations

import io
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

import click
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from aggregators.vocabulary.period import ASKED, Ask, InvalidPeriod
from auth import accounts
from commands.installation import database, installation
from exports import downloads, queue
from exports.downloads import FinishedExport
from exports.runner import work_apart
from exports.worker import ExportContext, make_next
from reading.dashboard import NotPlatformAdmin, scope
from scheduling.context import ScheduleContext
from scheduling.scheduler import Scheduler
from storage.database import NO_JOB
from storage.viewer import Viewer
from web.server import logs

POLL_SECONDS = 0.2
"""How often a command looks whether another worker has made its export."""


def make_export(email: str, params: Mapping[str, str], form: str) -> FinishedExport:
    """An export on behalf of a person. Raises ClickException where they may not, or it fails."""
    viewer = accounts.on_behalf(database().job, email)
    if viewer is None:
        raise click.ClickException(f"there is no active account {email}")
    slugs = _scope(viewer, params)
    id = queue.request(database().job, viewer, params, form, slugs)
    return _wait_for_export(viewer, id, slugs)


def _scope(viewer: Viewer, params: Mapping[str, str]) -> tuple[str, ...]:
    """The slugs that the pack will show. Raises ClickException for an impossible period or person."""
    try:
        ask = Ask.parse(*(params.get(name) for name in ASKED))
        today = installation().settings.now().date()
        ask.on(today - timedelta(days=1), today)
        return scope(database(), viewer)
    except InvalidPeriod as error:
        raise click.ClickException(f"--{error.field}: {error}") from error
    except NotPlatformAdmin as error:
        raise click.ClickException(f"{viewer.email} holds platform_admin nowhere") from error


def _wait_for_export(viewer: Viewer, id: uuid.UUID, slugs: tuple[str, ...]) -> FinishedExport:
    """The export, made here unless another worker has it. Raises ClickException where it failed."""
    context = ExportContext(database(), installation().settings)
    engine = context.database.job
    while (job := queue.own_job(engine, viewer, id)) and job.is_open:
        if not make_next(context):
            time.sleep(POLL_SECONDS)
    try:
        return downloads.fetch(engine, context.folder, viewer, id, slugs)
    except LookupError as error:
        why = job.error if job and job.error else "it was cancelled"
        raise click.ClickException(why) from error


def work() -> None:
    """Makes exports, sends mails and does what is scheduled until the process is stopped. Raises SystemExit
    without the job role's address: before the clock begins, which would try in vain for ever."""
    settings = installation().settings
    if settings.database_url and not (settings.job_database_url or settings.owner_database_url):
        raise SystemExit(NO_JOB)
    if not sys.stdout.isatty():
        logs.install_handler()
    context = ExportContext(database(), settings)
    Scheduler(partial(ScheduleContext, context.database, settings)).keep()
    if settings.redis_url:
        from exports import celery_app

        celery_app.serve(context)
        return
    click.echo("Waiting for exports. Stop with Ctrl+C.")
    work_apart(context)


def exporter_of(file: Path) -> str | None:
    """Text about who exported a file, when, for what; None for a file of no export here."""
    data = file.read_bytes()
    with database().job.connect() as connection:
        return downloads.trace(connection, data, _embedded_id(data))


def _embedded_id(data: bytes) -> str | None:
    """The export id in the file's keywords."""
    try:
        metadata = PdfReader(io.BytesIO(data)).metadata
    except PyPdfError:
        return None
    keywords = str(metadata.get("/Keywords", "")) if metadata else ""  # type: ignore[call-overload]
    words = keywords.replace(",", " ").split()
    return next((w.removeprefix("export:") for w in words if w.count("-") == 4), None)
