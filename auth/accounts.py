"""Accounts and memberships: who exists, and what an operator changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from addresses import PLAIN
from auth import credentials, granting
from auth.granting import MembershipAction
from auth.membership import NotAllowed
from auth.passwords import hash_password, verify_password
from storage import audit
from storage.context import job_in
from storage.identity import tickets
from storage.identity.proof import Proof
from storage.roles import WORKSPACE_ROLES
from storage.viewer import Viewer

EMAIL = re.compile(rf"{PLAIN}{{1,64}}@{PLAIN}{{1,180}}\.(?:(?!\.){PLAIN}){{2,63}}")
"""Address that an account may have."""
LONGEST_EMAIL, LONGEST_NAME = 254, 120
"""Characters of a person's address and name."""


class AccountError(ValueError):
    """An account or membership that can not be made or changed as asked."""


@dataclass(frozen=True)
class Account:
    """A person, with what flask-login asks of one: commands know accounts and no Flask."""

    id: int
    email: str
    name: str
    password_hash: str | None = field(default=None, repr=False)
    proof: Proof | None = field(default=None, repr=False, compare=False)
    """Credential that they came with."""

    is_active = is_authenticated = True
    is_anonymous = False

    def get_id(self) -> str:
        """The number, as a session keeps it."""
        return str(self.id)

    @property
    def viewer(self) -> Viewer:
        """The one who asks, for everything below the web edge."""
        return Viewer(self.id, self.email, self.name, self.proof)


COLUMNS = "select id, email, name, password_hash from app_user where is_active and "


def by_email(engine: Engine, email: str) -> Account | None:
    """The active account with that address, whatever its case."""
    return _find_account(engine, "email = :x", email.strip().lower()[:LONGEST_EMAIL])


def by_id(engine: Engine, user_id: int) -> Account | None:
    """The active account with that id."""
    return _find_account(engine, "id = :x", user_id)


def on_behalf(engine: Engine, email: str, lasts: timedelta = tickets.HOUR) -> Viewer | None:
    """The active account with that address as the one who asks, by a ticket: for commands, as the
    job role."""
    account = by_email(engine, email)
    if account is None:
        return None
    with engine.begin() as connection:
        return replace(account.viewer, proof=tickets.issue(connection, account.id, lasts))


def authenticate(engine: Engine, email: str, password: str) -> Account | None:
    """The active account with this e-mail and password; None otherwise, after the same work. Turns at it
    take seconds: a password that was changed meanwhile is none any more."""
    account = by_email(engine, email)
    if not verify_password(account.password_hash if account else None, password):
        return None
    now = by_email(engine, email)
    return now if now and account and now.password_hash == account.password_hash else None


def _find_account(engine: Engine, where: str, value: object) -> Account | None:
    """The account that a condition finds; None where there is none."""
    with engine.connect() as connection:
        row = connection.execute(text(COLUMNS + where), {"x": value}).first()
    return Account(*row) if row else None


def create(
    engine: Engine, email: str, password: str, name: str = "", region: str | None = None
) -> int:
    """A new account, as the job role. Raises AccountError, WeakPassword."""
    email, hashed = checked_address(email), hash_password(password)
    with engine.begin() as connection:
        return insert(connection, email, hashed, name, region)


def is_address(email: str) -> bool:
    """Whether an account may have the address."""
    return len(email) <= LONGEST_EMAIL and EMAIL.fullmatch(email) is not None


def checked_address(email: str) -> str:
    """The address as it is kept. Raises AccountError where it is none."""
    email = email.strip().lower()
    if not is_address(email):
        raise AccountError(f"{email!r} is no e-mail address")
    return email


def insert(
    connection: Connection, email: str, hashed: str, name: str, region: str | None = None
) -> int:
    """A new account within the caller's transaction. Raises AccountError."""
    values = {"e": email, "n": name, "r": region, "h": hashed}
    try:
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
    """A new password; every session and token of the account ends. Raises AccountError, WeakPassword."""
    email = email.strip().lower()
    hashed = hash_password(password)
    with engine.begin() as connection:
        user_id = _id_of(connection, email)
        _write_password(connection, user_id, hashed)
        audit.record(connection, granting.OPERATOR, "user.password", email, {})


def change_password(engine: Engine, viewer: Viewer, old: str, new: str) -> None:
    """The person's own password, with the one before it; every session and token of theirs ends. Raises
    AccountError where ``old`` is wrong, WeakPassword."""
    account = by_email(engine, viewer.email)
    if account is None or not verify_password(account.password_hash, old):
        raise AccountError("That is not your password.")
    hashed = hash_password(new)
    with engine.begin() as connection:
        _write_password(connection, viewer.user_id, hashed)
        audit.record(connection, viewer.email, "user.password", viewer.email, {})


def _write_password(connection: Connection, user_id: int, hashed: str) -> None:
    connection.execute(
        text("update app_user set password_hash = :h, password_changed_at = now() where id = :id"),
        {"h": hashed, "id": user_id},
    )
    credentials.end_all(connection, user_id)


def set_active(engine: Engine, email: str, *, is_active: bool) -> None:
    """Lets an account in, or no longer: then every session and token of it ends for good, and comes not
    back with the account. Raises AccountError."""
    email = email.strip().lower()
    with engine.begin() as connection:
        user_id = _id_of(connection, email)
        connection.execute(
            text("update app_user set is_active = :active where id = :id"),
            {"active": is_active, "id": user_id},
        )
        if not is_active:
            credentials.end_all(connection, user_id)
        action = "user.activate" if is_active else "user.deactivate"
        audit.record(connection, granting.OPERATOR, action, email, {})


def _id_of(connection: Connection, email: str) -> int:
    """Id of the account, active or not. Raises AccountError."""
    user_id = connection.execute(
        text("select id from app_user where email = :e"), {"e": email}
    ).scalar()
    if user_id is None:
        raise AccountError(f"there is no account {email}")
    return int(user_id)


def id_of(engine: Engine, email: str) -> int:
    """Id of the account, active or not. Raises AccountError."""
    with engine.connect() as connection:
        return _id_of(connection, email.strip().lower())


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """State of an account that its person is shown."""

    has_password: bool
    password_changed_at: datetime
    second_factor_at: datetime | None
    recovery_codes: int


def details(engine: Engine, user_id: int) -> AccountDetails:
    """State of one's own account."""
    query = text(
        "select password_hash is not null, password_changed_at, totp_confirmed_at,"
        " (select count(*) from recovery_code c where c.user_id = u.id and used_at is null)"
        " from app_user u where id = :id"
    )
    with engine.connect() as connection:
        return AccountDetails(*connection.execute(query, {"id": user_id}).one())


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account as an operator sees it."""

    email: str
    name: str
    is_active: bool
    has_second_factor: bool
    seen_at: datetime | None


def list_accounts(engine: Engine) -> list[ListedAccount]:
    """Every account, by address. ``seen_at`` is of sessions that still stand."""
    query = text(
        "select email, name, is_active, totp_confirmed_at is not null,"
        " (select max(seen_at) from web_session s where s.user_id = u.id) from app_user u order by email"
    )
    with engine.connect() as connection:
        return [ListedAccount(*row) for row in connection.execute(query)]


def grant(engine: Engine, email: str, slug: str, role: str) -> None:
    """Gives a role in a workspace, replacing the one held. Raises AccountError."""
    if role not in WORKSPACE_ROLES:
        raise AccountError(f"there is no role {role}; it takes one of {', '.join(WORKSPACE_ROLES)}")
    _operate(engine, email, slug, MembershipAction.GIVE, role)


def revoke(engine: Engine, email: str, slug: str) -> None:
    """Ends a membership with the next statement of anyone's. Raises AccountError."""
    _operate(engine, email, slug, MembershipAction.REVOKE, None)


def _operate(
    engine: Engine, email: str, slug: str, action: MembershipAction, role: str | None
) -> None:
    _, workspace_id = _user_and_workspace_ids(engine, email, slug)
    try:
        granting.change(engine, (workspace_id, slug), action, email.strip().lower(), role)
    except NotAllowed as error:
        raise AccountError(str(error)) from error


def _user_and_workspace_ids(engine: Engine, email: str, slug: str) -> tuple[int, int]:
    """Numbers of an account and a workspace. Raises AccountError."""
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
    user_id, workspace_id = _user_and_workspace_ids(engine, email, slug)
    with job_in(engine, workspace_id) as connection:
        role = granting.active_role(connection, user_id)
    if role not in roles:
        raise AccountError(f"{email} is none of {', '.join(roles)} in {slug}")
