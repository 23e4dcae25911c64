"""Events of the audit that a platform admin may see; the database decides which these are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

SEEN = text(
    "select id, at, actor, action, subject, details from"
    " vigilo.audit_seen(:person, :kind, :workspace, :days, :former, :most)"
)
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Events that are asked for: of the last days by the database's clock, older than ``former``."""

    days: int
    person: str | None = None
    """Part of the actor's address."""
    kind: str | None = None
    """Noun of the action."""
    workspace: str | None = None
    former: int | None = None


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event of the audit."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str | None
    details: Mapping[str, Any]


def events(connection: Connection, question: AuditQuestion, most: int) -> list[SeenEvent]:
    """The newest of the events first, as the web role, within a transaction of who asks. Raises
    ProgrammingError for whoever is no platform admin."""
    values = {name: getattr(question, name) for name in AuditQuestion.__dataclass_fields__}
    rows = connection.execute(SEEN, values | {"most": most})
    return [SeenEvent(*row) for row in rows]


def every_event(connection: Connection, question: AuditQuestion) -> Iterator[SeenEvent]:
    """All of the events, read a batch at a time."""
    while batch := events(connection, question, BATCH):
        yield from batch
        question = replace(question, former=batch[-1].id)
