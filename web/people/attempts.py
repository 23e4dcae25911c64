"""Attempts at a secret of a person's, within the bounds of the throttle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import request
from sqlalchemy import Engine

from auth import throttle
from auth.accounts import LONGEST_EMAIL, AccountError

TOO_MANY = f"Too many failed attempts. Try again in {throttle.WINDOW}."
RETRY_SECONDS = throttle.WINDOW_SECONDS


class TooManyAttempts(RuntimeError):
    """As many failures as the throttle allows: whatever is tried now is told nothing."""

    def __init__(self) -> None:
        super().__init__(TOO_MANY)


def throttle_keys(email: str) -> tuple[str, str]:
    """Account and address as the throttle counts them."""
    return email.strip().lower()[:LONGEST_EMAIL], throttle.network(request.remote_addr or "")


@contextmanager
def count_if_wrong(engine: Engine, email: str) -> Iterator[None]:
    """A block that tries a secret and raises AccountError where it is wrong: that is counted. Raises
    TooManyAttempts before it is tried, and after it where there were too many by then."""
    who = throttle_keys(email)
    if throttle.is_closed(engine, *who):
        raise TooManyAttempts
    try:
        yield
    except AccountError:
        if not throttle.note_attempt(engine, *who, is_right=False):
            raise TooManyAttempts from None
        raise
    throttle.note_attempt(engine, *who, is_right=True)
