"""From what a provider says of a person to an account, and to the roles that its groups stand for.

A person is known by issuer and subject. An address links to an account that there is once a provider, and
only where the provider says that it has verified it: whoever can write any address into their profile, or
is given that of somebody who left, would else be them. All of it as the job role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from auth import accounts, credentials
from auth.accounts import LONGEST_EMAIL, LONGEST_NAME, Account, is_address
from storage import audit

KNOWN = text("""
update user_identity i set seen_at = now() from app_user u
where i.issuer = :issuer and i.subject = :subject and u.id = i.user_id
returning u.id, u.email, u.name, u.is_active
""")
BY_ADDRESS = text("select id, email, name, is_active from app_user where email = :email for update")
OTHERS = text(
    "select exists (select from user_identity where issuer = :issuer and user_id = :user)"
)
UNLINK = text("delete from user_identity where user_id = :user")
CREATE = text("""
insert into app_user (email, name) values (:email, :name) on conflict (email) do nothing
returning id, email, name, is_active
""")
LINK = text("""
insert into user_identity (issuer, subject, user_id) values (:issuer, :subject, :user)
""")
LONGEST_SUBJECT = 255
CAPITALS = {ord(letter): letter.lower() for letter in ascii_uppercase}
"""Letters of which an address may be in either case. Beyond them lower case makes addresses equal that are
not: the Kelvin sign becomes a k."""
UNFIT = re.compile(r"[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
"""Characters that stand in no name: controls, marks of direction, halves of characters."""


class ProviderRefused(PermissionError):
    """Somebody whom the provider vouches for and who is not let in; the message says why."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """A provider's word on a person: who says so, whom they mean, and what of it is verified."""

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str

    @classmethod
    def of(cls, issuer: str, claims: Mapping[str, Any]) -> Vouched:
        """Reads claims, which are text of others. Raises ProviderRefused without a subject."""
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise ProviderRefused("The provider did not say who you are.")
        if UNFIT.search(subject) or subject != subject.strip():
            raise ProviderRefused("The provider did not say who you are.")
        email = claims.get("email")
        address = email.translate(CAPITALS) if isinstance(email, str) else ""
        is_verified = claims.get("email_verified") is True and _is_address(address)
        return cls(
            issuer, subject, address, is_verified, claim_text(claims.get("name"), LONGEST_NAME)
        )


def _is_address(email: str) -> bool:
    """Whether that is an address as accounts have them, to the letter."""
    return email == email.lower() and not UNFIT.search(email) and is_address(email)


def claim_text(claim: Any, longest: int = LONGEST_EMAIL) -> str:
    """A claim as text that may be kept and shown; empty where it is none."""
    return UNFIT.sub("", claim).strip()[:longest] if isinstance(claim, str) else ""


def account_of(jobs: Engine, vouched: Vouched, *, creates: bool) -> Account:
    """The account of a vouched person; linked, or made where ``creates`` allows it. Raises
    ProviderRefused."""
    try:
        with jobs.begin() as connection:
            row = _linked_before(connection, vouched) or _link(connection, vouched, creates=creates)
    except IntegrityError as error:
        raise ProviderRefused("You signed in twice at once. Try again.") from error
    id, email, name, is_active = row
    if not is_active:
        raise ProviderRefused("Your account here is deactivated.")
    return Account(id, email, name)


def _linked_before(connection: Connection, vouched: Vouched) -> tuple[int, str, str, bool] | None:
    who = {"issuer": vouched.issuer, "subject": vouched.subject}
    row = connection.execute(KNOWN, who).first()
    return (row.id, row.email, row.name, row.is_active) if row else None


def _link(connection: Connection, vouched: Vouched, *, creates: bool) -> tuple[int, str, str, bool]:
    """Links the person to an account by a verified address. Raises ProviderRefused."""
    if not vouched.is_verified:
        raise ProviderRefused("The provider has not verified your e-mail address.")
    who = {"email": vouched.email, "name": vouched.name}
    action = "user.link"
    row = connection.execute(BY_ADDRESS, who).first()
    if row is None and creates:
        row, action = connection.execute(CREATE, who).first(), "user.create"
    if row is None:
        raise ProviderRefused(
            "You have no account here. Ask an owner of your workspace to invite you."
        )
    if row.is_active:
        identity = {"issuer": vouched.issuer, "subject": vouched.subject, "user": row.id}
        if connection.execute(OTHERS, identity).scalar_one():
            raise ProviderRefused(
                "The account with your address is linked to another person at the provider."
                " Ask an operator to unlink it."
            )
        connection.execute(LINK, identity)
        details = {"issuer": vouched.issuer, "subject": vouched.subject}
        audit.record(connection, vouched.email, action, vouched.email, details)
    return row.id, row.email, row.name, row.is_active


def unlink(jobs: Engine, email: str, actor: str) -> int:
    """Takes the links of an account to people at providers away, and ends its sessions and tokens; how
    many links. Raises AccountError."""
    user_id = accounts.id_of(jobs, email)
    with jobs.begin() as connection:
        gone = connection.execute(UNLINK, {"user": user_id}).rowcount
        if gone:
            credentials.end_all(connection, user_id)
            audit.record(connection, actor, "user.unlink", email.strip().lower(), {"links": gone})
    return gone
