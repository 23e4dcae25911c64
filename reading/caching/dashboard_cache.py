"""Cache of computed dashboards and drawings by the version of what they show, shared by all processes.

A key says everything that what is kept depends on, the scope among it; it is looked up only after the
database has said who is in scope. Nothing is ever invalidated: what changed has another key.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from diskcache import Cache, Timeout
from filelock import FileLock

from reading.caching.refresher import Refresher
from reading.caching.row_cache import RowCache
from reading.caching.stored_value import StoredValue, restore_value

log = logging.getLogger("vigilo.cache")

KEPT_SECONDS, BROKEN_SECONDS = 24 * 3600.0, 3.0
"""How long a whole dashboard is kept, and one that a broken workspace is missing from."""
HELD_FROM = 3600.0
"""Values that are kept for less are not kept in memory: they must end on time."""
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
"""Errors of a full or slow disk: the value is then computed, and not kept there."""
SOURCES = {"aggregators": "*.py", "layouts": "*.py", "reading": "*.py", "storage": "*.*"}
"""Folders of the code that makes what is kept, and their files."""

DATABASE, MENDING = "cache.db", "mending.lock"
EVICTION = "least-recently-stored"

Made = TypeVar("Made")


_NOTHING = object()


class VersionChanged(Exception):
    """Another version has taken the place of the one that was asked for."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


def _a_day(_made: object) -> float:
    return KEPT_SECONDS


@cache
def release() -> str:
    """Changes with the code that makes what is kept."""
    root = Path(__file__).parents[2]
    files = (p for folder, names in SOURCES.items() for p in (root / folder).rglob(names))
    sources = sorted(p for p in files if p.suffix in (".py", ".sql"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def throw_away_where_broken(folder: Path) -> None:
    """Empties a cache whose database is none any more: what it held is computed again. One process at a
    time, so that nobody takes away what another has just begun."""
    with FileLock(folder / MENDING):
        if _is_sound(folder / DATABASE):
            return
        log.warning("the cache in %s was damaged, and begins anew", folder)
        for each in folder.iterdir():
            if each.name.startswith(DATABASE):
                each.unlink()
            elif each.is_dir():
                shutil.rmtree(each, ignore_errors=True)


def _is_sound(database: Path) -> bool:
    """Whether it can be read; one that is not there yet can."""
    if not database.exists():
        return True
    try:
        with closing(sqlite3.connect(database)) as connection:
            return bool(connection.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # busy, or on a disk that does not answer
        return True
    except sqlite3.DatabaseError:
        return False


class DashboardCache:
    """Cache of one installation, in a folder that only its owner may read; and the ``rows`` that it
    was made from, in the process alone."""

    def __init__(self, folder: Path) -> None:
        self.rows = RowCache()
        self.refresher = Refresher()
        self.asked_at: dict[str, float] = {}
        """Second in which this process last noted each ask."""
        self.folder = folder
        self.ready: OrderedDict[str, tuple[Any, int, float]] = OrderedDict()
        """Values in memory, by key: each with its size and the second until which it serves."""
        self.bytes_ready = 0
        self._guard = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._mine = threading.local()

    @cached_property
    def disk(self) -> Cache:
        """Values on disk, shared by processes; its folder is made at the first use."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        room = min(ON_DISK, shutil.disk_usage(self.folder).free // OF_FREE)
        opened = partial(Cache, str(self.folder), size_limit=room, eviction_policy=EVICTION)
        try:
            return opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
        throw_away_where_broken(self.folder)
        return opened()

    def _went_wrong(self, complaint: str, error: Exception) -> None:
        """Tells that the disk did not serve. Where that is no database any more, the next one to ask finds
        another."""
        log.warning("%s: %s", complaint, error)
        if type(error) is sqlite3.DatabaseError:  # the others are of a disk that is full or slow
            with suppress(OSError):
                throw_away_where_broken(self.folder)
            self.__dict__.pop("disk", None)

    def make_once(
        self,
        key: str,
        make: Callable[[], Made],
        seconds: Callable[[Made], float] = _a_day,
        require_unchanged: Callable[[], None] | None = None,
    ) -> Made:
        """Value kept under a key; ``make`` computes it when nobody has, and only one of those who
        ask at the same time does. ``seconds`` says how long it is kept, 0 for not at all. Whoever has
        waited in vain calls ``require_unchanged`` first, which raises VersionChanged where the key is of
        the past: else they would all compute, one after the other, what nobody can keep."""
        name = f"{key}:{release()}"
        if (value := self._find(name)) is not _NOTHING:
            return value  # type: ignore[no-any-return]
        with self._turn() as waited_here, self._one_maker(name) as waited:
            if (value := self._find(name)) is not _NOTHING:
                return value  # type: ignore[no-any-return]
            if (waited or waited_here) and require_unchanged is not None:
                require_unchanged()
            made = make()
            self.put(key, made, seconds(made))
            return made

    def find_kept(self, key: str) -> Any:
        """Value kept under a key; None where nobody has computed it."""
        value = self._find(f"{key}:{release()}")
        return None if value is _NOTHING else value

    def note(self, key: str, value: object, seconds: float) -> None:
        """Keeps something small that may change, for all processes of the machine."""
        try:
            self.disk.set(key, value, expire=seconds)
        except AWAY as error:
            self._went_wrong("nothing can be noted on the disk", error)

    def find_noted(self, key: str) -> Any:
        """Value noted last under a key; None where there is none."""
        try:
            return self.disk.get(key)
        except AWAY as error:
            self._went_wrong("what is noted can not be read", error)
            return None

    def notes(self, prefix: str) -> list[Any]:
        """Values noted under the keys that begin so."""
        try:
            keys = [k for k in self.disk.iterkeys() if isinstance(k, str) and k.startswith(prefix)]
        except AWAY as error:
            self._went_wrong("what is noted can not be read", error)
            return []
        return [value for key in keys if (value := self.find_noted(key)) is not None]

    def put(self, key: str, made: object, seconds: float) -> None:
        """Keeps it so long, not at all for 0 seconds."""
        if seconds <= 0:
            return
        key, until = f"{key}:{release()}", time.time() + seconds
        stored = StoredValue((seconds, until, made))
        try:
            if stored.size < self.disk.disk_min_file_size:
                self.disk.set(key, stored.bytes(), expire=seconds)
            else:
                # As a file to be read, part by part: bytes diskcache writes line by line.
                self.disk.set(key, stored, expire=seconds, read=True)
        except AWAY as error:
            self._went_wrong("nothing can be kept on the disk", error)
        if seconds >= HELD_FROM:
            self._hold(key, made, stored.size, until)

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
    def _one_maker(self, key: str) -> Iterator[bool]:
        """Let one process or thread of this machine at a time work on a key; gives whether it had to
        wait. Drawings wait for dashboards, so each kind has files of its own."""
        kind, part = key.split(":", 1)[0], hashlib.sha256(key.encode()).hexdigest()[:2]
        lock, waited = FileLock(self.folder / f"{kind}-{part}.lock"), False
        try:
            self.disk  # noqa: B018 - makes the folder
            try:
                lock.acquire(blocking=False)
            except TimeoutError:
                waited = True
                lock.acquire(poll_interval=LOOK_SECONDS)
        except AWAY as error:
            self._went_wrong("nobody can be waited for", error)
        try:
            yield waited
        finally:
            lock.release()

    def _find(self, key: str) -> Any:
        with self._guard:
            if key in self.ready and self.ready[key][2] > time.time():
                self.ready.move_to_end(key)
                return self.ready[key][0]
        try:
            stored = self.disk.get(key)
        except AWAY as error:
            self._went_wrong("what is kept can not be read", error)
            stored = None
        if stored is None:
            return _NOTHING
        try:
            seconds, until, value = restore_value(stored)
        except Exception as error:  # noqa: BLE001 - bytes that are none of ours fail in any way
            log.warning("what is kept can not be read: %s", error)
            return _NOTHING
        if seconds >= HELD_FROM:
            self._hold(key, value, len(stored), until)
        return value

    def _hold(self, key: str, made: object, size: int, until: float) -> None:
        with self._guard:
            self.bytes_ready += size - (self.ready[key][1] if key in self.ready else 0)
            self.ready[key] = made, size, until
            self.ready.move_to_end(key)
            while len(self.ready) > 1 and self.bytes_ready > IN_MEMORY:
                self.bytes_ready -= self.ready.popitem(last=False)[1][1]

    def close(self) -> None:
        """Forgets what this process holds; the folder stays."""
        self.refresher.close()
        self.ready.clear()
        self.bytes_ready = 0
        self.rows = RowCache()
        if "disk" in self.__dict__:
            self.disk.close()
