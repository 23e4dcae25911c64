"""Finished exports: who may have the file, and whose it was.

A download checks again: the owner, the age, and that every workspace in it is still in their scope.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from auth.viewer import Viewer
from storage import audit


class NotYours(LookupError):
    """No such export, not this person's, or gone."""


class OutOfScope(PermissionError):
    """A workspace of the export is no longer in the person's scope."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished export."""

    id: str
    filename: str
    format: str
    data: bytes


def fetch(
    engine: Engine, folder: Path, viewer: Viewer, id: uuid.UUID, scope_now: Sequence[str]
) -> Made:
    """The file for its owner. Raises NotYours, OutOfScope; every attempt is noted."""
    with engine.begin() as connection:
        row = connection.execute(
            text(
                "select scope, file_key, params, format from export_job where id = :id"
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
    return Made(str(id), row.params["filename"], row.format, path.read_bytes())


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
