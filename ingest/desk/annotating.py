"""Annotations made, edited and withdrawn, each with its entry in the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from sqlalchemy import Connection

from aggregators.chosen.annotations import WrittenNote
from storage import audit
from storage.chosen import notes
from storage.context import JOB, enter
from storage.database import Database

Workspace = tuple[int, str]
"""Id and slug."""


class NoSuchAnnotation(LookupError):
    """There is none with that id, or it was withdrawn."""


def add(database: Database, workspace: Workspace | None, note: WrittenNote, by: str) -> UUID:
    """Id of a new annotation of the organisation, or of a workspace."""
    id = uuid4()
    with _writing_in(database, workspace) as connection:
        notes.add(connection, _id(workspace), id, note, by)
        _record(connection, "annotation.add", workspace, id, note, by)
    return id


def edit(
    database: Database, workspace: Workspace | None, id: UUID, note: WrittenNote, by: str
) -> None:
    """Changes one. Raises NoSuchAnnotation."""
    _change(
        database,
        workspace,
        lambda connection: notes.edit(connection, _id(workspace), id, note),
        lambda connection: _record(connection, "annotation.edit", workspace, id, note, by),
    )


def withdraw(database: Database, workspace: Workspace | None, id: UUID, by: str) -> None:
    """Takes one away. Raises NoSuchAnnotation."""
    _change(
        database,
        workspace,
        lambda connection: notes.withdraw(connection, _id(workspace), id),
        lambda connection: _record(connection, "annotation.withdraw", workspace, id, None, by),
    )


def _change(
    database: Database,
    workspace: Workspace | None,
    change: Callable[[Connection], bool],
    record: Callable[[Connection], None],
) -> None:
    """Makes a change and records it, in one transaction. Raises NoSuchAnnotation."""
    with _writing_in(database, workspace) as connection:
        if not change(connection):
            raise NoSuchAnnotation("there is no such annotation, or it was withdrawn")
        record(connection)


@contextmanager
def _writing_in(database: Database, workspace: Workspace | None) -> Iterator[Connection]:
    """A transaction of the job role, in a workspace's context where one is given."""
    with database.job.begin() as connection:
        if workspace is None:
            yield connection
        else:
            with enter(connection, JOB, workspace[0]):
                yield connection


def _id(workspace: Workspace | None) -> int | None:
    return workspace[0] if workspace else None


def _record(
    connection: Connection,
    action: str,
    workspace: Workspace | None,
    id: UUID,
    note: WrittenNote | None,
    by: str,
) -> None:
    details: dict[str, object] = {"workspace": workspace[1]} if workspace else {}
    if note is not None:
        details |= {"about": note.about or "everything", "from": note.first_day}
        details |= {"to": note.last_day, "text": note.text}
    audit.record(connection, by, action, str(id), details)
