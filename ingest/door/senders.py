"""Senders that may send events into a workspace: the holder of a token of that workspace alone, or a sender
whose signature fits a secret that was left with such a token."""

from __future__ import annotations

from cryptography.fernet import InvalidToken
from sqlalchemy import Engine, text

from auth import tokens
from auth.accounts import Account, by_id
from auth.granting import active_role
from auth.secret_key import Keys
from ingest.formats.form import Signed
from storage.context import active_workspace, job_in

SENDERS = ("platform_admin", "owner", "admin", "approver", "engineer")
"""Roles whose tokens may write; a viewer's may not."""
PURPOSE = "vigilo signing secrets"
"""Name of the seals of their secrets."""


def scope(slug: str) -> str:
    """The scope of a token for a workspace's events."""
    return f"ingest:{slug}"


def seal_secret(keys: Keys, secret: str) -> bytes:
    """A sender's secret as it is stored: encrypted under VIGILO_SECRET_KEY."""
    return keys.box(PURPOSE).encrypt(secret.encode())


def by_token(jobs: Engine, token: str, slug: str) -> Account | None:
    """Account whose token this is, where it is one for this workspace and its holder may still write
    there."""
    account = tokens.holder(jobs, token, scope(slug))
    return account if account and _may_write(jobs, account, slug) else None


def by_signature(
    jobs: Engine, signed: Signed, given: str, body: bytes, slug: str, keys: Keys
) -> Account | None:
    """Account whose secret signed the body, compared in constant time for each secret; None when none
    did."""
    with jobs.connect() as connection:
        secrets = connection.execute(
            text(
                "select user_id, signing_secret from vigilo.live_token"
                " where signing_secret is not null and :scope = any(scopes)"
            ),
            {"scope": scope(slug)},
        ).all()
    for user_id, stored in secrets:
        try:
            secret = keys.box(PURPOSE).decrypt(bytes(stored))
        except InvalidToken:  # sealed under a key that is no longer kept: opens nothing
            continue
        if signed.verify(body, given, secret):
            account = by_id(jobs, user_id)
            return account if account and _may_write(jobs, account, slug) else None
    return None


def _may_write(jobs: Engine, account: Account, slug: str) -> bool:
    """Whether they hold a role of SENDERS there now. A sender's secret says who it is to this process, not
    to the database: the job role, which writes what they send, looks it up."""
    with jobs.connect() as connection:
        workspace = active_workspace(connection, slug)
    if workspace is None:
        return False
    with job_in(jobs, workspace) as connection:
        return active_role(connection, account.id) in SENDERS
