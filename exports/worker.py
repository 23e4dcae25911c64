"""Makes exports: claims a job, reads as its owner, draws, keeps the file, marks it ready, mails.

Killed at any point it leaves nothing that another worker does not put right: the lease runs out, the job is
claimed again, the file of the dead attempt is an orphan.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson
from sqlalchemy.exc import OperationalError

from aggregators.figures import Dashboard
from aggregators.period import Ask, InvalidPeriod
from aggregators.read import NotPlatformAdmin, read
from api.encode import dashboard_json
from exports import board_pdf, files, mail, queue, restated, schedule, tables
from exports.queue import Claim
from settings import Settings
from storage.database import Database

log = logging.getLogger("vigilo.exports")
TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


class Lost(RuntimeError):
    """The job is another worker's by now, or was cancelled."""


class Place(NamedTuple):
    """What a worker works with."""

    database: Database
    settings: Settings

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.settings.data_dir / "exports"


def work(place: Place, lease: float = queue.LEASE_SECONDS) -> bool:
    """Makes one export; False when none waits. Raises OperationalError when the database is gone: the
    job is claimed again when its lease has run out."""
    held = queue.claim(place.database.web, lease)
    if held is None:
        return False
    try:
        with _beating(place, held, lease):
            _make(place, held)
    except Lost:
        log.info("export %s is no longer ours", held.id)
    except OperationalError:
        raise
    except NotPlatformAdmin:
        reason = "You are platform admin of no workspace any more."
        queue.fail(place.database.web, held, reason, again=False)
    except InvalidPeriod as error:
        queue.fail(place.database.web, held, f"{error.field} {error}", again=False)
    except OSError as error:
        reason = f"The file could not be written: {error.strerror or error}."
        queue.fail(place.database.web, held, reason, again=False)
    except Exception:
        log.exception("export %s, attempt %s", held.id, held.attempt)
        queue.fail(place.database.web, held, "It could not be drawn.", again=True)
    return True


def drain(place: Place, lease: float = queue.LEASE_SECONDS) -> None:
    """Works until nothing waits, then sends the mails."""
    while work(place, lease):
        pass
    mail.deliver(place.database.web, place.settings)


def tidy(place: Place) -> None:
    """What has to be done now and then: jobs of the dead, packs and mails that are due, old files."""
    queue.sweep(place.database.web)
    schedule.due(place.database, place.settings)
    mail.deliver(place.database.web, place.settings)
    files.clean(place.database.web, place.folder)


@contextmanager
def _beating(place: Place, held: Claim, lease: float) -> Iterator[None]:
    """Keeps the lease while the work goes on, whatever it is busy with."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(lease / 3):
            with suppress(OperationalError):
                queue.beat(place.database.web, held, lease)

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat-{held.id}")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _make(place: Place, held: Claim) -> None:
    """Draws, keeps, marks ready. Raises Lost, NotPlatformAdmin, InvalidPeriod, OSError."""
    settings, web = place.settings, place.database.web

    def progress(done: int, parts: int) -> None:
        if not queue.beat(web, held, progress=(done + 1, parts + 2)):
            raise Lost

    ask = Ask.parse(*(held.params.get(name) for name in ("period", "start", "end")))
    progress(-1, 8)
    dashboard = read(place.database, held.viewer, ask, settings)
    progress(0, 8)
    now = settings.now()
    with web.connect() as connection:
        before = restated.since(connection, dashboard)
    data = _drawn(held, dashboard, now, progress, before)
    key = f"{held.id}-{held.attempt}.{held.format}"
    files.store(place.folder, key, data)
    finished = _finish(place, held, key, data, dashboard, now)
    if not finished:
        (place.folder / key).unlink(missing_ok=True)
        raise Lost


def _drawn(
    held: Claim,
    dashboard: Dashboard,
    now: datetime,
    progress: board_pdf.Progress,
    before: board_pdf.Restated | None,
) -> bytes:
    by, id = held.viewer.email, str(held.id)
    match held.format:
        case "pdf":
            return board_pdf.draw(
                dashboard,
                requested_by=by,
                exported_at=now,
                export_id=id,
                progress=progress,
                restated=before,
            )
        case "xlsx":
            return tables.as_xlsx(dashboard, requested_by=by, exported_at=now, export_id=id)
        case "csv":
            return tables.as_csv(dashboard)
        case _:
            return orjson.dumps(dashboard_json(dashboard))


def _finish(
    place: Place, held: Claim, key: str, data: bytes, dashboard: Dashboard, now: datetime
) -> bool:
    """One transaction marks the job ready and queues its mail where it took long."""
    with place.database.web.begin() as connection:
        done = queue.finish(
            connection,
            held,
            key=key,
            filename=file_name(held.format, now),
            sha256=hashlib.sha256(data).digest(),
            size=len(data),
            scope=dashboard.scope.slugs,
            span={"start": str(dashboard.period.start), "end": str(dashboard.period.end)},
        )
        if done is None:
            return False
        restated.keep(connection, held.id, dashboard)
        if done.mail_wanted or done.seconds > place.settings.export_sync_seconds:
            mail.put(
                connection, done, held.viewer.email, len(dashboard.scope.slugs), place.settings
            )
    return True


def file_name(format: str, exported_at: datetime) -> str:
    """``vigilo-executive-20261123.pdf``, or another ending."""
    return board_pdf.file_name(exported_at).removesuffix("pdf") + format
