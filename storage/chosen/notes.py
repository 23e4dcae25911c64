"""Annotations as they are kept: read by whoever may see the figures, written by the job role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from aggregators.chosen.annotations import Annotation, WrittenNote
from aggregators.vocabulary.period import Span
from storage.chosen.store import VERSION
from storage.context import ROLLUP
from storage.executive.scope import ScopedWorkspace

COLUMNS = "id, about, first_day, last_day, text, made_by, made_at, edited_at, withdrawn_at"
ORGANISATION = text(f"select {COLUMNS} from organisation_annotation order by first_day, made_at")
OWN = text(f"select {COLUMNS} from annotation where workspace_id = :w order by first_day, made_at")
IN_SCOPE = text(
    "select workspace_id, annotations from vigilo.annotations_in_scope(:level, :first, :last)"
)
CHANGED = text("update installation set settings_version = settings_version + 1")
"""With it what was drawn without the annotation is recognised."""
MARKED = text("update workspace set has_annotations = true where id = :w and not has_annotations")


def of_organisation(connection: Connection, *, withdrawn: bool = False) -> list[Annotation]:
    """Annotations of the whole organisation, by day."""
    return _annotations(connection.execute(ORGANISATION).mappings(), None, withdrawn)


def of_workspace(
    connection: Connection, workspace_id: int, slug: str, *, withdrawn: bool = False
) -> list[Annotation]:
    """Annotations of a workspace, in its context, by day."""
    return _annotations(connection.execute(OWN, {"w": workspace_id}).mappings(), slug, withdrawn)


def in_scope(
    connection: Connection, workspaces: Sequence[ScopedWorkspace], span: Span
) -> tuple[Annotation, ...]:
    """Annotations within a span: the organisation's and those of the workspaces in the viewer's scope."""
    slugs = {w.workspace_id: w.slug for w in workspaces if w.left_out is None}
    days = {"level": ROLLUP, "first": span.start, "last": span.end}
    annotations = [each for each in of_organisation(connection) if each.is_within(span)]
    for key, rows in connection.execute(IN_SCOPE, days).all():
        if key in slugs:
            annotations += _annotations(rows, slugs[key], False)
    return tuple(sorted(annotations, key=lambda each: (each.first_day, each.at, str(each.id))))


def for_workspace(
    connection: Connection, workspace_id: int, slug: str, span: Span
) -> tuple[Annotation, ...]:
    """Annotations within a span: the organisation's and those of one workspace, in its context."""
    if not connection.execute(VERSION).scalar_one():
        return ()
    own = of_workspace(connection, workspace_id, slug)
    return tuple(a for a in (*of_organisation(connection), *own) if a.is_within(span))


def add(
    connection: Connection, workspace_id: int | None, id: UUID, note: WrittenNote, by: str
) -> None:
    """Keeps a new one, in the context of the workspace where it is one's."""
    own = workspace_id is not None
    connection.execute(
        text(
            f"insert into {'annotation (workspace_id, ' if own else 'organisation_annotation ('}"
            "id, about, first_day, last_day, text, made_by)"
            f" values ({':w, ' if own else ''}:id, :about, :first, :last, :text, :by)"
        ),
        {"w": workspace_id, "id": id, "by": by, **_values(note)},
    )
    if own:
        connection.execute(MARKED, {"w": workspace_id})
    connection.execute(CHANGED)


def edit(connection: Connection, workspace_id: int | None, id: UUID, note: WrittenNote) -> bool:
    """Changes one that stands; False where there is none."""
    sets = "about = :about, first_day = :first, last_day = :last, text = :text, edited_at = now()"
    return _update(connection, workspace_id, id, sets, _values(note))


def withdraw(connection: Connection, workspace_id: int | None, id: UUID) -> bool:
    """Takes one that stands away; False where there is none."""
    return _update(connection, workspace_id, id, "withdrawn_at = now()", {})


def _update(
    connection: Connection, workspace_id: int | None, id: UUID, sets: str, values: Mapping[str, Any]
) -> bool:
    own = workspace_id is not None
    table = "annotation" if own else "organisation_annotation"
    where = "workspace_id = :w and " if own else ""
    changed = connection.execute(
        text(f"update {table} set {sets} where {where}id = :id and withdrawn_at is null"),
        {"w": workspace_id, "id": id, **values},
    ).rowcount
    connection.execute(CHANGED)
    return bool(changed)


def _values(note: WrittenNote) -> dict[str, Any]:
    return {
        "about": note.about,
        "first": note.first_day,
        "last": note.last_day,
        "text": note.text,
    }


def _annotations(
    rows: Iterable[Mapping[Any, Any]], slug: str | None, withdrawn: bool
) -> list[Annotation]:
    """Annotations of rows, the withdrawn ones where they are wanted."""
    return [
        Annotation(
            UUID(str(row["id"])),
            slug,
            row["about"],
            _day(row["first_day"]),
            _day(row["last_day"]),
            row["text"],
            row["made_by"],
            _instant(row["made_at"]),
            _instant(row["edited_at"]) if row["edited_at"] else None,
            _instant(row["withdrawn_at"]) if row["withdrawn_at"] else None,
        )
        for row in rows
        if withdrawn or not row["withdrawn_at"]
    ]


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
