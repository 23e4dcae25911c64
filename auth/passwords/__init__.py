"""Passwords: argon2id, and the same work for an account that does not exist.

A hash takes 64 MB and a core for a while. A process has one made at a time, by a program beside it that
stands back: sign-ins wait for each other, and nobody else for them. A thread of the process that stands
back could hold Python's lock, which all others need, while it waits for a core.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from settings import SHORTEST_PASSWORD
from storage.bounds.turns import Busy, Turns

MIN_LENGTH, MAX_LENGTH = SHORTEST_PASSWORD, 200
TURNS = Turns(at_once=1, patience_seconds=8, rest=1.0)
"""However many sign in, it is 64 MB, and half of a core for each process."""
PROGRAM = Path(__file__).with_name("apart.py")
PATIENCE_SECONDS = 30.0
"""Until an answer must have come, on a machine that has no time for it."""


class WeakPassword(ValueError):
    """A password that is too short or too long."""


def hash_password(password: str) -> str:
    """The argon2id hash. Raises WeakPassword outside 8 to 200 characters, Busy."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return str(_ask_program(password, verify=False))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the one behind ``stored``; as slow for None, so that the answer's time
    does not tell whether the account exists. Raises Busy."""
    return _ask_program(password[: MAX_LENGTH + 1], verify=True, stored=stored) is True


def _ask_program(password: str, **question: bool | str | None) -> object:
    """Answer of the program whose turn has come. Raises Busy."""
    with TURNS.hold_turn():
        try:
            return PROCESS.answer(question | {"password": password.encode().decode()})
        except OSError as error:
            raise Busy("no password can be hashed at the moment") from error


class HashingProcess:
    """Program beside this process, begun when it is first asked, and again where it is gone."""

    def __init__(self) -> None:
        self.running: subprocess.Popen[bytes] | None = None
        self._begun_by = os.getpid()
        self._number = 0

    def answer(self, question: Mapping[str, object]) -> object:
        """The answer, and no other's: each has the number of its question. Raises OSError without one."""
        self._number += 1
        line = json.dumps({**question, "number": self._number}).encode() + b"\n"
        try:
            # Again where the process had ended since.
            reply = self.exchange_line(line) or self.exchange_line(line)
            number, answer = json.loads(reply or b"[0, null]")
            if number != self._number:
                raise OSError("no hash was made")
        except BaseException:
            self.end()
            raise
        return answer

    def exchange_line(self, line: bytes) -> bytes:
        """A line for a line; nothing where the program ended. Raises OSError where it takes too long."""
        process = self._running_program()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            told_yet = select.poll()  # select() knows the first 1,024 files alone
            told_yet.register(process.stdout, select.POLLIN)
            if not told_yet.poll(PATIENCE_SECONDS * 1000):
                raise TimeoutError("a hash took too long")
            reply = process.stdout.readline()
        except BrokenPipeError:
            reply = b""
        if not reply:
            self.end()
        return reply

    def _running_program(self) -> subprocess.Popen[bytes]:
        """The program, begun anew where it ended or belongs to the process forked from."""
        if self._begun_by != os.getpid():  # that of the process from which this one was forked
            self.running, self._begun_by = None, os.getpid()
        if self.running is None:
            self.running = subprocess.Popen(  # noqa: S603 - our own file
                [sys.executable, "-I", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")},
            )
        return self.running

    def end(self) -> None:
        """Ends it at once; a second time does nothing."""
        process, self.running = self.running, None
        if process is not None and self._begun_by == os.getpid():
            process.kill()
            process.communicate()


PROCESS = HashingProcess()
atexit.register(PROCESS.end)
