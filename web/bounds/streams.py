"""Downloads that are open at once: of a person over all processes of the machine, and of a process.

A reader who takes a byte a minute holds a thread for as long as they like, though no connection of the
database. Three bounds: slots of each person, which are locks on files below the data directory (the system
gives them back when a process dies, and no database is asked); half of a process's threads; and a socket
that takes no piece within half a minute is closed. Lists are written in turns, one of a person and few of a
process: a dozen at once would make the first wait as long as the last, and on a slow machine have the
database give all of them up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from tempfile import TemporaryFile
from typing import IO

from filelock import FileLock, Timeout
from flask import Response, request

from storage.bounds.turns import Busy, Turns
from storage.viewer import Viewer
from web.people.right_to_answer import RightToAnswer

PIECE = 64 * 1024
SLOWEST_PIECE_SECONDS = 30.0
A_PROCESS = 12
"""Of the 48 threads that a server's process has."""
WRITTEN_AT_ONCE = 3
PATIENCE_SECONDS = 30.0
"""Until a list's turn must have come, among the person's own and among everyone's."""
SOCKETS = ("gunicorn.socket", "werkzeug.socket")


class TooManyDownloads(RuntimeError):
    """The person has as many downloads open as anybody may."""


class Slot:
    """Download that is open. Given back once, whoever does it first."""

    def __init__(self, lock: FileLock, process: threading.Semaphore) -> None:
        self._lock, self._process = lock, process
        self._once = threading.Lock()

    def release(self) -> None:
        """Gives it back; a second time does nothing."""
        if self._once.acquire(blocking=False):
            self._lock.release(force=True)
            self._process.release()


class Downloads:
    """Slots of a machine, ``most`` for each person."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self._process = threading.BoundedSemaphore(A_PROCESS)
        self._writing = Turns(WRITTEN_AT_ONCE, PATIENCE_SECONDS)

    def begin(self, viewer: Viewer) -> Slot:
        """A slot, held until it is released. Raises TooManyDownloads, Busy."""
        lock = self._acquire_slot(viewer)
        if not self._process.acquire(blocking=False):
            lock.release(force=True)
            raise Busy("as many downloads are open as a process serves")
        return Slot(lock, self._process)

    @contextmanager
    def lend_slot(self, viewer: Viewer) -> Iterator[Slot]:
        """A slot for an answer that is being made: whoever fails to make it gives it back at once. Raises
        as ``begin``."""
        slot = self.begin(viewer)
        try:
            yield slot
        except BaseException:
            slot.release()
            raise

    def spool_in_turn(self, viewer: Viewer, pieces: Iterator[bytes]) -> IO[bytes]:
        """The pieces in a file without a name, at its beginning, when their turn comes: whoever makes them
        is done before anybody reads, and lets go of the database. Raises Busy."""
        lock = FileLock(self.folder / f"{viewer.user_id}-written", thread_local=False)
        try:
            lock.acquire(timeout=PATIENCE_SECONDS)
        except Timeout as error:
            raise Busy("another list of the person is still being written") from error
        try:
            with self._writing.hold_turn():
                return spool(pieces)
        finally:
            lock.release(force=True)

    def _acquire_slot(self, viewer: Viewer) -> FileLock:
        """A slot of the viewer's that nobody holds. Raises TooManyDownloads."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(self.most):
            # Not bound to a thread: servers may close an answer in another one than began it.
            lock = FileLock(self.folder / f"{viewer.user_id}-{number}", thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            return lock
        raise TooManyDownloads(
            f"You have {self.most} downloads open already: wait until one has ended."
        )


def spool(pieces: Iterator[bytes], rest: Callable[[float], None] = time.sleep) -> IO[bytes]:
    """The pieces in a file. Whoever makes them rests after each for as long as they worked on it: Python
    has one thread at work, and those who answer pages would get it back only some milliseconds after
    each question to the database."""
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    worked = time.thread_time()
    try:
        for piece in pieces:
            file.write(piece)
            rest(time.thread_time() - worked)
            worked = time.thread_time()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def send_file(file: IO[bytes], slot: Slot, content_type: str, right: RightToAnswer) -> Response:
    """An answer that reads the file as fast as its reader does, while they may have it, and then gives both
    back."""
    size = file.seek(0, 2)
    file.seek(0)
    to = next((request.environ[name] for name in SOCKETS if name in request.environ), None)
    answer = Response(_pieces_for_reader(file, slot, to, right), content_type=content_type)
    answer.content_length = size
    answer.call_on_close(file.close)  # a reader who leaves before the first piece
    answer.call_on_close(slot.release)
    return answer


def _pieces_for_reader(
    file: IO[bytes], slot: Slot, to: socket | None, right: RightToAnswer
) -> Iterator[bytes]:
    """Pieces for a reader behind a socket, which gets half a minute for each. Raises Withdrawn."""
    before = to.gettimeout() if to is not None else None
    try:
        if to is not None:
            to.settimeout(SLOWEST_PIECE_SECONDS)
        yield from right.sending(iter(lambda: file.read(PIECE), b""))
    finally:
        if to is not None and to.fileno() >= 0:
            to.settimeout(before)
        file.close()
        slot.release()
