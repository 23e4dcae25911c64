"""Memberships given, changed and taken: one at a time per workspace, by the rules, with an audit entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection, Engine, text

from auth import credentials, membership
from auth.membership import NotAllowed
from storage import audit
from storage.context import job_in

LOCK = 0x4D656D
UNKNOWN = "There is no account with that address; an operator creates one with user create."
END_INVITATIONS = text(
    "update invitation set ended_at = now() where email = :email and ended_at is null"
)
MEMBERS = text("""
select u.email, u.name, m.role, m.granted_at from membership m join app_user u on u.id = m.user_id
where m.revoked_at is null and u.is_active
""")
OPERATOR = "operator"
"""The actor of what is done on the command line."""


@dataclass(frozen=True, slots=True)
class Member:
    """Person who belongs to a workspace: with a role that was not revoked and an account that is active."""

    email: str
    name: str
    role: str
    granted_at: datetime


class MembershipAction(Enum):
    """Change that is wanted. Named, not concluded: a page may be older than what it shows."""

    ADD = "add"
    CHANGE = "change"
    REVOKE = "revoke"
    GIVE = "give"
    """Adds or changes, whichever it is: for the command line."""


def change(
    jobs: Engine,
    workspace: tuple[int, str],
    action: MembershipAction,
    email: str,
    role: str | None = None,
    *,
    asker: tuple[int, str] | None = None,
    actor: str = OPERATOR,
) -> str:
    """Does it in one transaction in which the roles are read as well, and says what was done.

    ``workspace`` is its id and slug, ``asker`` the id and address of who wants it; without one it is
    the operator (``actor``, where it is something that the operator has set up), who is bound by the last
    owner alone. Raises NotAllowed.
    """
    with changing(jobs, workspace[0]) as connection:
        return change_within(connection, workspace, action, email, role, asker=asker, actor=actor)


@contextmanager
def changing(jobs: Engine, workspace_id: int) -> Iterator[Connection]:
    """A transaction in which nobody else changes who belongs to the workspace."""
    with job_in(jobs, workspace_id) as connection:
        connection.execute(
            text("select pg_advisory_xact_lock(:lock, :id)"), {"lock": LOCK, "id": workspace_id}
        )
        yield connection


def change_within(
    connection: Connection,
    workspace: tuple[int, str],
    action: MembershipAction,
    email: str,
    role: str | None = None,
    *,
    asker: tuple[int, str] | None = None,
    actor: str = OPERATOR,
) -> str:
    """As ``change``, within a transaction of ``changing``. Open invitations of the person end."""
    workspace_id, slug = workspace
    if action is MembershipAction.REVOKE:
        role = None
    elif role not in membership.ORDER:
        raise NotAllowed("Choose a role.")
    user_id, before = _person(connection, email)
    _demand(action, email, before)
    membership.check(role_of(connection, asker), before, role, owners(connection))
    if before == role:
        return f"{email} is {role} already."
    _write_membership(connection, workspace_id, user_id, role)
    connection.execute(END_INVITATIONS, {"email": email})
    if before is not None and membership.is_lower(role, before):
        credentials.end_all(connection, user_id)
    done = "revoke" if role is None else "change" if before else "grant"
    details = {"user": email, "before": before, "after": role}
    audit.record(connection, asker[1] if asker else actor, f"member.{done}", slug, details)
    return f"{email} is no longer a member." if role is None else f"{email} is now {role}."


def _demand(action: MembershipAction, email: str, before: str | None) -> None:
    """Raises NotAllowed where the membership is not what the asker saw."""
    if action is MembershipAction.ADD and before is not None:
        raise NotAllowed(f"{email} is a member already, as {before}: change the role in the list.")
    if action is MembershipAction.CHANGE and before is None:
        raise NotAllowed(f"{email} is no longer a member: add them again.")
    if action is MembershipAction.REVOKE and before is None:
        raise NotAllowed(f"{email} is no member.")


def _person(connection: Connection, email: str) -> tuple[int, str | None]:
    """Id and active role. Raises NotAllowed where there is no such account."""
    user_id = connection.execute(
        text("select id from app_user where email = :e and is_active"), {"e": email}
    ).scalar()
    if user_id is None:
        raise NotAllowed(UNKNOWN)
    return int(user_id), active_role(connection, int(user_id))


def role_of(connection: Connection, asker: tuple[int, str] | None) -> str | None:
    """Role in the workspace of whoever asks for a change; an operator's is the highest."""
    return active_role(connection, asker[0]) if asker else membership.PLATFORM_ADMIN


def owners(connection: Connection) -> int:
    """How many owners the workspace has."""
    return sum(member.role == membership.OWNER for member in members(connection))


def members(connection: Connection) -> list[Member]:
    """Members of the workspace of the context, highest role first."""
    listed = [Member(*row) for row in connection.execute(MEMBERS)]
    return sorted(listed, key=lambda one: (-membership.ORDER.index(one.role), one.email))


def active_role(connection: Connection, user_id: int) -> str | None:
    """The active role of a person in the workspace of the context."""
    query = text("select role from membership where user_id = :u and revoked_at is null")
    role = connection.execute(query, {"u": user_id}).scalar()
    return str(role) if role else None


def _write_membership(
    connection: Connection, workspace_id: int, user_id: int, role: str | None
) -> None:
    """Gives a role in the context's workspace, or revokes it where none is given."""
    if role is None:
        connection.execute(
            text("update membership set revoked_at = now() where user_id = :u"), {"u": user_id}
        )
        return
    connection.execute(
        text(
            "insert into membership (workspace_id, user_id, role) values (:w, :u, :r)"
            " on conflict (workspace_id, user_id) do update"
            " set role = excluded.role, revoked_at = null, granted_at = excluded.granted_at"
        ),
        {"w": workspace_id, "u": user_id, "r": role},
    )
