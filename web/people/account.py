"""Account: a person's own password, second factor, sessions and tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import segno
from flask import Blueprint, g, make_response, redirect, render_template, session
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import Engine
from wtforms import IntegerField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from auth import accounts, credentials, second_factor, tokens
from auth.accounts import Account, AccountError
from auth.passwords import MAX_LENGTH, MIN_LENGTH, WeakPassword
from auth.secret_key import Keys
from auth.sessions import ServerSession
from settings import Settings
from web.forms import PageForm
from web.operation import Operation, Outcome
from web.people import agents, attempts
from web.people.second_step import CodeForm
from web.problem import Problem

MOST_TOKENS = 50


class PasswordForm(PageForm):
    """The password of before and the new one."""

    old = PasswordField("Current password", [InputRequired("Enter your current password.")])
    new = PasswordField(
        "New password",
        [
            InputRequired("Enter a new password."),
            Length(MIN_LENGTH, MAX_LENGTH, f"Between {MIN_LENGTH} and {MAX_LENGTH} characters."),
        ],
    )


class OwnPasswordForm(PageForm):
    """The password of whoever is signed in: a browser that was left open is not enough."""

    password = PasswordField("Your password", [InputRequired("Enter your password.")])


class TokenForm(PageForm):
    """Name and lifetime of a token."""

    name = StringField("Name", [InputRequired("Give it a name."), Length(max=80)])
    days = IntegerField(
        "Days",
        [InputRequired("For how many days?"), NumberRange(1, tokens.DAYS_OF_A_PERSON[1])],
        default=tokens.DAYS_OF_A_PERSON[0],
    )


BACK = {303: Outcome("Done, or what is wrong is said on the page", headers=("Location",))}
PAGE = Operation(
    "accountPage", "Page of one's own account", {200: Outcome("The page", "text/html")}
)
PASSWORD = Operation(
    "changePassword",
    "Change one's own password; every session but this one ends, and every token",
    BACK,
    form=PasswordForm,
)
END = Operation("endSession", "End one of one's own sessions", BACK, problems=(404,))
END_OTHERS = Operation("endOtherSessions", "End every session but this one", BACK)
EVERYWHERE = Operation("signOutEverywhere", "End every session, this one too", BACK)
NEW_TOKEN = Operation(
    "createToken",
    "Make a token that reads what you may see; it is shown once",
    {200: Outcome("The page, with the token", "text/html")} | BACK,
    form=TokenForm,
)
SHOWN = {200: Outcome("The page, with what is shown once", "text/html")} | BACK
ENROL = Operation(
    "enrolSecondFactor", "Make a secret for an authenticator app", SHOWN, form=OwnPasswordForm
)
CONFIRM = Operation(
    "confirmSecondFactor", "Put the second factor in force by a code of it", SHOWN, form=CodeForm
)
RECOVERY = Operation(
    "renewRecoveryCodes",
    "Make new recovery codes; they are shown once",
    SHOWN,
    form=OwnPasswordForm,
)
OFF = Operation("switchSecondFactorOff", "Take the second factor away", BACK, form=OwnPasswordForm)
REVOKE = Operation("revokeToken", "Revoke one of one's own tokens", BACK, problems=(404,))


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """Where a person's own things are looked up and changed, as the job role."""

    jobs: Callable[[], Engine]
    keys: Keys
    settings: Settings

    def page(self, person: Account, **shown_once: Any) -> str:
        """The page; ``shown_once`` is what was just made: a token, an enrolment, recovery codes."""
        jobs, (section, *outcome) = self.jobs(), session.pop("account_outcome", ("",))
        return render_template(
            "account.html",
            me=person,
            zone=self.settings.zone,
            details=accounts.details(jobs, person.id),
            sessions=credentials.sessions_of(jobs, person.id),
            this=_handle(),
            named=agents.browser_and_system,
            tokens=credentials.tokens_of(jobs, person.id),
            told_of=section,
            outcome=outcome,
            password_form=PasswordForm(formdata=None),
            token_form=TokenForm(formdata=None),
            **shown_once,
        )

    def own_password(self, person: Account, given: str) -> None:
        """Raises AccountError unless it is theirs, TooManyAttempts."""
        with attempts.count_if_wrong(self.jobs(), person.email):
            if accounts.authenticate(self.jobs(), person.email, given) is None:
                raise AccountError("That is not your password.")


def blueprint(jobs: Callable[[], Engine], keys: Keys, settings: Settings) -> Blueprint:
    """The page and its forms."""
    made, desk = Blueprint("account", __name__), AccountDesk(jobs, keys, settings)

    @made.get("/account")
    @PAGE
    def page() -> ResponseReturnValue:
        return desk.page(g.account)

    @made.post("/account/password")
    @PASSWORD
    def password() -> ResponseReturnValue:
        return _back_to_account(*_change_password(jobs(), g.account, PasswordForm()), "password")

    _sessions(made, jobs)
    _tokens(made, desk)
    _second_factor(made, desk)
    return made


def _sessions(made: Blueprint, jobs: Callable[[], Engine]) -> None:
    """Adds the routes that end one's own sessions."""

    @made.post("/account/sessions/<handle>/end")
    @END
    def end(handle: str) -> ResponseReturnValue:
        if not credentials.end_session(jobs(), g.account.id, g.account.email, handle):
            raise Problem(404)
        return _back_to_account("ok", "That session has ended.", "sessions")

    @made.post("/account/sessions/end-others")
    @END_OTHERS
    def end_others() -> ResponseReturnValue:
        count = credentials.end_sessions(jobs(), g.account.id, g.account.email, _handle())
        return _back_to_account("ok", f"{count} other sessions have ended.", "sessions")

    @made.post("/account/sign-out-everywhere")
    @EVERYWHERE
    def everywhere() -> ResponseReturnValue:
        credentials.end_sessions(jobs(), g.account.id, g.account.email)
        session.clear()
        return redirect("/login", 303)


def _tokens(made: Blueprint, desk: AccountDesk) -> None:
    """Adds the routes that make and revoke one's own tokens."""

    @made.post("/account/tokens")
    @NEW_TOKEN
    def new_token() -> ResponseReturnValue:
        form, person, jobs = TokenForm(), g.account, desk.jobs()
        if not form.validate():
            return _back_to_account("error", str(next(iter(form.errors.values()))[0]), "tokens")
        if len(credentials.tokens_of(jobs, person.id)) >= MOST_TOKENS:
            return _back_to_account(
                "error", f"You have {MOST_TOKENS} tokens: revoke one first.", "tokens"
            )
        made_token = tokens.create(
            jobs, person.email, form.days.data, name=form.name.data.strip(), actor=person.email
        )
        # In the answer itself: kept for a further page it would stand in the session's row.
        return make_response(desk.page(person, token=made_token))

    @made.post("/account/tokens/<int:number>/revoke")
    @REVOKE
    def revoke(number: int) -> ResponseReturnValue:
        person = g.account
        if not credentials.revoke_token(desk.jobs(), number, person.email, person.id):
            raise Problem(404)
        return _back_to_account("ok", "The token opens nothing any more.", "tokens")


def _second_factor(made: Blueprint, desk: AccountDesk) -> None:
    @made.post("/account/second-factor/enrol")
    @ENROL
    @_refusals
    def enrol() -> ResponseReturnValue:
        person = _with_password(desk)
        name = desk.settings.organisation
        made_secret = second_factor.enrol(desk.jobs(), desk.keys, person.viewer, name)
        picture = segno.make(made_secret.address).svg_inline(scale=4, border=2, light="#fff")
        return desk.page(person, enrolment=made_secret, picture=Markup(picture))  # noqa: S704 - segno's

    @made.post("/account/second-factor/confirm")
    @CONFIRM
    @_refusals
    def confirm() -> ResponseReturnValue:
        person, jobs, form = g.account, desk.jobs(), CodeForm()
        if not form.validate():
            raise AccountError("Enter the code that your app shows.")
        with attempts.count_if_wrong(jobs, person.email):
            codes = second_factor.confirm(
                jobs, desk.keys, person.viewer, form.code.data, datetime.now(UTC)
            )
        return desk.page(person, codes=codes)

    @made.post("/account/second-factor/codes")
    @RECOVERY
    @_refusals
    def recovery_codes() -> ResponseReturnValue:
        person = _with_password(desk)
        if not second_factor.is_on(desk.jobs(), person.id):
            raise AccountError("No second factor is on.")
        return desk.page(person, codes=second_factor.renew_codes(desk.jobs(), person.viewer))

    @made.post("/account/second-factor/off")
    @OFF
    @_refusals
    def switch_off() -> ResponseReturnValue:
        person = _with_password(desk)
        second_factor.switch_off(desk.jobs(), person.id, person.email)
        return _back_to_account("ok", "Your password alone signs you in now.", "second-factor")


def _refusals(view: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """View whose refusals are said beside the second factor."""

    @wraps(view)
    def answer_or_refusal() -> ResponseReturnValue:
        try:
            return view()
        except (AccountError, attempts.TooManyAttempts) as error:
            return _back_to_account("error", str(error), "second-factor")

    return answer_or_refusal


def _with_password(desk: AccountDesk) -> Account:
    """Whoever is signed in, when the form holds their password. Raises AccountError, TooManyAttempts."""
    form, person = OwnPasswordForm(), g.account
    if not form.validate():
        raise AccountError("Enter your password.")
    desk.own_password(person, form.password.data)
    return person  # type: ignore[no-any-return]


def _change_password(jobs: Engine, person: Account, form: PasswordForm) -> tuple[str, str]:
    """Changes the password; what came of it. This browser goes on under a new session."""
    if not form.validate():
        return "error", str(next(iter(form.errors.values()))[0])
    try:
        with attempts.count_if_wrong(jobs, person.email):
            accounts.change_password(jobs, person.viewer, form.old.data, form.new.data)
    except (AccountError, WeakPassword, attempts.TooManyAttempts) as error:
        return "error", str(error)
    current = session._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(current, ServerSession)
    current.rotate()
    return "ok", "Your password is changed. Your other sessions and every token have ended."


def _handle() -> str:
    """Name of this browser's session."""
    return credentials.handle_of(session.id or "")  # type: ignore[attr-defined]


def _back_to_account(kind: str, words: str, section: str) -> ResponseReturnValue:
    """The way back to a section of the page, where the outcome is told."""
    session["account_outcome"] = (section, kind, words)
    return redirect(f"/account#{section}", 303)
