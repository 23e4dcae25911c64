"""Makes exports: claims a job, reads as its owner, draws, keeps the file, marks it ready, mails.

Killed at any point it leaves nothing that another worker does not put right: the lease runs out, the job is
claimed again, the file of the dead attempt is an orphan.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson
from sqlalchemy.exc import OperationalError

from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import ASKED, Ask, InvalidPeriod
from exports import files, mail, queue, restated, tables
from exports.pack import outline
from exports.queue import Claim
from reading.dashboard import NotPlatformAdmin, read
from reading.encode import dashboard_json
from settings import Settings
from storage.bounds.away import tell
from storage.chosen import commentary
from storage.context import NotIdentified
from storage.database import Database
from storage.scheduled import retries

log = logging.getLogger("vigilo.exports")


class LeaseLost(RuntimeError):
    """The job is another worker's by now, or was cancelled."""


class Pace(NamedTuple):
    """Seconds that the work takes its rhythm from: how long a silent worker keeps its export and a silent
    sender its mail, how soon a mail that did not go is tried again, how often the upkeep is done, how often
    a worker apart looks for itself."""

    lease: float = queue.LEASE_SECONDS
    mail_lease: float = retries.LEASE.total_seconds()
    mail_wait: float = retries.FIRST_WAIT.total_seconds()
    upkeep: float = 15.0
    look: float = 3.0


class ExportContext(NamedTuple):
    """Database, settings and pace that a worker works with."""

    database: Database
    settings: Settings
    pace: Pace = Pace()

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.settings.data_dir / "exports"


def make_next(context: ExportContext) -> bool:
    """Makes one export; False when none waits. Raises OperationalError when the database is gone: the
    job is claimed again when its lease has run out."""
    claimed = queue.claim(context.database.job, context.pace.lease)
    if claimed is None:
        return False
    try:
        with _keep_lease(context, claimed):
            _make(context, claimed)
    except LeaseLost:
        log.info("export %s is no longer ours", claimed.id)
    except OperationalError:
        raise
    except (NotPlatformAdmin, NotIdentified):
        reason = "You are platform admin of no workspace any more."
        queue.fail(context.database.job, claimed, reason, again=False)
    except InvalidPeriod as error:
        queue.fail(context.database.job, claimed, f"{error.field} {error}", again=False)
    except OSError as error:
        log.warning("the file of export %s could not be written: %s", claimed.id, error)
        reason = f"The file could not be written: {error.strerror or error}."
        queue.fail(context.database.job, claimed, reason, again=False)
    except Exception:
        log.exception("export %s, attempt %s", claimed.id, claimed.attempt)
        queue.fail(context.database.job, claimed, "It could not be drawn.", again=True)
    return True


def drain(context: ExportContext) -> None:
    """Works until nothing waits, then sends the mails."""
    while make_next(context):
        pass
    send_mails(context)


def send_mails(context: ExportContext) -> int:
    """Sends the mails that are due; how many went."""
    pace = context.pace
    return mail.deliver(
        context.database.job,
        context.settings,
        lease=timedelta(seconds=pace.mail_lease),
        first_wait=timedelta(seconds=pace.mail_wait),
    )


def tidy(context: ExportContext) -> None:
    """Do what needs no clock: take back jobs of dead workers, send the mails that are due. A part that
    fails is logged and does not hold up the other. Raises OperationalError when the database is away."""
    parts: dict[str, Callable[[], object]] = {
        "jobs of dead workers": lambda: queue.fail_abandoned(context.database.job),
        "mails": lambda: send_mails(context),
    }
    for part, work in parts.items():
        try:
            work()
        except OperationalError:
            raise
        except Exception:
            log.exception("upkeep of exports: %s", part)


class Keeper:
    """A thread that does the upkeep every few seconds and hands on what waits: to ``wake``, with whether
    something waited the time before as well."""

    def __init__(
        self, context: Callable[[], ExportContext], wake: Callable[[bool], object]
    ) -> None:
        self._context, self._wake = context, wake
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def start(self) -> None:
        """Starts the thread, once a process: a fork has none."""
        if self._process != os.getpid():
            self._process, self._thread = os.getpid(), None
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, daemon=True, name="export-keeper")
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread, once its upkeep is done."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        waited = False
        while not self._stopped.is_set():
            try:
                context = self._context()
                tidy(context)
                waits = queue.has_claimable(context.database.job)
                if waits:
                    self._wake(waited)
                waited = waits
            except OperationalError as error:
                tell(log, "the database is away", error)
            except Exception:
                log.exception("upkeep of exports")
            self._stopped.wait(self._context().pace.upkeep)


@contextmanager
def _keep_lease(context: ExportContext, claimed: Claim) -> Iterator[None]:
    """Keeps the lease while the work goes on, whatever it is busy with."""
    stop, lease = threading.Event(), context.pace.lease

    def beat() -> None:
        while not stop.wait(lease / 3):
            try:
                queue.extend_lease(context.database.job, claimed, lease)
            except OperationalError:  # the next beat may still come before the lease runs out
                log.warning("the lease of export %s could not be kept", claimed.id, exc_info=True)

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat-{claimed.id}")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _make(context: ExportContext, claimed: Claim) -> None:
    """Draws, keeps, marks ready. Raises LeaseLost, NotPlatformAdmin, InvalidPeriod, OSError."""
    settings, jobs = context.settings, context.database.job

    def progress(done: int, parts: int) -> None:
        if not queue.extend_lease(
            jobs, claimed, context.pace.lease, progress=(done + 1, parts + 2)
        ):
            raise LeaseLost

    ask = Ask.parse(*(claimed.params.get(name) for name in ASKED))
    parts = len(DOMAINS) + outline.COVER_AND_APPENDIX
    progress(-1, parts)
    dashboard = read(context.database, claimed.viewer, ask, settings)
    progress(0, parts)
    now = settings.now()
    with jobs.connect() as connection:
        before = restated.figures_restated(connection, dashboard)
    data = draw(claimed, dashboard, now, progress, before)
    key = f"{claimed.id}-{claimed.attempt}.{claimed.format}"
    files.store(context.folder, key, data)
    finished = _finish(context, claimed, key, data, dashboard, now)
    if not finished:
        (context.folder / key).unlink(missing_ok=True)
        raise LeaseLost


def draw(
    claimed: Claim,
    dashboard: Dashboard,
    now: datetime,
    progress: outline.Progress,
    before: outline.Restated | None,
) -> bytes:
    """Bytes of the file that a job asks for. Raises LeaseLost from ``progress``."""
    by, id = claimed.viewer.email, str(claimed.id)
    match claimed.format:
        case "pdf":
            from exports import board_pdf  # fonts and shapes: nobody who only serves needs them
            from exports.pack import comments

            return board_pdf.draw(
                dashboard,
                requested_by=by,
                exported_at=now,
                export_id=id,
                progress=progress,
                restated=before,
                comments=comments.of_job(claimed.params.get(commentary.NAME, {})),
            )
        case "xlsx":
            from exports.workbook.book import as_xlsx

            return as_xlsx(dashboard, requested_by=by, exported_at=now, export_id=id)
        case "csv":
            return tables.as_csv(dashboard)
        case _:
            return orjson.dumps(dashboard_json(dashboard))


def _finish(
    context: ExportContext,
    claimed: Claim,
    key: str,
    data: bytes,
    dashboard: Dashboard,
    now: datetime,
) -> bool:
    """Mark the job ready and queue its mail where it took long, in one transaction."""
    with context.database.job.begin() as connection:
        done = queue.finish(
            connection,
            claimed,
            key=key,
            filename=file_name(claimed.format, now),
            sha256=hashlib.sha256(data).digest(),
            size=len(data),
            scope=dashboard.scope.slugs,
            span={"start": str(dashboard.period.start), "end": str(dashboard.period.end)},
        )
        if done is None:
            return False
        restated.keep(connection, claimed.id, dashboard)
        if done.mail_wanted or done.seconds > context.settings.export_sync_seconds:
            mail.enqueue(
                connection, done, claimed.viewer.email, len(dashboard.scope.slugs), context.settings
            )
    return True


def file_name(format: str, exported_at: datetime) -> str:
    """``vigilo-executive-20261123.pdf``, or another ending."""
    return outline.file_name(exported_at).removesuffix("pdf") + format
