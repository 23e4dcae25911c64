"""The cookie from which pages send their token back with each change."""

from __future__ import annotations

from flask import Flask, g, request, session
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from auth.secret_key import Keys

SALT = "wtf-csrf-token"
"""Flask-WTF's."""


def name(*, secure: bool) -> str:
    """Name of the cookie; over TLS one that no other host of the domain can set."""
    return "__Host-_csrf_token" if secure else "_csrf_token"


def install(app: Flask, keys: Keys, *, secure: bool) -> None:
    """Gives the cookie to whoever is signed in, and another where theirs is of another session or signed
    with a former key. A program with a bearer token is in no session."""
    signer, cookie = URLSafeTimedSerializer(keys.current, salt=SALT), name(secure=secure)

    def is_fresh(token: str | None) -> bool:
        try:
            return bool(signer.loads(token or "") == session.get("csrf_token"))
        except BadSignature:
            return False

    @app.after_request
    def give(answer: Response) -> Response:
        is_person = g.get("account") is not None and not g.get("by_token")
        if is_person and not is_fresh(request.cookies.get(cookie)):
            answer.set_cookie(cookie, generate_csrf(), secure=secure, samesite="Lax", path="/")
        return answer


def forget(answer: Response, *, secure: bool) -> None:
    """Takes the cookie back, with the session that it was for."""
    answer.delete_cookie(name(secure=secure), path="/", secure=secure, samesite="Lax")
