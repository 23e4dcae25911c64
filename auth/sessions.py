"""Server-side sessions: the cookie holds a random id, PostgreSQL its hash and everything else.

A session ends for good at sign-out, at a change of password, with the account's deactivation, after
12 idle hours and after 7 days: the view ``vigilo.live_session`` says which stand. A copied cookie is worth
nothing after any of these. Sessions are the job role's: the web role, which reads what people ask for, sees
none.

Whoever is not signed in has no row: what a visitor's session holds (the token of the sign-in form) is in
their cookie, signed, so that nobody makes the table grow by asking for the page.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from werkzeug.datastructures import CallbackDict

from auth.accounts import Account
from auth.secret_key import Keys
from storage.bounds.away import first_line
from storage.identity.proof import Credential, Proof, verifier_of

LOG = logging.getLogger(__name__)
LIFETIME = "7 days"
NOTED = "1 minute"
"""How often it is noted that somebody is there: a write with each request would wait for the disk."""
VISIT_SECONDS = 86_400
VISITOR = "~"
"""Begins the cookie of somebody who is not signed in."""
STATIC, PROBES = ("/assets/", "/_dash-component-suites/"), ("/healthz", "/readyz", "/metrics")
"""Paths of files that everybody gets alike, and those that machines ask every few seconds."""
BARE = (*STATIC, *PROBES)


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """Values of a session, and the id under which it is stored."""

    def __init__(self, id: str | None = None, values: dict[str, Any] | None = None) -> None:
        def changed(_values: object) -> None:
            self.modified = True

        super().__init__(values or {}, changed)
        self.id, self.stored = id, id is not None
        self.modified = False
        self.replaces: str | None = None
        self.is_away = False
        self.account: Account | None = None
        """Person who is signed in, as the database said when the session was opened."""

    def rotate(self) -> None:
        """Goes on under a new id; the old one dies."""
        self.replaces, self.id, self.stored, self.modified = self.id, None, False, True


class DatabaseSessions(SessionInterface):
    """Flask's sessions in the table web_session, over an engine of the job role; those of visitors in a
    signed cookie."""

    def __init__(self, engine: Callable[[], Engine], keys: Keys, *, secure: bool) -> None:
        self.engine, self.secure = engine, secure
        self.name = "__Host-vigilo" if secure else "vigilo"
        self._signer = URLSafeTimedSerializer(keys.oldest_first, salt="vigilo visitor")

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """The caller's live session, or an empty one without a row."""
        id = request.cookies.get(self.name)
        if not id or request.path.startswith(BARE):
            return ServerSession()
        if id.startswith(VISITOR):
            return self._visitor_session(id.removeprefix(VISITOR))
        try:
            return self._load_session(id)
        except (OperationalError, NoFreeConnection) as error:
            LOG.warning("no session could be opened: %s", first_line(error))
            # Flask opens sessions before its error handlers stand: the gate answers 503.
            away = ServerSession()
            away.is_away = True
            return away

    def _visitor_session(self, signed: str) -> ServerSession:
        """Session of a visitor, which the cookie itself holds; an empty one where it is not ours."""
        try:
            return ServerSession(values=dict(self._signer.loads(signed, max_age=VISIT_SECONDS)))
        except (
            BadSignature,
            ValueError,
            TypeError,
        ):  # a stranger's, or of a key that is gone: anew
            return ServerSession()

    def _load_session(self, id: str) -> ServerSession:
        """The session of a cookie, with its account; an empty one where none is open."""
        with self.engine().connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            row = connection.execute(OPEN, {"id": verifier_of(id)}).first()
            if row is None:
                return ServerSession()
            values, is_due, number, email, name = row
            if is_due:
                connection.execute(SEEN, {"id": verifier_of(id)})
        session = ServerSession(id, dict(values))
        if number is not None:
            session.account = Account(number, email, name, proof=Proof.of(Credential.SESSION, id))
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Writes what changed. The row of a session that was replaced, emptied or left by its person is
        deleted."""
        assert isinstance(session, ServerSession)
        if not session.modified:
            return
        is_visit = session.get("_user_id") is None
        dead = session.replaces or (session.id if is_visit else None)
        if dead or not is_visit:
            self._write_session(session, dead, is_visit=is_visit)
        if not session:
            response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True)
        elif is_visit:
            self._set_cookie(response, VISITOR + self._signer.dumps(dict(session)))
        elif not session.stored and session.id:
            self._set_cookie(response, session.id)

    def _write_session(self, session: ServerSession, dead: str | None, *, is_visit: bool) -> None:
        """Writes a session to the database and deletes a dead one."""
        if session.id is None and not is_visit:
            session.id = secrets.token_urlsafe(32)
        with self.engine().begin() as connection:
            if dead:
                connection.execute(DELETE, {"id": verifier_of(dead)})
            if session.id and not is_visit:
                row = _row(session.id, session)
                if session.stored:
                    connection.execute(text(UPDATE), row)
                else:
                    connection.execute(text(INSERT), row | _device())

    def _set_cookie(self, response: Response, value: str) -> None:
        """Has the browser keep the session's id."""
        response.set_cookie(
            self.name, value, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )


OPEN = text(f"""
select s.data, s.seen_at < now() - interval '{NOTED}', s.user_id, s.email, s.name
from vigilo.live_session s where s.id_hash = :id
""")
SEEN = text("update web_session set seen_at = now() where id_hash = :id")
INSERT = f"""
insert into web_session (id_hash, user_id, data, expires_at, agent, address)
values (:id, :user, cast(:data as jsonb), now() + interval '{LIFETIME}', :agent, :address)
"""
# Never an upsert: a request under way while its person signs out must not bring the session back.
UPDATE = "update web_session set user_id = :user, data = cast(:data as jsonb) where id_hash = :id"
DELETE = text("delete from web_session where id_hash = :id")


def _row(id: str, session: ServerSession) -> dict[str, Any]:
    user = session.get("_user_id")
    return {
        "id": verifier_of(id),
        "user": int(user) if user else None,
        "data": json.dumps(dict(session)),
    }


def _device() -> dict[str, str]:
    """Browser and address of the request, by which a person knows their sessions apart."""
    return {
        "agent": (request.user_agent.string or "")[:200],
        "address": (request.remote_addr or "")[:64],
    }
