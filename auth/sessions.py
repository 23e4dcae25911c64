"""Server-side sessions: the cookie holds a random id, PostgreSQL its hash and everything else.

A session ends for good at sign-out, at a change of password, with the account's deactivation, after
12 idle hours and after 7 days. A copied cookie is worth nothing after any of these.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import CallbackDict

from auth.accounts import Account

IDLE, LIFETIME = "12 hours", "7 days"
NOTED = "1 minute"
"""How often it is noted that somebody is there: a write with each request would wait for the disk."""
BARE = ("/assets/", "/_dash-component-suites/", "/healthz", "/readyz", "/metrics")


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """What a session holds, and under which id it is stored."""

    def __init__(self, id: str | None = None, held: dict[str, Any] | None = None) -> None:
        def changed(_held: object) -> None:
            self.modified = True

        super().__init__(held or {}, changed)
        self.id, self.stored = id, id is not None
        self.modified = False
        self.replaces: str | None = None
        self.is_away = False
        self.account: Account | None = None
        """Who is signed in, as the database said when the session was opened."""

    def rotate(self) -> None:
        """Goes on under a new id; the old one dies."""
        self.replaces, self.id, self.stored, self.modified = self.id, None, False, True


class DatabaseSessions(SessionInterface):
    """Flask's sessions in the table web_session."""

    def __init__(self, engine: Callable[[], Engine], *, secure: bool) -> None:
        self.engine, self.secure = engine, secure
        self.name = "__Host-vigilo" if secure else "vigilo"

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """The caller's live session, or an empty one without a row."""
        id = request.cookies.get(self.name)
        if not id or request.path.startswith(BARE):
            return ServerSession()
        try:
            return self._opened(id)
        except OperationalError:
            # Flask opens sessions before its error handlers stand: the gate answers 503.
            away = ServerSession()
            away.is_away = True
            return away

    def _opened(self, id: str) -> ServerSession:
        with self.engine().connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            row = connection.execute(OPEN, {"id": _hash(id)}).first()
            if row is None:
                return ServerSession()
            held, is_due, *person = row
            if is_due:
                connection.execute(SEEN, {"id": _hash(id)})
        session = ServerSession(id, dict(held))
        session.account = Account(*person) if person[0] is not None else None
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Writes what changed; an emptied or replaced session is deleted."""
        assert isinstance(session, ServerSession)
        if not session.modified:
            return
        dead = session.replaces or (session.id if not session else None)
        if session and session.id is None:
            session.id = secrets.token_urlsafe(32)
        with self.engine().begin() as connection:
            if dead:
                connection.execute(DELETE, {"id": _hash(dead)})
            if session and session.id:
                statement = UPDATE if session.stored else INSERT
                connection.execute(text(statement), _row(session.id, session))
        if not session:
            response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True)
        elif not session.stored and session.id:
            response.set_cookie(
                self.name, session.id, path="/", secure=self.secure, httponly=True, samesite="Lax"
            )


OPEN = text(f"""
select s.data, s.seen_at < now() - interval '{NOTED}', u.id, u.email, u.name, u.password_hash
from web_session s
left join app_user u on u.id = s.user_id and u.is_active and u.password_changed_at <= s.created_at
where s.id_hash = :id and s.expires_at > now() and s.seen_at > now() - interval '{IDLE}'
  and (s.user_id is null or u.id is not null)
""")
SEEN = text("update web_session set seen_at = now() where id_hash = :id")
INSERT = f"""
insert into web_session (id_hash, user_id, data, expires_at)
values (:id, :user, cast(:data as jsonb), now() + interval '{LIFETIME}')
"""
# Never an upsert: a request under way while its person signs out must not bring the session back.
UPDATE = "update web_session set user_id = :user, data = cast(:data as jsonb) where id_hash = :id"
DELETE = text("delete from web_session where id_hash = :id")


def _row(id: str, session: ServerSession) -> dict[str, Any]:
    user = session.get("_user_id")
    return {"id": _hash(id), "user": int(user) if user else None, "data": json.dumps(dict(session))}


def _hash(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()
