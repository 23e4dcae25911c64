"""Admin, Members: people of a workspace, and the changes that its managers make."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, abort, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine
from wtforms import EmailField, SelectField, StringField
from wtforms.validators import AnyOf, InputRequired, Length

from aggregators.vocabulary.fields import SLUG
from auth import membership
from auth.accounts import LONGEST_EMAIL, Account
from auth.granting import Member, MembershipAction, change, members
from auth.joining import invitations
from auth.membership import NotAllowed
from settings import Settings
from storage import context
from storage.context import job_in
from storage.executive import memberships
from web.forms import PageForm
from web.operation import Json, Operation, Outcome
from web.people.inviting import Inviting
from web.problem import Problem

PATH = "/ws/<slug>/admin/members"


REFUSED = "refused"
ACTIONS = ("add", "change", "revoke", "resend", "withdraw")
"""Changes of memberships, and of invitations that are open."""


class MemberForm(PageForm):
    """A change of one person's membership, or of their invitation."""

    action = StringField(
        validators=[
            AnyOf(ACTIONS, f"Choose what to do: {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.")
        ],
    )
    email = EmailField(
        "E-mail",
        [InputRequired("Enter an e-mail address."), Length(max=LONGEST_EMAIL)],
        filters=[lambda typed: (typed or "").strip().lower()],
    )
    role = SelectField("Role", choices=membership.ORDER, validate_choice=False)


WORKSPACE: Mapping[str, Json] = {
    "slug": {"type": "string", "pattern": SLUG, "minLength": 3, "maxLength": 30}
}
PAGE = Operation(
    "membersPage",
    "Page of a workspace's members, for its managers",
    {200: Outcome("The page", "text/html")},
    path=WORKSPACE,
    problems=(403, 404),
)
CHANGE = Operation(
    "changeMember",
    "Add or invite a member, change or revoke a role, resend or withdraw an invitation",
    {302: Outcome("Done, or what is wrong is said on the page", headers=("Location",))},
    form=MemberForm,
    path=WORKSPACE,
    problems=(404,),
)


def blueprint(
    engine: Callable[[], Engine], jobs: Callable[[], Engine], settings: Settings
) -> Blueprint:
    """The page and its changes. ``engine`` reads as the person, ``jobs`` writes."""
    made = Blueprint("members", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(slug: str) -> ResponseReturnValue:
        workspace = managed_membership(engine(), current_user, slug)
        roles = membership.grantable_roles(workspace.role)
        return render_template(
            "members.html",
            workspace=workspace,
            members=list_members(jobs(), workspace.workspace_id),
            invited=invitations.open_in(jobs(), workspace.workspace_id),
            zone=settings.zone,
            roles=roles,
            form_for=lambda role=None: _form(roles, role),
            me=current_user.email,
            **_outcome_and_form(roles),
            revoking=request.args.get("revoke", ""),
            every_role=membership.ORDER[::-1],
            rights=membership.RIGHTS,
        )

    @made.post(PATH, endpoint="change")
    @CHANGE
    def change_member(slug: str) -> ResponseReturnValue:
        workspace = managed_membership(engine(), current_user, slug)
        session["members_outcome"] = _carry_out(jobs(), workspace, MemberForm(), settings)
        return redirect(f"/ws/{slug}/admin/members")

    return made


def _outcome_and_form(roles: tuple[str, ...]) -> Mapping[str, object]:
    """Outcome of the last change, and the form of a new member, with what was typed where it failed."""
    outcome = session.pop("members_outcome", None)
    is_refused = outcome and outcome[0] == REFUSED
    wrong, email, role = outcome[1:] if is_refused else ("", "", None)
    return {"outcome": outcome, "wrong": wrong, "adding": _form(roles, role, email)}


def _form(roles: tuple[str, ...], role: str | None, email: str = "") -> MemberForm:
    """Form with the roles that the caller may give, one of them chosen."""
    form = MemberForm(formdata=None, data={"role": role, "email": email})
    form.role.choices = [(each, membership.in_words(each)) for each in roles]
    return form


def managed_membership(engine: Engine, account: Account, slug: str) -> memberships.Membership:
    """The caller's membership there. 404 for strangers, 403 for members who do not manage."""
    with context.as_viewer(engine, account.viewer) as connection:
        mine = {m.slug: m for m in memberships.memberships(connection)}
    if slug not in mine:
        abort(404)
    if not membership.manages(mine[slug].role):
        raise Problem(403, "Members are managed by owners, admins and platform admins.")
    return mine[slug]


def _carry_out(
    jobs: Engine, workspace: memberships.Membership, form: MemberForm, settings: Settings
) -> tuple[str, ...]:
    """Carries a form out; what came of it, in words, and whether that is an error: with what was typed
    where somebody was to be added."""
    if not form.validate():
        return _refusal(form, str(next(iter(form.errors.values()))[0]))
    email, role = form.email.data, form.role.data
    where, asker = (
        (workspace.workspace_id, workspace.slug),
        (current_user.id, current_user.email),
    )
    door = Inviting(jobs, settings, where, asker)
    try:
        match form.action.data:
            case "add":
                done = door.add(email, role)
            case "resend":
                done = door.again(email)
            case "withdraw":
                done = door.withdraw(email)
            case action:
                done = change(jobs, where, MembershipAction(action), email, role, asker=asker)
    except NotAllowed as error:
        return _refusal(form, str(error))
    return "ok", done


def _refusal(form: MemberForm, why: str) -> tuple[str, ...]:
    """Outcome of a form that was refused; of one that adds somebody with what was typed."""
    if form.action.data == "add":
        return REFUSED, why, form.email.data or "", form.role.data or ""
    return "error", why


def list_members(jobs: Engine, workspace_id: int) -> list[Member]:
    """The active members, highest role first."""
    with job_in(jobs, workspace_id) as connection:
        return members(connection)
