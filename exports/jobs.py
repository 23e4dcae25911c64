"""Export jobs: the row in PostgreSQL is the truth, the file lies in the data directory.

A pack is drawn for the person who asks, with the scope that the database gives them then. A
download checks again: the owner, the age, and that every workspace in it is still in their scope.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from aggregators.figures import Dashboard
from auth.viewer import Viewer
from exports import board_pdf
from storage import audit

KEPT_HOURS = 24


class NotYours(LookupError):
    """No such export, not this person's, or gone."""


class OutOfScope(PermissionError):
    """A workspace of the export is no longer in the person's scope."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished export."""

    id: str
    filename: str
    data: bytes


def make(engine: Engine, folder: Path, viewer: Viewer, dashboard: Dashboard, now: datetime) -> Made:
    """Draws the pack of a dashboard, keeps it for a day, and notes who had it made."""
    id = uuid.uuid4()
    period = {"start": str(dashboard.period.start), "end": str(dashboard.period.end)}
    scope, filename = list(dashboard.scope.slugs), board_pdf.file_name(now)
    with engine.begin() as connection:
        connection.execute(
            text(BEGUN),
            {"id": id, "user": viewer.user_id, "scope": scope, "filename": filename, **period},
        )
        audit.record(connection, viewer.email, "export.request", str(id), period | {"scope": scope})
    data = board_pdf.draw(dashboard, requested_by=viewer.email, exported_at=now, export_id=str(id))
    _store(folder, str(id), data)
    digest = hashlib.sha256(data)
    with engine.begin() as connection:
        connection.execute(
            text(READY), {"id": id, "key": f"{id}.pdf", "sha": digest.digest(), "size": len(data)}
        )
        details = {"sha256": digest.hexdigest(), "size": len(data)}
        audit.record(connection, viewer.email, "export.render", str(id), details)
    return Made(str(id), filename, data)


BEGUN = """
insert into export_job (id, user_id, params, scope, state, attempt, steps)
values (:id, :user, jsonb_build_object('start', cast(:start as text), 'end', cast(:end as text),
                                          'filename', cast(:filename as text)),
        :scope, 'running', 1, 8)
"""
READY = f"""
update export_job set state = 'ready', progress = steps, file_key = :key, sha256 = :sha, size = :size,
       finished_at = now(), expires_at = now() + interval '{KEPT_HOURS} hours' where id = :id
"""


def _store(folder: Path, id: str, data: bytes) -> None:
    """Whole or not at all: a temporary file, flushed to the disk, then renamed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{id}.part"
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / f"{id}.pdf")
    finally:
        part.unlink(missing_ok=True)


def fetch(
    engine: Engine, folder: Path, viewer: Viewer, id: uuid.UUID, scope_now: Sequence[str]
) -> Made:
    """The file for its owner. Raises NotYours, OutOfScope; every attempt is noted."""
    with engine.begin() as connection:
        row = connection.execute(
            text(
                "select scope, file_key, params from export_job where id = :id"
                " and user_id = :user and state = 'ready' and expires_at > now()"
            ),
            {"id": id, "user": viewer.user_id},
        ).first()
        path = folder / row.file_key if row else None
        inside = row is not None and set(row.scope) <= set(scope_now)
        action = "export.download" if inside and path and path.is_file() else "export.deny"
        audit.record(connection, viewer.email, action, str(id), {})
    if row is None or path is None or not path.is_file():
        raise NotYours(str(id))
    if not inside:
        raise OutOfScope(str(id))
    return Made(str(id), row.params["filename"], path.read_bytes())


def trace(connection: Connection, data: bytes, embedded_id: str | None) -> str | None:
    """Who exported a file: found by its bytes, else by the id inside it (then it was altered)."""
    digest = hashlib.sha256(data)
    by_bytes = connection.execute(text(TRACE + "j.sha256 = :x"), {"x": digest.digest()}).first()
    found = by_bytes
    if found is None and embedded_id:
        try:
            asked = uuid.UUID(embedded_id)
        except ValueError:
            return None
        found = connection.execute(text(TRACE + "j.id = :x"), {"x": asked}).first()
    if found is None:
        return None
    state = "unaltered" if by_bytes else "altered since"
    return (
        f"export {found.id}\nby {found.email}\nat {found.created_at:%Y-%m-%dT%H:%M:%SZ}\n"
        f"for {found.params['start']} to {found.params['end']}, {len(found.scope)} workspaces\n{state}"
    )


TRACE = (
    "select j.id, u.email, j.created_at, j.params, j.scope from export_job j"
    " join app_user u on u.id = j.user_id where "
)
