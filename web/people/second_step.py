"""The second step of a sign-in: a code, from whoever has shown the right password a moment ago."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, make_response, redirect, render_template, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from auth import accounts, second_factor
from auth.accounts import Account, AccountError
from auth.secret_key import secret_keys
from settings import Settings
from storage.identity.proof import verifier_of
from web import guard
from web.forms import PageForm
from web.people import attempts, csrf_cookie, entry
from web.people.attempts import TOO_MANY, TooManyAttempts

PATH = "/second-factor"
PENDING = "second_step"
PATIENCE_SECONDS = 300


class CodeForm(PageForm):
    """A code of the app, or a recovery code."""

    code = StringField("Code", [InputRequired("Enter the code of your app."), Length(max=40)])


def ask(account: Account, target: str) -> None:
    """Remembers, in the visitor's signed cookie, who has shown the right password. It signs nobody in, and
    is worth nothing once the password is another."""
    session.clear()
    begun = {"id": account.id, "at": int(time.time()), "next": target}
    session[PENDING] = begun | {"with": _mark(account)}


def _mark(account: Account) -> str:
    """Mark of a password, by which another one is told from it and nothing else."""
    return verifier_of(f"second step {account.password_hash}").hex()[:16]


def onward(target: str) -> str:
    """Where the sign-in goes on: to the second step where one is asked for."""
    return PATH if session.get(PENDING) else target


def install(app: Flask, jobs: Callable[[], Engine], settings: Settings) -> None:
    """Adds the page."""

    @app.route(PATH, methods=["GET", "POST"])
    def second_step() -> ResponseReturnValue:
        pending, form, error = _pending(), CodeForm(meta={"csrf": True}), None
        account = accounts.by_id(jobs(), pending["id"]) if pending else None
        if account is None or pending is None or pending.get("with") != _mark(account):
            return redirect("/login")
        if form.validate_on_submit():
            try:
                _pass(jobs(), settings, account, form.code.data or "")
            except (AccountError, TooManyAttempts) as refusal:
                error = str(refusal)
                entry.refuse(jobs(), account.email, "second factor", error)
            else:
                answer = make_response(redirect(guard.local_target(pending["next"])))
                csrf_cookie.forget(answer, secure=settings.is_secure)
                return answer
        page = render_template("second_factor.html", form=form, error=error)
        return page, 429 if error == TOO_MANY else 401 if error else 200


def _pending() -> dict[str, Any] | None:
    """The person who has shown the right password within the last minutes."""
    pending = session.get(PENDING)
    is_fresh = pending is not None and time.time() - pending["at"] < PATIENCE_SECONDS
    return pending if is_fresh else None


def _pass(jobs: Engine, settings: Settings, account: Account, code: str) -> None:
    """Signs the person in by the code. Raises AccountError, TooManyAttempts: codes have six digits, so
    that guesses count as wrong passwords do."""
    with attempts.count_if_wrong(jobs, account.email):
        # The machine's clock: that of the installation may be frozen.
        second_factor.check(jobs, secret_keys(settings), account.id, code, datetime.now(UTC))
    entry.enter(jobs, account, "password and code")
