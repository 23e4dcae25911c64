"""Memberships given, changed and taken: one at a time per workspace, by the rules, with an audit entry."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Connection, Engine, text

from auth import membership
from auth.membership import NotAllowed
from storage import audit
from storage.context import job_in

LOCK = 0x4D656D
UNKNOWN = "There is no account with that address; an operator creates one with user create."
OPERATOR = "operator"
"""The actor of what is done on the command line."""


class Change(Enum):
    """What is wanted. Said, not concluded: a page may be older than the membership that it shows."""

    ADD = "add"
    CHANGE = "change"
    REVOKE = "revoke"
    GIVE = "give"
    """Adds or changes, whichever it is: for the command line."""


def change(
    jobs: Engine,
    place: tuple[int, str],
    what: Change,
    email: str,
    role: str | None = None,
    *,
    asker: tuple[int, str] | None = None,
) -> str:
    """Does it in one transaction in which the roles are read as well, and says what was done.

    ``place`` is a workspace's id and slug, ``asker`` the id and address of who wants it; without one it is
    the operator, who is bound by the last owner alone. Raises NotAllowed.
    """
    workspace_id, slug = place
    if what is Change.REVOKE:
        role = None
    elif role not in membership.ORDER:
        raise NotAllowed("Choose a role.")
    with job_in(jobs, workspace_id) as connection:
        connection.execute(
            text("select pg_advisory_xact_lock(:lock, :id)"), {"lock": LOCK, "id": workspace_id}
        )
        user_id, before = _person(connection, email)
        _demand(what, email, before)
        mine = _role(connection, asker[0]) if asker else membership.PLATFORM_ADMIN
        membership.check(mine, before, role, _owners(connection))
        if before == role:
            return f"{email} is {role} already."
        _write(connection, workspace_id, user_id, role)
        done = "revoke" if role is None else "change" if before else "grant"
        details = {"user": email, "before": before, "after": role}
        actor = asker[1] if asker else OPERATOR
        audit.record(connection, actor, f"member.{done}", slug, details)
    return f"{email} is no longer a member." if role is None else f"{email} is now {role}."


def _demand(what: Change, email: str, before: str | None) -> None:
    """Raises NotAllowed where the membership is not what the asker saw."""
    if what is Change.ADD and before is not None:
        raise NotAllowed(f"{email} is a member already, as {before}: change the role in the list.")
    if what is Change.CHANGE and before is None:
        raise NotAllowed(f"{email} is no longer a member: add them again.")
    if what is Change.REVOKE and before is None:
        raise NotAllowed(f"{email} is no member.")


def _person(connection: Connection, email: str) -> tuple[int, str | None]:
    """Id and active role. Raises NotAllowed where there is no such account."""
    found = connection.execute(
        text("select id from app_user where email = :e and is_active"), {"e": email}
    ).scalar()
    if found is None:
        raise NotAllowed(UNKNOWN)
    return int(found), _role(connection, int(found))


def _owners(connection: Connection) -> int:
    query = text("select count(*) from membership where role = 'owner' and revoked_at is null")
    return int(connection.execute(query).scalar_one())


def _role(connection: Connection, user_id: int) -> str | None:
    """The active role of a person in the workspace of the context."""
    query = text("select role from membership where user_id = :u and revoked_at is null")
    found = connection.execute(query, {"u": user_id}).scalar()
    return str(found) if found else None


def _write(connection: Connection, workspace_id: int, user_id: int, role: str | None) -> None:
    if role is None:
        connection.execute(
            text("update membership set revoked_at = now() where user_id = :u"), {"u": user_id}
        )
        return
    connection.execute(
        text(
            "insert into membership (workspace_id, user_id, role) values (:w, :u, :r)"
            " on conflict (workspace_id, user_id) do update"
            " set role = excluded.role, revoked_at = null, granted_at = now()"
        ),
        {"w": workspace_id, "u": user_id, "r": role},
    )
