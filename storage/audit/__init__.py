"""The audit: who did what, to what, when. Appended to, and chained; see ``chain`` for what that proves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

NOTE = text("select vigilo.note(:actor, :action, :subject, cast(:details as jsonb))")
NOTE_OWN = text("select vigilo.note_own(:action, :subject, cast(:details as jsonb))")


class NotTheirs(PermissionError):
    """An event that is not the viewer's to note: they have not proved who they are, or their role ended."""


def record(
    connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, Any]
) -> None:
    """Adds an entry (``noun.verb``) within the caller's transaction, as the job role."""
    connection.execute(
        NOTE,
        {"actor": actor, "action": action, "subject": subject, "details": _json(details)},
    )


def record_own(
    connection: Connection, action: str, subject: str, details: Mapping[str, Any]
) -> None:
    """Adds an entry of the viewer of this transaction, as the web role: the database says who that is, and
    what they may note. Raises NotTheirs."""
    given = {"action": action, "subject": subject, "details": _json(details)}
    try:
        connection.execute(NOTE_OWN, given)
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise NotTheirs(str(error.orig)) from error
        raise


def _json(details: Mapping[str, Any]) -> str:
    return json.dumps(dict(details), default=str)
