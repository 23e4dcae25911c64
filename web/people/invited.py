"""Page behind the link of an invitation: a new account, or a sign-in, and then a place in the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine
from wtforms import PasswordField, StringField
from wtforms.validators import Length

from aggregators.catalogue import DOMAINS
from auth import accounts, throttle
from auth.accounts import LONGEST_NAME, AccountError
from auth.joining import invitations
from auth.joining.invitations import TOKEN, Invitation, InvitationEnded, NoSuchInvitation
from auth.passwords import MAX_LENGTH, MIN_LENGTH, WeakPassword
from settings import Settings
from web.forms import PageForm
from web.operation import Json, Operation, Outcome
from web.people import csrf_cookie, entry
from web.people.attempts import RETRY_SECONDS, TOO_MANY
from web.people.inviting import PATH
from web.people.provider import Providers
from web.problem import Problem

ENDED = (
    "It has expired, was withdrawn, or was used already. Ask whoever invited you to send it again."
)


class JoinForm(PageForm):
    """A new account; for somebody who has one, nothing."""

    name = StringField("Name", [Length(max=LONGEST_NAME)])
    password = PasswordField("Password", [Length(max=MAX_LENGTH)])


LINK: Mapping[str, Json] = {"token": {"type": "string", "pattern": f"^{TOKEN.pattern}$"}}
PAGE = Operation(
    "invitationPage",
    "Page behind the link of an invitation",
    {200: Outcome("The page", "text/html")},
    path=LINK,
    problems=(404, 429),
)
TAKE = Operation(
    "acceptInvitation",
    "Take an invitation, with a new account or with one's own",
    {302: Outcome("Into the workspace", headers=("Location",))},
    form=JoinForm,
    path=LINK,
    problems=(404, 422, 429),
)


def blueprint(jobs: Callable[[], Engine], settings: Settings, providers: Providers) -> Blueprint:
    """The page and its button."""
    made = Blueprint("invitation", __name__)
    pages = InvitedPages(jobs, settings, providers)
    made.add_url_rule(f"{PATH}<token>", "page", PAGE(pages.page), methods=["GET"])
    made.add_url_rule(f"{PATH}<token>", "accept", TAKE(pages.accept), methods=["POST"])
    return made


class InvitedPages:
    """Views of an invited person. Nothing but the button changes anything: mail programs open links."""

    def __init__(
        self, jobs: Callable[[], Engine], settings: Settings, providers: Providers
    ) -> None:
        self._jobs, self._settings, self._providers = jobs, settings, providers

    def page(self, token: str) -> ResponseReturnValue:
        """The invitation, and what its reader has to do."""
        try:
            invitation = self._open_invitation(token)
        except InvitationEnded:
            return _ended_page()
        return self._page(token, invitation, JoinForm(meta={"csrf": True}, formdata=None))

    def accept(self, token: str) -> ResponseReturnValue:
        """Gives the role to whoever is signed in, or to the account that is made."""
        form = JoinForm(meta={"csrf": True})
        try:
            invitation = self._open_invitation(token)
            if not form.validate():
                return self._page(token, invitation, form, str(next(iter(form.errors.values()))[0]))
            if not current_user.is_authenticated:
                return self._join(token, invitation, form)
            if current_user.email != invitation.email:
                return self._page(token, invitation, form, "It was sent to another address.")
            invitations.accept(self._jobs(), token, current_user._get_current_object())
        except InvitationEnded:
            return _ended_page()
        return redirect(DOMAINS[0].page(invitation.workspace[1]))

    def _open_invitation(self, token: str) -> Invitation:
        """The invitation of a link. Raises InvitationEnded, Problem 429 after ten guesses from one address.
        They count as failures of no account: whoever guesses keeps nobody from signing in."""
        network = throttle.network(request.remote_addr or "")
        who = f"invitations from {network}", f"invitations from {network}"
        if throttle.is_closed(self._jobs(), *who):
            raise Problem(429, TOO_MANY, retry_after=RETRY_SECONDS)
        try:
            return invitations.open_invitation(self._jobs(), token)
        except NoSuchInvitation:
            throttle.note_attempt(self._jobs(), *who, is_right=False)
            raise

    def _join(self, token: str, invitation: Invitation, form: JoinForm) -> ResponseReturnValue:
        """Makes the account and signs it in. Raises InvitationEnded."""
        name, password, jobs = form.name.data or "", form.password.data or "", self._jobs()
        try:
            _, id = invitations.join(jobs, token, name.strip(), password)
        except (AccountError, WeakPassword) as error:
            return self._page(token, invitation, form, str(error))
        account = accounts.by_id(jobs, id)
        assert account is not None
        entry.enter(jobs, account, "invitation")
        answer = make_response(redirect(DOMAINS[0].page(invitation.workspace[1])))
        csrf_cookie.forget(answer, secure=self._settings.is_secure)
        return answer

    def _page(
        self, token: str, invitation: Invitation, form: JoinForm, problem: str = ""
    ) -> ResponseReturnValue:
        known = accounts.by_email(self._jobs(), invitation.email)
        page = render_template(
            "invitation.html",
            invitation=invitation,
            form=form,
            problem=problem,
            path=f"{PATH}{token}",
            has_account=known is not None,
            me=current_user.email if current_user.is_authenticated else "",
            shortest=MIN_LENGTH,
            zone=self._settings.zone,
            providers=self._providers.choices,
        )
        return page, 422 if problem else 200


def _ended_page() -> ResponseReturnValue:
    """Page that says that an invitation has ended."""
    page = render_template(
        "message.html",
        title="This invitation has ended",
        text=ENDED,
        link="/",
        link_text="Start",
    )
    return page, 404
