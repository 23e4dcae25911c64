"""Accounts and memberships: who exists, and what an operator changes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_login import UserMixin
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from auth import granting
from auth.granting import Change
from auth.membership import NotAllowed
from auth.passwords import hash_password, verify_password
from auth.viewer import Viewer
from storage import audit
from storage.context import job_in
from storage.models import ROLES

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,}")


class AccountError(ValueError):
    """An account or membership that can not be made or changed as asked."""


@dataclass(frozen=True)
class Account(UserMixin):
    """A person as flask-login knows them."""

    id: int
    email: str
    name: str
    password_hash: str | None

    @property
    def viewer(self) -> Viewer:
        """The one who asks, for everything below the web edge."""
        return Viewer(self.id, self.email, self.name)


COLUMNS = "select id, email, name, password_hash from app_user where is_active and "


def by_email(engine: Engine, email: str) -> Account | None:
    """The active account with that address, whatever its case."""
    return _one(engine, "email = :x", email.strip().lower()[:254])


def by_id(engine: Engine, user_id: int) -> Account | None:
    """The active account with that id."""
    return _one(engine, "id = :x", user_id)


def authenticate(engine: Engine, email: str, password: str) -> Account | None:
    """The active account with this e-mail and password; None otherwise, after the same work."""
    account = by_email(engine, email)
    right = verify_password(account.password_hash if account else None, password)
    return account if right else None


def _one(engine: Engine, where: str, value: object) -> Account | None:
    with engine.connect() as connection:
        row = connection.execute(text(COLUMNS + where), {"x": value}).first()
    return Account(*row) if row else None


def create(
    engine: Engine, email: str, password: str, name: str = "", region: str | None = None
) -> int:
    """A new account, as the job role. Raises AccountError, WeakPassword."""
    email = email.strip().lower()
    if not EMAIL.fullmatch(email):
        raise AccountError(f"{email!r} is no e-mail address")
    values = {"e": email, "n": name, "r": region, "h": hash_password(password)}
    try:
        with engine.begin() as connection:
            made = connection.execute(
                text(
                    "insert into app_user (email, name, home_region, password_hash)"
                    " values (:e, :n, :r, :h) returning id"
                ),
                values,
            )
            return int(made.scalar_one())
    except IntegrityError as error:
        raise AccountError(f"{email} exists already") from error


def set_password(engine: Engine, email: str, password: str) -> None:
    """A new password; every session that began before it ends. Raises AccountError, WeakPassword."""
    email = email.strip().lower()
    values = {"e": email, "h": hash_password(password)}
    with engine.begin() as connection:
        changed = connection.execute(
            text(
                "update app_user set password_hash = :h, password_changed_at = now()"
                " where email = :e"
            ),
            values,
        )
        if not changed.rowcount:
            raise AccountError(f"there is no account {email}")
        audit.record(connection, granting.OPERATOR, "user.password", email, {})


def grant(engine: Engine, email: str, slug: str, role: str) -> None:
    """Gives a role in a workspace, replacing the one held. Raises AccountError."""
    if role not in ROLES:
        raise AccountError(f"there is no role {role}; it takes one of {', '.join(ROLES)}")
    _operate(engine, email, slug, Change.GIVE, role)


def revoke(engine: Engine, email: str, slug: str) -> None:
    """Ends a membership with the next statement of anyone's. Raises AccountError."""
    _operate(engine, email, slug, Change.REVOKE, None)


def _operate(engine: Engine, email: str, slug: str, what: Change, role: str | None) -> None:
    _, workspace_id = _ids(engine, email, slug)
    try:
        granting.change(engine, (workspace_id, slug), what, email.strip().lower(), role)
    except NotAllowed as error:
        raise AccountError(str(error)) from error


def _ids(engine: Engine, email: str, slug: str) -> tuple[int, int]:
    with engine.connect() as connection:
        user_id = connection.execute(
            text("select id from app_user where email = :e"), {"e": email.strip().lower()}
        ).scalar()
        workspace_id = connection.execute(
            text("select id from workspace where slug = :s"), {"s": slug}
        ).scalar()
    if user_id is None:
        raise AccountError(f"there is no account {email}")
    if workspace_id is None:
        raise AccountError(f"there is no workspace {slug}")
    return int(user_id), int(workspace_id)


def require_member(engine: Engine, email: str, slug: str, roles: tuple[str, ...]) -> None:
    """Raises AccountError unless the account holds one of the roles in the workspace."""
    user_id, workspace_id = _ids(engine, email, slug)
    with job_in(engine, workspace_id) as connection:
        role = connection.execute(
            text("select role from membership where user_id = :u and revoked_at is null"),
            {"u": user_id},
        ).scalar()
    if role not in roles:
        raise AccountError(f"{email} is none of {', '.join(roles)} in {slug}")
