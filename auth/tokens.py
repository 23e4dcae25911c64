"""API tokens: shown once, stored hashed, scoped, expiring, revocable."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import Engine, text

from auth.accounts import Account, AccountError, by_id

PREFIX = "vgl_"
EXECUTIVE_READ = "executive:read"


def create(
    engine: Engine,
    email: str,
    days: int = 365,
    scope: str = EXECUTIVE_READ,
    signing_secret: bytes | None = None,
) -> str:
    """A new token for an account, as the job role; only its hash is kept. ``signing_secret`` is that
    of a sender, sealed. Raises AccountError."""
    token = PREFIX + secrets.token_urlsafe(32)
    with engine.begin() as connection:
        made = connection.execute(
            text(
                "insert into api_token (user_id, token_hash, expires_at, scopes, signing_secret)"
                " select id, :hash, now() + make_interval(days => :days), array[:scope], :secret"
                " from app_user"
                " where email = :email and is_active"
            ),
            {
                "hash": _hash(token),
                "days": days,
                "email": email.strip().lower(),
                "scope": scope,
                "secret": signing_secret,
            },
        )
        if not made.rowcount:
            raise AccountError(f"there is no active account {email}")
    return token


def holder(engine: Engine, token: str, scope: str = EXECUTIVE_READ) -> Account | None:
    """Whose token it is, when it is valid and has the scope."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    with engine.begin() as connection:
        row = connection.execute(
            text(
                "update api_token set last_used_at = now() where token_hash = :hash"
                " and revoked_at is null and (expires_at is null or expires_at > now())"
                " and :scope = any(scopes) returning user_id"
            ),
            {"hash": _hash(token), "scope": scope},
        ).first()
    return by_id(engine, row[0]) if row else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
