"""Who may send events into a workspace: the holder of a token of that workspace alone, or a sender
whose signature fits a secret that was left with such a token."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Engine, text

from auth import tokens
from auth.accounts import Account, by_id
from storage import context, executive
from storage.records.formats.form import Signed

SENDERS = ("platform_admin", "owner", "admin", "approver", "engineer")
"""Roles whose tokens may write; a viewer's may not."""


def scope(slug: str) -> str:
    """The scope of a token for a workspace's events."""
    return f"ingest:{slug}"


def sealed(secret_key: str, secret: str) -> bytes:
    """A sender's secret as it is stored: encrypted under VIGILO_SECRET_KEY."""
    return _box(secret_key).encrypt(secret.encode())


def _box(secret_key: str) -> Fernet:
    key = hashlib.sha256(b"vigilo signing secrets" + secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def by_token(engine: Engine, token: str, slug: str) -> Account | None:
    """Whose token it is, when it is one for this workspace and its holder may still write there."""
    account = tokens.holder(engine, token, scope(slug))
    return account if account and _may_write(engine, account, slug) else None


def by_signature(
    engine: Engine, signed: Signed, given: str, body: bytes, slug: str, secret_key: str
) -> Account | None:
    """Whose secret signed the body, in constant time per secret; None when none did."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select user_id, signing_secret from api_token where signing_secret is not null"
                " and revoked_at is null and (expires_at is null or expires_at > now())"
                " and :scope = any(scopes)"
            ),
            {"scope": scope(slug)},
        ).all()
    for user_id, stored in found:
        try:
            secret = _box(secret_key).decrypt(bytes(stored))
        except InvalidToken:  # sealed under a former VIGILO_SECRET_KEY: opens nothing
            continue
        if signed.verify(body, given, secret):
            account = by_id(engine, user_id)
            return account if account and _may_write(engine, account, slug) else None
    return None


def _may_write(engine: Engine, account: Account, slug: str) -> bool:
    with context.as_viewer(engine, account.viewer) as connection:
        place, _ = executive.membership(connection, slug)
    return place is not None and place.role in SENDERS
