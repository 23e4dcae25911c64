"""API tokens: shown once, stored hashed, scoped, expiring, revocable."""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, text

from auth.accounts import Account, AccountError
from auth.granting import OPERATOR
from storage import audit
from storage.identity.proof import Credential, Proof, verifier_of

PREFIX = "vgl_"
EXECUTIVE_READ = "executive:read"
DAYS_OF_A_PERSON, DAYS_BY_COMMAND = (90, 365), (365, 3660)
"""Days that a token lives: those that are offered and the most that may be chosen, on the page of one's own
account and at the command line."""
HINT = 4
"""Characters of a token's end that are kept to know it by: of 43, so that nothing is given away."""


def create(
    engine: Engine,
    email: str,
    days: int = DAYS_BY_COMMAND[0],
    scope: str = EXECUTIVE_READ,
    signing_secret: bytes | None = None,
    *,
    name: str = "",
    actor: str = OPERATOR,
) -> str:
    """A new token for an account, as the job role; only its hash is kept, and its end to know it by.
    ``signing_secret`` is that of a sender, sealed. Raises AccountError."""
    token = PREFIX + secrets.token_urlsafe(32)
    with engine.begin() as connection:
        made = connection.execute(
            text(
                "insert into api_token"
                " (user_id, token_hash, expires_at, scopes, signing_secret, name, hint)"
                " select id, :hash, now() + make_interval(days => :days), array[:scope], :secret,"
                " :name, :hint from app_user where email = :email and is_active"
            ),
            {
                "hash": verifier_of(token),
                "days": days,
                "email": email.strip().lower(),
                "scope": scope,
                "secret": signing_secret,
                "name": name,
                "hint": token[-HINT:],
            },
        )
        if not made.rowcount:
            raise AccountError(f"there is no active account {email}")
        details = {"scope": scope, "name": name, "days": days}
        audit.record(connection, actor, "token.create", email.strip().lower(), details)
    return token


def holder(engine: Engine, token: str, scope: str = EXECUTIVE_READ) -> Account | None:
    """Account of a token that stands and has the scope, as the job role."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    with engine.begin() as connection:
        row = connection.execute(
            text(
                "update api_token t set last_used_at = now() from vigilo.live_token l"
                " where l.token_hash = :hash and t.id = l.id and :scope = any(l.scopes)"
                " returning l.user_id, l.email, l.name"
            ),
            {"hash": verifier_of(token), "scope": scope},
        ).first()
    if row is None:
        return None
    return Account(row.user_id, row.email, row.name, proof=Proof.of(Credential.TOKEN, token))
