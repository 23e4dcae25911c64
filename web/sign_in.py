"""Sign-in, sign-out, the start, and the pages that say why something can not be shown."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user
from sqlalchemy import Engine, text
from werkzeug.wrappers import Response
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length

from aggregators.catalogue import DOMAINS
from auth import accounts, membership, second_factor, throttle
from auth.accounts import LONGEST_EMAIL
from auth.passwords import MAX_LENGTH
from auth.provider.linking import ProviderRefused
from settings import Settings
from storage import context
from storage.database import Database
from storage.executive import memberships
from storage.executive.scope import scoped_workspaces
from web import guard
from web.document import theme
from web.forms import PageForm
from web.headers import policy
from web.health import routes
from web.people import attempts, csrf_cookie, entry, second_step
from web.people.attempts import RETRY_SECONDS, TOO_MANY
from web.people.provider import Providers
from web.server.application import ROOT

WRONG = "The e-mail address or the password is wrong."


class SignInForm(PageForm):
    """E-mail and password."""

    email = EmailField(
        "Email", [InputRequired("Enter your e-mail address."), Length(max=LONGEST_EMAIL)]
    )
    password = PasswordField(
        "Password", [InputRequired("Enter your password."), Length(max=MAX_LENGTH)]
    )


def install(
    app: Flask, database: Callable[[], Database], settings: Settings, providers: Providers
) -> None:
    """Adds the pages."""
    app.jinja_loader.searchpath.append(str(app.root_path) + "/web/templates")  # type: ignore[union-attr]
    _sign_in(app, database, settings, providers)
    _sign_out(app, settings, providers)
    _by_provider(app, settings, providers)
    second_step.install(app, lambda: database().job, settings)
    _start(app, database)
    routes.install(app, database, settings)

    @app.after_request
    def finish(answer: Response) -> Response:
        return guard.finish(answer)


def _sign_in(
    app: Flask, database: Callable[[], Database], settings: Settings, providers: Providers
) -> None:
    """Adds signing in by password."""

    @app.route("/login", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        target = guard.local_target(request.values.get("next"))
        form, error = SignInForm(meta={"csrf": True}), None  # the gate lets everybody in here
        if current_user.is_authenticated:
            return redirect(target)
        if form.validate_on_submit():
            error = _attempt(
                database().job, form.email.data or "", form.password.data or "", target
            )
            if error is None:
                answer = make_response(redirect(second_step.onward(target)))
                csrf_cookie.forget(answer, secure=settings.is_secure)
                return answer
        page = _login_page(providers, form, error, target)
        if error == TOO_MANY:
            return page, 429, {"Retry-After": str(RETRY_SECONDS)}
        return page, 401 if error else 200


def _login_page(providers: Providers, form: SignInForm, error: str | None, target: str) -> str:
    return render_template(
        "login.html", form=form, error=error, next=target, providers=providers.choices
    )


def _sign_out(app: Flask, settings: Settings, providers: Providers) -> None:
    @app.route("/logout", methods=["GET", "POST"])
    def logout() -> ResponseReturnValue:
        elsewhere = providers.sign_out_address()
        if request.method == "GET":
            page = make_response(render_template("logout.html", email=current_user.email))
            if elsewhere:  # browsers hold a form's redirects to the policy of its page
                page.headers["Content-Security-Policy"] = policy(
                    (theme(ROOT / "assets")[1],), form_action=elsewhere
                )
            return page
        logout_user()
        session.clear()
        answer = make_response(redirect(elsewhere or "/login"))
        csrf_cookie.forget(answer, secure=settings.is_secure)
        return answer


def _by_provider(app: Flask, settings: Settings, providers: Providers) -> None:
    """Adds signing in by an identity provider."""

    def refusal_page(error: ProviderRefused) -> ResponseReturnValue:
        form = SignInForm(meta={"csrf": True}, formdata=None)
        return _login_page(providers, form, str(error), "/"), 403

    @app.get("/sign-in/<name>")
    def by_provider(name: str) -> ResponseReturnValue:
        try:
            return providers.begin(name)
        except ProviderRefused as error:
            return refusal_page(error)

    @app.get("/sign-in/<name>/callback")
    def from_provider(name: str) -> ResponseReturnValue:
        try:
            answer = make_response(redirect(providers.finish(name)))
        except ProviderRefused as error:
            return refusal_page(error)
        csrf_cookie.forget(answer, secure=settings.is_secure)
        return answer


def _attempt(jobs: Engine, email: str, password: str, target: str) -> str | None:
    """Signs the person in under a new session id, or has them asked for their second factor; the words to
    show when that fails."""
    who = attempts.throttle_keys(email)
    if throttle.is_closed(jobs, *who):
        return TOO_MANY
    account = accounts.authenticate(jobs, email, password)
    if account is not None and second_factor.is_on(jobs, account.id):
        second_step.ask(
            account, target
        )  # clears no failure: else codes could be guessed without end
        return None
    if not throttle.note_attempt(jobs, *who, is_right=account is not None):
        entry.refuse(jobs, email, "password", "too many failures")
        return TOO_MANY
    if account is None:
        entry.refuse(jobs, email, "password", "wrong")
        return WRONG
    entry.enter(jobs, account, "password")
    return None


def _is_bare(database: Database) -> bool:
    """Whether there is no workspace yet: whoever has the first account makes them."""
    with database.job.connect() as connection:
        return not connection.execute(text("select exists (select from workspace)")).scalar_one()


def _start(app: Flask, database: Callable[[], Database]) -> None:
    """Adds the way to the first page of whoever has signed in."""

    @app.route("/start", endpoint="home")
    def home() -> ResponseReturnValue:
        with context.as_viewer(database().web, current_user.viewer) as connection:
            wide, mine = scoped_workspaces(connection), memberships.memberships(connection)
        wide_open = [s for s in wide if s.left_out is None] or wide
        executive_page = f"/ws/{wide_open[0].slug}/platform/executive" if wide_open else None
        if mine and (request.args.get("choose") or (not wide and len(mine) > 1)):
            return render_template(
                "workspaces.html",
                mine=mine,
                executive=executive_page,
                domains=DOMAINS,
                managers=membership.MANAGERS,
                keepers=membership.KEEPERS,
            )
        if executive_page is not None:
            return redirect(executive_page)
        if mine:
            return redirect(DOMAINS[0].page(mine[0].slug))
        if not mine and _is_bare(database()):
            return redirect("/first-run")
        return render_template(
            "message.html",
            title="No workspace yet",
            text="You are not a member of any workspace. Ask an owner to add you.",
            link="/logout",
            link_text="Sign out",
        )
