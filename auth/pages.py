"""Sign-in, sign-out, the start, health, and the pages that say why something can not be shown."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, g, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length

from aggregators.domains import DOMAINS
from api.problem import Problem, response
from auth import accounts, guard, membership, throttle
from auth.sessions import ServerSession
from settings import Settings
from storage import context, executive, schema

WRONG = "The e-mail address or the password is wrong."
TOO_MANY = "Too many failed attempts. Try again in 15 minutes."

WORDS = {
    403: ("You can not see this page", "You need a role that you do not hold."),
    404: ("There is no such page", "The address leads nowhere, or to a place that is not yours."),
    500: ("Something went wrong", "The error has been noted. Try again in a moment."),
    503: ("The database does not answer", "Nothing is lost. Try again in a moment."),
}


class SignInForm(FlaskForm):  # type: ignore[misc]
    """E-mail and password."""

    email = EmailField("Email", [InputRequired("Enter your e-mail address."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=200)])


def install(app: Flask, engine: Callable[[], Engine], settings: Settings) -> None:
    """Adds the pages and the error handlers."""
    app.jinja_loader.searchpath.append(str(app.root_path) + "/auth/templates")  # type: ignore[union-attr]
    _sign_in(app, engine, settings)
    _start(app, engine)
    _health(app, engine)
    _errors(app)

    @app.after_request
    def csrf_cookie(answer: Response) -> Response:
        """Dash sends the token back from this cookie. A program with a bearer token is in no session."""
        person = g.get("account") is not None and not g.get("by_token")
        if person and "_csrf_token" not in request.cookies:
            answer.set_cookie(  # type: ignore[attr-defined]
                "_csrf_token", generate_csrf(), secure=settings.is_secure, samesite="Lax", path="/"
            )
        return guard.finish(answer)


def _sign_in(app: Flask, engine: Callable[[], Engine], settings: Settings) -> None:
    @app.route("/login", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        target = guard.local_target(request.values.get("next"))
        form, error = SignInForm(), None
        if current_user.is_authenticated:
            return redirect(target)
        if form.validate_on_submit():
            error = _attempt(engine(), form.email.data or "", form.password.data or "")
            if error is None:
                answer = make_response(redirect(target))
                answer.delete_cookie("_csrf_token")
                return answer
        page = render_template(
            "login.html", form=form, error=error, next=target, organisation=settings.org_name
        )
        return page, 429 if error == TOO_MANY else 401 if error else 200

    @app.route("/logout", methods=["GET", "POST"])
    def logout() -> ResponseReturnValue:
        if request.method == "GET":
            return render_template("logout.html", email=current_user.email)
        logout_user()
        session.clear()
        answer = make_response(redirect("/login"))
        answer.delete_cookie("_csrf_token")
        return answer


def _attempt(engine: Engine, email: str, password: str) -> str | None:
    """Signs the person in under a new session id; the words to show when that fails."""
    account_key, address = email.strip().lower()[:254], request.remote_addr or ""
    if not throttle.begin(engine, account_key, address):
        return TOO_MANY
    account = accounts.authenticate(engine, email, password)
    if account is None:
        return WRONG
    throttle.succeeded(engine, account_key)
    session.clear()
    assert isinstance(session._get_current_object(), ServerSession)  # type: ignore[attr-defined]
    session.rotate()  # type: ignore[attr-defined]
    login_user(account)
    return None


def _start(app: Flask, engine: Callable[[], Engine]) -> None:
    @app.route("/start", endpoint="home")
    def home() -> ResponseReturnValue:
        with context.as_viewer(engine(), current_user.viewer) as connection:
            wide, mine = executive.state(connection), executive.memberships(connection)
        wide_open = [s for s in wide if s.left_out is None] or wide
        executive_page = f"/ws/{wide_open[0].slug}/platform/executive" if wide_open else None
        if mine and (request.args.get("choose") or (not wide and len(mine) > 1)):
            return render_template(
                "workspaces.html",
                mine=mine,
                executive=executive_page,
                domains=DOMAINS,
                managers=membership.MANAGERS,
            )
        if executive_page is not None:
            return redirect(executive_page)
        if mine:
            return redirect(DOMAINS[0].page(mine[0].slug))
        return render_template(
            "message.html",
            title="No workspace yet",
            text="You are not a member of any workspace. Ask an owner to add you.",
            link="/logout",
            link_text="Sign out",
        )


def _health(app: Flask, engine: Callable[[], Engine]) -> None:
    @app.route("/healthz")
    def healthz() -> ResponseReturnValue:
        return "ok\n", 200, {"Content-Type": "text/plain"}

    @app.route("/readyz")
    def readyz() -> ResponseReturnValue:
        try:
            with engine().connect() as connection:
                connection.execute(text("select 1"))
                ready = schema.is_current(connection)
        except OperationalError:
            ready = False
        return ("ready\n" if ready else "not ready\n"), 200 if ready else 503


def _errors(app: Flask) -> None:
    @app.errorhandler(Problem)
    def problem(error: Problem) -> ResponseReturnValue:
        return _said(error)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        return _said(Problem(error.code or 500))

    @app.errorhandler(OperationalError)
    def away(_error: OperationalError) -> ResponseReturnValue:
        return _said(Problem(503, "The database does not answer."))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        app.logger.exception("request %s failed", g.get("request_id"), exc_info=error)
        return _said(Problem(500))


def _said(problem: Problem) -> ResponseReturnValue:
    """As JSON to programs, as a page without layout or number to people."""
    if guard.wants_json():
        return response(problem)
    title, words = WORDS.get(problem.status, ("That did not work", problem.detail or "Try again."))
    page = render_template(
        "message.html",
        title=title,
        text=problem.detail or words,
        code=problem.code,
        request_id=g.get("request_id", ""),
        link="/",
        link_text="Start",
    )
    return page, problem.status
