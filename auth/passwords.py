"""Passwords: argon2id, and the same work for an account that does not exist.

A hash takes 64 MB and every core for a while: argon2 has four threads for each. A process makes one at
a time, in a thread that stands back for those that answer pages: sign-ins wait for each other, and nobody
else for them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from storage.bounds.turns import Turns

Worth = TypeVar("Worth")
MIN_LENGTH, MAX_LENGTH = 8, 200
HASHER = PasswordHasher()
TURNS = Turns(at_once=1, patience_seconds=8)
"""However many sign in, it is 64 MB."""
STANDS_BACK = 10
"""Niceness of the threads that hash, above that of the process: a tenth of a core where all are wanted."""
PART_OF_CORES = 4
"""Cores of which one is for hashing, at least one: a thread that answers a page waits for the one that
runs on its core to be stopped, however nice that is, at each question to the database again."""


class WeakPassword(ValueError):
    """A password that is too short or too long."""


def hash_password(password: str) -> str:
    """The argon2id hash. Raises WeakPassword outside 8 to 200 characters, Busy."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return standing_back(lambda: HASHER.hash(password))


@cache
def _nobodys_hash() -> str:
    return HASHER.hash("nobody has this password")


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the one behind ``stored``; as slow for None, so that the answer's time
    does not tell whether the account exists. Raises Busy."""
    try:
        standing_back(lambda: HASHER.verify(stored or _nobodys_hash(), password[: MAX_LENGTH + 1]))
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def standing_back(work: Callable[[], Worth]) -> Worth:
    """Outcome of work whose turn has come, from a thread that stands back. Raises as the work, Busy."""
    with TURNS.taken(), ThreadPoolExecutor(1, initializer=_stand_back) as thread:
        return thread.submit(work).result()


def _stand_back() -> None:
    """Lowers the priority of the calling thread, and so of those that it starts, and keeps them to the last
    cores; elsewhere than on Linux that would be the whole process."""
    if sys.platform == "linux":
        os.nice(STANDS_BACK)
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-max(1, len(cores) // PART_OF_CORES) :])
