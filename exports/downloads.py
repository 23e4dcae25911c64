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

import instants
from storage import audit
from storage.audit.bounded import record_refusal
from storage.viewer import Viewer


class NoSuchExport(LookupError):
    """No such export, not this person's, or gone."""


class OutOfScope(PermissionError):
    """A workspace of the export is no longer in the person's scope."""


@dataclass(frozen=True, slots=True)
class FinishedExport:
    """A finished export, and the slugs of the workspaces in it."""

    id: str
    filename: str
    format: str
    data: bytes
    scope: tuple[str, ...]


def fetch(
    engine: Engine, folder: Path, viewer: Viewer, id: uuid.UUID, scope_now: Sequence[str]
) -> FinishedExport:
    """The file for its owner. Raises NoSuchExport, OutOfScope; every attempt is noted."""
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
        if inside and path and path.is_file():
            audit.record(connection, viewer.email, "export.download", str(id), {})
        else:
            record_refusal(connection, viewer.email, "export.deny", str(id), {})
    if row is None or path is None or not path.is_file():
        raise NoSuchExport(str(id))
    if not inside:
        raise OutOfScope(str(id))
    data, scope = path.read_bytes(), tuple(row.scope)
    return FinishedExport(str(id), row.params["filename"], row.format, data, scope)


def trace(connection: Connection, data: bytes, embedded_id: str | None) -> str | None:
    """Text about who exported a file, recognised by its bytes, else by the id inside it (then it was
    altered); None for a file of no export."""
    digest = hashlib.sha256(data)
    by_bytes = connection.execute(text(TRACE + "j.sha256 = :x"), {"x": digest.digest()}).first()
    export = by_bytes
    if export is None and embedded_id:
        try:
            embedded = uuid.UUID(embedded_id)
        except ValueError:
            return None
        export = connection.execute(text(TRACE + "j.id = :x"), {"x": embedded}).first()
    if export is None:
        return None
    state = "unaltered" if by_bytes else "altered since"
    return (
        f"export {export.id}\nby {export.email}\nat {instants.to_the_second(export.created_at)}\n"
        f"for {export.params['start']} to {export.params['end']}, {len(export.scope)} workspaces\n{state}"
    )


TRACE = (
    "select j.id, u.email, j.created_at, j.params, j.scope from export_job j"
    " join app_user u on u.id = j.user_id where "
)
