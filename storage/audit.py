"""The audit log: append-only, each row chained to the one before by SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

LOCK = 0x4175_6469


def record(
    connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, Any]
) -> None:
    """Adds an entry (``noun.verb``) within the caller's transaction."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    before = connection.execute(
        text("select hash from audit_event order by id desc limit 1")
    ).scalar()
    body = json.dumps([actor, action, subject, dict(details)], sort_keys=True, default=str)
    connection.execute(
        text(
            "insert into audit_event (actor, action, subject, details, prev_hash, hash)"
            " values (:actor, :action, :subject, cast(:details as jsonb), :before, :hash)"
        ),
        {
            "actor": actor,
            "action": action,
            "subject": subject,
            "details": json.dumps(dict(details), default=str),
            "before": before,
            "hash": hashlib.sha256(bytes(before or b"") + body.encode()).digest(),
        },
    )
