"""Admin, Members: who belongs to a workspace, and the changes that its managers make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Engine, text

from api.problem import Problem
from auth import membership
from auth.accounts import Account
from auth.granting import Change, change
from auth.membership import NotAllowed
from storage import context, executive
from storage.context import job_in

PATH = "/ws/<slug>/admin/members"


@dataclass(frozen=True, slots=True)
class Member:
    """One active membership."""

    email: str
    name: str
    role: str
    granted_at: datetime


def blueprint(engine: Callable[[], Engine], jobs: Callable[[], Engine]) -> Blueprint:
    """The page and its changes. ``engine`` reads as the person, ``jobs`` writes."""
    made = Blueprint("members", __name__)

    @made.route(PATH, endpoint="page", methods=["GET", "POST"])
    def members(slug: str) -> ResponseReturnValue:
        place = _place(engine(), current_user, slug)
        if request.method == "POST":
            return _changed(jobs(), place)
        return render_template(
            "members.html",
            place=place,
            members=listed(jobs(), place.workspace_id),
            roles=membership.grantable(place.role),
            me=current_user.email,
            token=generate_csrf(),
            said=session.pop("members_said", None),
            asked=request.args.get("revoke", ""),
        )

    return made


def _place(engine: Engine, account: Account, slug: str) -> executive.Membership:
    """The caller's membership there. 404 for strangers, 403 for members who do not manage."""
    with context.as_viewer(engine, account.viewer) as connection:
        mine = {m.slug: m for m in executive.memberships(connection)}
    if slug not in mine:
        abort(404)
    if not membership.manages(mine[slug].role):
        raise Problem(403, "Members are managed by owners, admins and platform admins.")
    return mine[slug]


def _changed(jobs: Engine, place: executive.Membership) -> ResponseReturnValue:
    """Carries a form out, and goes back to the page with what came of it."""
    email = request.form.get("email", "").strip().lower()[:254]
    role = request.form.get("role", "")
    asker = (current_user.id, current_user.email)
    try:
        what = Change(request.form.get("action"))
        where = (place.workspace_id, place.slug)
        said = ["ok", change(jobs, where, what, email, role, asker=asker)]
    except ValueError:
        said = ["error", "Choose what to do: add, change or revoke."]
    except NotAllowed as error:
        said = ["error", str(error)]
    session["members_said"] = said
    return redirect(f"/ws/{place.slug}/admin/members")


def listed(jobs: Engine, workspace_id: int) -> list[Member]:
    """The active members, highest role first."""
    query = text(
        "select u.email, u.name, m.role, m.granted_at from membership m"
        " join app_user u on u.id = m.user_id where m.revoked_at is null and u.is_active"
    )
    with job_in(jobs, workspace_id) as connection:
        found = [Member(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda m: (-membership.ORDER.index(m.role), m.email))
