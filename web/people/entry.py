"""The moment in which somebody becomes signed in, whichever way they showed who they are."""

from __future__ import annotations

from flask import request, session
from flask_login import login_user
from sqlalchemy import Engine

from auth.accounts import Account
from auth.sessions import ServerSession
from storage import audit
from storage.audit.bounded import record_refusal


def enter(jobs: Engine, account: Account, by: str) -> None:
    """Signs the person in under a session of a new id, and notes it. What the visitor's session held is
    gone."""
    session.clear()
    current = session._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(current, ServerSession)
    current.rotate()
    login_user(account)
    with jobs.begin() as connection:
        details = {"by": by, "address": request.remote_addr or ""}
        audit.record(connection, account.email, "session.begin", account.email, details)


def refuse(jobs: Engine, who: str, by: str, reason: str) -> None:
    """Notes that somebody was not let in, within the bound of such notes. ``who`` is what they called
    themselves."""
    with jobs.begin() as connection:
        details = {"by": by, "reason": reason, "address": request.remote_addr or ""}
        record_refusal(connection, who, "session.refuse", who, details)
