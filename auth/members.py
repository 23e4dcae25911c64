"""Admin, Members: who belongs to a workspace, and the changes that its managers make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Connection, Engine, text

from api.problem import Problem
from auth import membership
from auth.accounts import Account
from auth.membership import NotAllowed
from storage import audit, context, executive
from storage.context import job_in

PATH = "/ws/<slug>/admin/members"
LOCK = 0x4D656D
UNKNOWN = "There is no account with that address; an operator creates one with user create."


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
    role = None if request.form.get("action") == "revoke" else request.form.get("role", "")
    try:
        said = ["ok", change(jobs, place.workspace_id, place.slug, current_user, email, role)]
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


def change(
    jobs: Engine, workspace_id: int, slug: str, asker: Account, email: str, role: str | None
) -> str:
    """Gives the role (None takes the membership away) and writes it in the audit log, in one
    transaction; the roles are read there, one change at a time. Raises NotAllowed."""
    if role is not None and role not in membership.ORDER:
        raise NotAllowed("Choose a role.")
    with job_in(jobs, workspace_id) as connection:
        connection.execute(
            text("select pg_advisory_xact_lock(:lock, :id)"), {"lock": LOCK, "id": workspace_id}
        )
        user_id = connection.execute(
            text("select id from app_user where email = :e and is_active"), {"e": email}
        ).scalar()
        if user_id is None:
            raise NotAllowed(UNKNOWN)
        before = _role(connection, int(user_id))
        if role is None and before is None:
            raise NotAllowed(f"{email} is no member.")
        owners = connection.execute(
            text("select count(*) from membership where role = 'owner' and revoked_at is null")
        ).scalar_one()
        membership.check(_role(connection, asker.id), before, role, int(owners))
        _write(connection, workspace_id, int(user_id), role)
        action = "revoke" if role is None else "change" if before else "grant"
        details = {"user": email, "before": before, "after": role}
        audit.record(connection, asker.email, f"member.{action}", slug, details)
    return f"{email} is no longer a member." if role is None else f"{email} is now {role}."


def _role(connection: Connection, user_id: int) -> str | None:
    """The active role of a person in the workspace of the context."""
    query = text("select role from membership where user_id = :u and revoked_at is null")
    found = connection.execute(query, {"u": user_id}).scalar()
    return str(found) if found else None


def _write(connection: Connection, workspace_id: int, user_id: int, role: str | None) -> None:
    if role is None:
        statement = "update membership set revoked_at = now() where user_id = :u"
    else:
        statement = (
            "insert into membership (workspace_id, user_id, role) values (:w, :u, :r)"
            " on conflict (workspace_id, user_id) do update"
            " set role = excluded.role, revoked_at = null, granted_at = now()"
        )
    values = {"w": workspace_id, "u": user_id, "r": role}
    used = {k: v for k, v in values.items() if f":{k}" in statement}
    connection.execute(text(statement), used)
