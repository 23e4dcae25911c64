"""Invitations into a workspace: a link in a mail, good once and for a week.

Of the link's secret the hash alone is kept. An invitation is as good as whoever sent it: it gives what they
may give at the moment in which it is taken. Whether its address has an account is told to nobody but
whoever holds the link. All of it as the job role.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, text

from auth import accounts, granting, membership
from auth.accounts import Account
from auth.granting import OPERATOR, MembershipAction
from auth.membership import NotAllowed
from auth.passwords import hash_password
from storage import audit
from storage.context import job_in
from storage.identity.proof import verifier_of

LASTS = timedelta(days=7)
KEPT = timedelta(days=30)
"""An invitation that has ended, or was never taken, is listed or kept so long."""
A_SENDER, AN_ADDRESS = 50, 5
"""Invitations within a day by one person, and to one address."""
TOKEN = re.compile(r"([1-9][0-9]{0,17})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")
COLUMNS = "id, email, role, invited_by, created_at, expires_at, expires_at <= now() as is_expired"
OPEN = text(f"select {COLUMNS} from invitation where ended_at is null order by email")
TAKEN = text(f"select {COLUMNS}, secret_hash, ended_at from invitation where id = :id for update")
INSERT = text("""
insert into invitation (workspace_id, id, email, role, secret_hash, invited_by, expires_at)
values (:workspace, :id, :email, :role, :hash, :by, now() + :lasts)
""")
FORGET = text(
    "delete from invitation where greatest(ended_at, expires_at) < now() - cast(:kept as interval)"
)
END = text("update invitation set ended_at = now() where id = :id")
SENT = text("""
select count(*) filter (where actor = :by), count(*) filter (where details ->> 'user' = :email)
from audit_event where action = 'invitation.send' and at > now() - interval '1 day'
""")


class InvitationEnded(LookupError):
    """A link that opens nothing: expired, withdrawn or taken."""


class NoSuchInvitation(InvitationEnded):
    """A link that was never made: somebody guesses."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that stands, without its secret."""

    workspace: tuple[int, str]
    """Id and slug."""
    workspace_name: str
    id: UUID
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    is_expired: bool


Post = Callable[[Connection, Invitation, str], None]
"""Posts the mail, with the link's token, within the transaction that makes the invitation."""


def send(
    jobs: Engine,
    workspace: tuple[int, str],
    email: str,
    role: str,
    post: Post,
    *,
    asker: tuple[int, str] | None = None,
) -> Invitation:
    """Invites an address, or invites it anew: the former link opens nothing any more. ``asker`` is as for
    ``granting.change``. Raises NotAllowed, AccountError."""
    email = accounts.checked_address(email)
    if role not in membership.ORDER:
        raise NotAllowed("Choose a role.")
    with granting.changing(jobs, workspace[0]) as connection:
        mine = granting.role_of(connection, asker)
        membership.check(mine, None, role, granting.owners(connection))
        by = asker[1] if asker else OPERATOR
        _check_daily_limit(connection, by, email)
        if any(member.email == email for member in granting.members(connection)):
            raise NotAllowed(f"{email} is a member already: change the role in the list.")
        connection.execute(granting.END_INVITATIONS, {"email": email})
        connection.execute(FORGET, {"kept": KEPT})
        made, token = _insert_invitation(connection, workspace, email, role, by)
        audit.record(connection, by, "invitation.send", workspace[1], {"user": email, "role": role})
        post(connection, made, token)
    return made


def _check_daily_limit(connection: Connection, by: str, email: str) -> None:
    """Raises NotAllowed where somebody sends more mails than anybody needs, or one address gets them."""
    own, to_address = connection.execute(SENT, {"by": by, "email": email}).one()
    if own >= A_SENDER or to_address >= AN_ADDRESS:
        raise NotAllowed("Too many invitations for one day. Try again tomorrow.")


def _insert_invitation(
    connection: Connection, workspace: tuple[int, str], email: str, role: str, by: str
) -> tuple[Invitation, str]:
    """A new invitation and the token of its link."""
    id, secret = uuid4(), secrets.token_urlsafe(32)
    values = {"workspace": workspace[0], "id": id, "email": email, "role": role, "by": by}
    connection.execute(INSERT, values | {"hash": verifier_of(secret), "lasts": LASTS})
    row = connection.execute(TAKEN, {"id": id}).one()
    return _invitation_of_row(connection, workspace[0], row), f"{workspace[0]}.{id.hex}.{secret}"


def open_in(jobs: Engine, workspace_id: int) -> list[Invitation]:
    """Invitations of a workspace that were not taken or withdrawn, by address; the expired ones too."""
    with job_in(jobs, workspace_id) as connection:
        return [
            _invitation_of_row(connection, workspace_id, row)
            for row in connection.execute(OPEN).all()
        ]


def withdraw(
    jobs: Engine, workspace: tuple[int, str], email: str, *, asker: tuple[int, str] | None = None
) -> None:
    """Ends an invitation: its link opens nothing any more. Raises NotAllowed."""
    with granting.changing(jobs, workspace[0]) as connection:
        row = _open_for(connection, email)
        mine = granting.role_of(connection, asker)
        membership.check(mine, None, row.role, granting.owners(connection))
        connection.execute(END, {"id": row.id})
        by = asker[1] if asker else OPERATOR
        audit.record(connection, by, "invitation.withdraw", workspace[1], {"user": email})


def role_offered(jobs: Engine, workspace_id: int, email: str) -> str:
    """Role of the invitation of an address, to send it again. Raises NotAllowed."""
    with job_in(jobs, workspace_id) as connection:
        return str(_open_for(connection, email).role)


def _open_for(connection: Connection, email: str) -> Row[tuple[UUID, str]]:
    query = text("select id, role from invitation where email = :email and ended_at is null")
    row = connection.execute(query, {"email": email}).first()
    if row is None:
        raise NotAllowed(f"There is no open invitation of {email}.")
    return row


def open_invitation(jobs: Engine, token: str) -> Invitation:
    """The invitation that a link's token opens. Raises InvitationEnded."""
    workspace_id, _, _ = _parts(token)
    with job_in(jobs, workspace_id) as connection:
        return _locked_invitation(connection, token)


def accept(jobs: Engine, token: str, account: Account) -> Invitation:
    """Takes an invitation for the account that it was sent to. Raises InvitationEnded."""
    workspace_id, _, _ = _parts(token)
    with granting.changing(jobs, workspace_id) as connection:
        invitation = _locked_invitation(connection, token)
        if invitation.email != account.email:
            raise InvitationEnded("it was sent to another address")
        _take(connection, invitation)
    return invitation


def join(jobs: Engine, token: str, name: str, password: str) -> tuple[Invitation, int]:
    """Makes the account that an invitation was sent to, and takes it; the account's id too. Raises
    InvitationEnded, WeakPassword, AccountError where there is an account."""
    workspace_id, _, _ = _parts(token)
    hashed = hash_password(password)
    with granting.changing(jobs, workspace_id) as connection:
        invitation = _locked_invitation(connection, token)
        user_id = accounts.insert(connection, invitation.email, hashed, name)
        details = {"by": "invitation"}
        audit.record(connection, invitation.email, "user.create", invitation.email, details)
        _take(connection, invitation)
    return invitation, user_id


def is_for(jobs: Engine, token: str, email: str) -> bool:
    """Whether a token opens an invitation of that address."""
    try:
        return open_invitation(jobs, token).email == email
    except InvitationEnded:
        return False


def _parts(token: str) -> tuple[int, UUID, str]:
    matched = TOKEN.fullmatch(token)
    if matched is None:
        raise InvitationEnded("it is no invitation's")
    return int(matched[1]), UUID(matched[2]), matched[3]


def _locked_invitation(connection: Connection, token: str) -> Invitation:
    """The invitation, its row locked. Raises InvitationEnded."""
    workspace_id, id, secret = _parts(token)
    row = connection.execute(TAKEN, {"id": id}).first()
    if row is None or not compare_digest(bytes(row.secret_hash), verifier_of(secret)):
        raise NoSuchInvitation("it was never made")
    if row.ended_at is not None or row.is_expired:
        raise InvitationEnded("it has expired, was withdrawn or was taken")
    return _invitation_of_row(connection, workspace_id, row)


def _invitation_of_row(
    connection: Connection, workspace_id: int, row: Row[tuple[object, ...]]
) -> Invitation:
    """A row with its workspace. Raises InvitationEnded where that is active no more."""
    query = text("select slug, name from workspace where id = :id and is_active")
    workspace = connection.execute(query, {"id": workspace_id}).first()
    if workspace is None:
        raise InvitationEnded("its workspace is not active")
    return Invitation(
        (workspace_id, workspace.slug),
        workspace.name,
        row.id,
        row.email,
        row.role,
        row.invited_by,
        row.created_at,
        row.expires_at,
        row.is_expired,
    )


def _take(connection: Connection, invitation: Invitation) -> None:
    """Gives the role, in the name of whoever sent the invitation, and ends it. Who is a member by now keeps
    what they have. Raises InvitationEnded where the sender may not give it any more."""
    details = {"user": invitation.email, "role": invitation.role, "by": invitation.invited_by}
    asker = None
    if invitation.invited_by != OPERATOR:
        query = text("select id from app_user where email = :email and is_active")
        id = connection.execute(query, {"email": invitation.invited_by}).scalar()
        if id is None:
            raise InvitationEnded("whoever sent it is here no more")
        asker = (int(id), invitation.invited_by)
    try:
        if invitation.email not in {one.email for one in granting.members(connection)}:
            granting.change_within(
                connection,
                invitation.workspace,
                MembershipAction.ADD,
                invitation.email,
                invitation.role,
                asker=asker,
            )
    except NotAllowed as error:
        raise InvitationEnded("whoever sent it may not give that role any more") from error
    connection.execute(END, {"id": invitation.id})
    audit.record(
        connection, invitation.email, "invitation.accept", invitation.workspace[1], details
    )
