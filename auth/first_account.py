"""The first account of an installation, made through a link that the start prints and that serves once."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import Connection, Engine, text

from auth import accounts
from auth.secret_key import Keys

LOCK = 0x4669
PURPOSE = b"vigilo first account"


class TooLate(PermissionError):
    """The link is not this installation's, or somebody has an account already."""


def token(keys: Keys) -> str:
    """Token of the link: it follows from the installation's key, and opens nothing once there is an
    account."""
    return hmac.new(keys.current.encode(), PURPOSE, hashlib.sha256).hexdigest()[:40]


def is_open(engine: Engine) -> bool:
    """Whether there is no account yet."""
    with engine.connect() as connection:
        return _nobody(connection)


def _nobody(connection: Connection) -> bool:
    return not connection.execute(text("select exists (select from app_user)")).scalar_one()


def create(
    engine: Engine, keys: Keys, link_token: str, email: str, password: str, name: str
) -> int:
    """Makes the account; returns its id. Raises TooLate, AccountError, WeakPassword."""
    if not hmac.compare_digest(link_token.encode(), token(keys).encode()):
        raise TooLate("The link is not this installation's: take the one that its start printed.")
    with engine.begin() as waiting:
        waiting.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        if not _nobody(waiting):
            raise TooLate("There is an account already: sign in.")
        return accounts.create(engine, email, password, name)
