"""What was computed, kept by the version of what it shows, so that it is computed once, across processes.

A key says everything that what is kept depends on, the scope among it; it is looked up only after the
database has said who is in scope. Nothing is ever invalidated: what changed has another key.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from diskcache import Cache, Lock

KEPT_SECONDS, BROKEN_SECONDS = 24 * 3600.0, 3.0
"""How long a whole dashboard is kept, and one that a broken workspace is missing from."""
HELD_FROM = 3600.0
"""What is kept shorter is not held ready: it must end on time."""
ON_DISK = 2 << 30
IN_MEMORY = 128 << 20
"""Bytes that a process holds ready: a dashboard of a thousand workspaces takes 30 MB, a page 40 KB."""
PATIENCE = 15
"""Seconds after which a process that died while it computed is waited for no longer."""

Made = TypeVar("Made")


_NOTHING = object()


def _a_day(_made: object) -> float:
    return KEPT_SECONDS


@cache
def _release() -> str:
    """Changes with the code that makes what is kept."""
    root = Path(__file__).parent.parent
    sources = sorted(
        p for made_by in ("aggregators", "layouts") for p in (root / made_by).rglob("*.py")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


class Kept:
    """What is kept of one installation, in a folder that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._held = 0
        self._guard = threading.Lock()

    @cached_property
    def _disk(self) -> Cache:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        return Cache(str(self._folder), size_limit=ON_DISK, eviction_policy="least-recently-used")

    def once(
        self, key: str, make: Callable[[], Made], seconds: Callable[[Made], float] = _a_day
    ) -> Made:
        """What is kept under a key; ``make`` computes it when nobody has, and only one of those who
        ask at the same time does. ``seconds`` says how long it is kept, 0 for not at all."""
        key = f"{key}:{_release()}"
        if (found := self._find(key)) is not _NOTHING:
            return found  # type: ignore[no-any-return]
        with Lock(self._disk, f"lock:{key}", expire=PATIENCE):
            if (found := self._find(key)) is not _NOTHING:
                return found  # type: ignore[no-any-return]
            made = make()
            if (life := seconds(made)) > 0:
                self._keep(key, made, life)
            return made

    def _keep(self, key: str, made: object, seconds: float) -> None:
        # Bytes are written as they are; anything else diskcache pickles once more, and writes by line.
        packed = pickle.dumps((seconds, made), pickle.HIGHEST_PROTOCOL)
        self._disk.set(key, packed, expire=seconds)
        if seconds >= HELD_FROM:
            self._hold(key, made, len(packed))

    def _find(self, key: str) -> Any:
        with self._guard:
            if key in self._ready:
                self._ready.move_to_end(key)
                return self._ready[key][0]
        packed = self._disk.get(key)
        if packed is None:
            return _NOTHING
        seconds, found = pickle.loads(packed)  # noqa: S301 - the folder is this account's alone
        if seconds >= HELD_FROM:
            self._hold(key, found, len(packed))
        return found

    def _hold(self, key: str, made: object, size: int) -> None:
        with self._guard:
            self._held += size - (self._ready[key][1] if key in self._ready else 0)
            self._ready[key] = made, size
            self._ready.move_to_end(key)
            while len(self._ready) > 1 and self._held > IN_MEMORY:
                self._held -= self._ready.popitem(last=False)[1][1]

    def close(self) -> None:
        """Forgets what this process holds; the folder stays."""
        self._ready.clear()
        self._held = 0
        if "_disk" in self.__dict__:
            self._disk.close()
