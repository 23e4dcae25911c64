"""What was computed, kept by the version of what it shows, so that it is computed once, across processes.

A key says everything that what is kept depends on, the scope among it; it is looked up only after the
database has said who is in scope. Nothing is ever invalidated: what changed has another key.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import shutil
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from diskcache import Cache, Timeout
from filelock import FileLock

from aggregators.held import Held

log = logging.getLogger("vigilo.kept")

KEPT_SECONDS, BROKEN_SECONDS = 24 * 3600.0, 3.0
"""How long a whole dashboard is kept, and one that a broken workspace is missing from."""
HELD_FROM = 3600.0
"""What is kept shorter is not held ready: it must end on time."""
ON_DISK, OF_FREE = 8 << 30, 4
"""Bytes on the disk, at most this part of what is free there. Two hundred people with a thousand workspaces
among them look at 1.3 GB in two periods; with too little room they would push each other out."""
IN_MEMORY = 128 << 20
"""Bytes that a process holds ready: a dashboard of a thousand workspaces takes 30 MB, a page 40 KB."""
LOOK_SECONDS = 0.01
"""How often those who wait look whether the one who computes is through. A process that dies lets go."""
AT_ONCE = 2
"""How many threads of a process compute at a time. More would not be through earlier, and would take the
processor from those whose answer is ready."""
AWAY = (OSError, sqlite3.Error, Timeout)
"""What a full or slow disk raises: then it is computed, and not kept there."""
SOURCES = {"aggregators": "*.py", "layouts": "*.py", "api": "*.py", "storage": "*.*"}
"""What the code is in that makes what is kept."""

Made = TypeVar("Made")


_NOTHING = object()


class Changed(Exception):
    """What was asked for is of another version by now."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


def _a_day(_made: object) -> float:
    return KEPT_SECONDS


@cache
def release() -> str:
    """Changes with the code that makes what is kept."""
    root = Path(__file__).parent.parent
    found = (p for folder, names in SOURCES.items() for p in (root / folder).rglob(names))
    sources = sorted(p for p in found if p.suffix in (".py", ".sql"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


class Kept:
    """What is kept of one installation, in a folder that only its owner may read; and the ``rows`` that it
    was made from, in the process alone."""

    def __init__(self, folder: Path) -> None:
        self.rows = Held()
        self._folder = folder
        self._ready: OrderedDict[str, tuple[Any, int, float]] = OrderedDict()
        """By key: what is held, its size, and until when."""
        self._held = 0
        self._guard = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._mine = threading.local()

    @cached_property
    def _disk(self) -> Cache:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        room = min(ON_DISK, shutil.disk_usage(self._folder).free // OF_FREE)
        return Cache(str(self._folder), size_limit=room, eviction_policy="least-recently-stored")

    def once(
        self,
        key: str,
        make: Callable[[], Made],
        seconds: Callable[[Made], float] = _a_day,
        still: Callable[[], None] | None = None,
    ) -> Made:
        """What is kept under a key; ``make`` computes it when nobody has, and only one of those who
        ask at the same time does. ``seconds`` says how long it is kept, 0 for not at all. Whoever has
        waited in vain asks ``still`` first, which raises Changed where the key is of the past: else
        they would all compute, one after the other, what nobody can keep."""
        name = f"{key}:{release()}"
        if (found := self._find(name)) is not _NOTHING:
            return found  # type: ignore[no-any-return]
        with self._turn() as waited_here, self._alone(name) as waited:
            if (found := self._find(name)) is not _NOTHING:
                return found  # type: ignore[no-any-return]
            if (waited or waited_here) and still is not None:
                still()
            made = make()
            self.put(key, made, seconds(made))
            return made

    def put(self, key: str, made: object, seconds: float) -> None:
        """Keeps it so long, not at all for 0 seconds."""
        if seconds <= 0:
            return
        key, until = f"{key}:{release()}", time.time() + seconds
        # Bytes are written as they are; anything else diskcache pickles once more, and writes by line.
        packed = pickle.dumps((seconds, until, made), pickle.HIGHEST_PROTOCOL)
        try:
            self._disk.set(key, packed, expire=seconds)
        except AWAY as error:
            log.warning("nothing can be kept on the disk: %s", error)
        if seconds >= HELD_FROM:
            self._hold(key, made, len(packed), until)

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """The thread's turn to compute, once for all that it needs for it; gives whether it had to wait.
        Before the lock of a key: whoever holds one goes on."""
        if getattr(self._mine, "turn", False):
            yield False
            return
        waited = not self._turns.acquire(blocking=False)
        if waited:
            self._turns.acquire()
        self._mine.turn = True
        try:
            yield waited
        finally:
            self._mine.turn = False
            self._turns.release()

    @contextmanager
    def _alone(self, key: str) -> Iterator[bool]:
        """One at a time for each key, among all processes of this machine; gives whether one had to
        wait. Drawings wait for dashboards, so each kind has files of its own."""
        kind, part = key.split(":", 1)[0], hashlib.sha256(key.encode()).hexdigest()[:2]
        lock, waited = FileLock(self._folder / f"{kind}-{part}.lock"), False
        try:
            self._disk  # noqa: B018 - makes the folder
            try:
                lock.acquire(blocking=False)
            except TimeoutError:
                waited = True
                lock.acquire(poll_interval=LOOK_SECONDS)
        except AWAY as error:
            log.warning("nobody can be waited for: %s", error)
        try:
            yield waited
        finally:
            lock.release()

    def _find(self, key: str) -> Any:
        with self._guard:
            if key in self._ready and self._ready[key][2] > time.time():
                self._ready.move_to_end(key)
                return self._ready[key][0]
        try:
            packed = self._disk.get(key)
        except AWAY as error:
            log.warning("what is kept can not be read: %s", error)
            packed = None
        if packed is None:
            return _NOTHING
        seconds, until, found = pickle.loads(packed)  # noqa: S301 - the folder is this account's
        if seconds >= HELD_FROM:
            self._hold(key, found, len(packed), until)
        return found

    def _hold(self, key: str, made: object, size: int, until: float) -> None:
        with self._guard:
            self._held += size - (self._ready[key][1] if key in self._ready else 0)
            self._ready[key] = made, size, until
            self._ready.move_to_end(key)
            while len(self._ready) > 1 and self._held > IN_MEMORY:
                self._held -= self._ready.popitem(last=False)[1][1]

    def close(self) -> None:
        """Forgets what this process holds; the folder stays."""
        self._ready.clear()
        self._held = 0
        self.rows = Held()
        if "_disk" in self.__dict__:
            self._disk.close()
