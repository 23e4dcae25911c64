"""Process beside one that serves, in which passwords are hashed: a program of its own, asked line by line.

It ends with whoever started it: then nothing more comes in. It is run by its path and reads nothing of this
program, so that it is there within a tenth of a second and holds 15 MB.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

STANDS_BACK = 10
"""Niceness above that of the process that serves: a hash is a fifth of a second of processor, and a few
seconds where four other programs want every core; at 19 it was up to twenty, and nobody waits for that."""
PART_OF_CORES = 4
"""Cores of which one is for hashing, at least one: a thread that answers a page waits for the one that
runs on its core to be stopped, however nice that is, at each question to the database again."""
HASHER = PasswordHasher()
NOBODYS = (
    f"$argon2id$v=19$m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)
"""Hash of no password, as dear to compare with as any other."""


def main() -> None:
    """Answers each line with one, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the process that serves
    _stand_back()
    for line in sys.stdin:
        question = json.loads(line)
        sys.stdout.write(json.dumps([question.pop("number"), answer(**question)]) + "\n")
        sys.stdout.flush()


def answer(password: str, *, verify: bool, stored: str | None = None) -> str | bool:
    """A password's hash, or whether it is the one behind the stored one; False for none."""
    if not verify:
        return HASHER.hash(password)
    try:
        HASHER.verify(stored or NOBODYS, password)
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def _stand_back() -> None:
    """Lowers the priority of this process and keeps it to the last cores, where the system knows that."""
    os.nice(STANDS_BACK)
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-max(1, len(cores) // PART_OF_CORES) :])


if __name__ == "__main__":
    main()
