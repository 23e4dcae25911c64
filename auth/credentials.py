"""Sessions and bearer tokens that stand for a person: listed, ended one by one or all at once.

A changed password, a deactivation and a lost role end every one of them, in the transaction that does so;
what has ended never lives again. All of it as the job role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from storage import audit
from storage.identity.proof import Credential, Proof

HANDLE = "encode(sha256(id_hash), 'hex')"
"""Name of a session that may be shown: from it nobody gets at the cookie, nor at what is stored of it."""
SESSIONS = text(f"""
select {HANDLE}, agent, address, created_at, web_session.seen_at
from web_session join vigilo.live_session using (id_hash)
where web_session.user_id = :user order by web_session.seen_at desc
""")
TOKENS = """
select t.id, u.email, t.name, t.hint, t.scopes, t.created_at, t.expires_at, t.last_used_at,
       t.signing_secret is not null
from api_token t join vigilo.live_token u on u.id = t.id where {} order by t.id
"""
ENDED = (
    "delete from web_session s where not exists"
    " (select from vigilo.live_session l where l.id_hash = s.id_hash)",
    "delete from viewer_ticket t where not exists"
    " (select from vigilo.live_ticket l where l.id_hash = t.id_hash)",
)
REVOKE = text("""
update api_token set revoked_at = now()
where id = :id and revoked_at is null and (cast(:user as bigint) is null or user_id = :user)
""")


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its person sees it. ``handle`` names it and opens nothing."""

    handle: str
    agent: str
    address: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A bearer token that opens something, without the token: ``hint`` is its end."""

    id: int
    email: str
    name: str
    hint: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    is_senders: bool


def handle_of(cookie: str) -> str:
    """Name of the session that a cookie opens."""
    return Proof.of(Credential.SESSION, cookie).handle.hex()


def sessions_of(engine: Engine, user_id: int) -> list[OpenSession]:
    """Sessions that are open, the one that was used last first."""
    with engine.connect() as connection:
        return [OpenSession(*row) for row in connection.execute(SESSIONS, {"user": user_id})]


def tokens_of(engine: Engine, user_id: int | None = None) -> list[KeptToken]:
    """Tokens of a person that open something; of everyone without one."""
    where = "true" if user_id is None else "t.user_id = :user"
    with engine.connect() as connection:
        rows = connection.execute(text(TOKENS.format(where)), {"user": user_id})
        return [KeptToken(*row) for row in rows]


def end_session(engine: Engine, user_id: int, actor: str, handle: str) -> bool:
    """Ends one session of the person; False where they have none of that name."""
    with engine.begin() as connection:
        gone = connection.execute(
            text(f"delete from web_session where user_id = :user and {HANDLE} = :handle"),
            {"user": user_id, "handle": handle},
        ).rowcount
        if gone:
            audit.record(connection, actor, "session.end", handle[:12], {})
    return bool(gone)


def end_sessions(engine: Engine, user_id: int, actor: str, but: str = "") -> int:
    """Ends every session of the person but that of a handle; how many."""
    with engine.begin() as connection:
        gone = connection.execute(
            text(f"delete from web_session where user_id = :user and {HANDLE} <> :but"),
            {"user": user_id, "but": but},
        ).rowcount
        audit.record(connection, actor, "session.end_all", str(user_id), {"sessions": gone})
    return gone


def revoke_token(engine: Engine, id: int, actor: str, user_id: int | None = None) -> bool:
    """Ends a token for good; False where there is none that lives, or it is not the person's."""
    with engine.begin() as connection:
        gone = connection.execute(REVOKE, {"id": id, "user": user_id}).rowcount
        if gone:
            audit.record(connection, actor, "token.revoke", str(id), {})
    return bool(gone)


def end_all(connection: Connection, user_id: int) -> None:
    """Ends every session and token of the person, within the caller's transaction."""
    who = {"user": user_id}
    connection.execute(text("delete from web_session where user_id = :user"), who)
    connection.execute(
        text(
            "update api_token set revoked_at = now() where user_id = :user and revoked_at is null"
        ),
        who,
    )


def forget_ended(engine: Engine) -> int:
    """Deletes sessions and tickets that open nothing any more, for whatever reason; how many."""
    with engine.begin() as connection:
        return sum(connection.execute(text(statement)).rowcount for statement in ENDED)
