"""Passwords: argon2id, and the same work for an account that does not exist."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MIN_LENGTH, MAX_LENGTH = 8, 200
HASHER = PasswordHasher()


class WeakPassword(ValueError):
    """A password that is too short or too long."""


def hash_password(password: str) -> str:
    """The argon2id hash. Raises WeakPassword outside 8 to 200 characters."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    return HASHER.hash("nobody has this password")


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the one behind ``stored``; as slow for None, so that the answer's time
    does not tell whether the account exists."""
    try:
        HASHER.verify(stored or _nobodys_hash(), password[: MAX_LENGTH + 1])
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None
