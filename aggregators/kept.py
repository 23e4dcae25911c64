"""Dashboards kept by the version of what they show, so that one is computed once, across processes.

A key says everything that a dashboard depends on, the scope among it; it is looked up only after the
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

from diskcache import Cache, Lock

from aggregators.figures import Dashboard

HOURS, BROKEN_SECONDS = 24, 3.0
ON_DISK = 1 << 30
IN_MEMORY = 128 << 20
"""Bytes of dashboards that a process holds ready: one of a thousand workspaces takes 30 MB."""
PATIENCE = 15
"""Seconds after which a process that died while it computed is waited for no longer."""


@cache
def _release() -> str:
    """Changes with the code that makes what is kept."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


class Kept:
    """The dashboards of one installation, in a folder that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: OrderedDict[str, tuple[Dashboard, int]] = OrderedDict()
        self._guard = threading.Lock()

    @cached_property
    def _disk(self) -> Cache:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        return Cache(str(self._folder), size_limit=ON_DISK, eviction_policy="least-recently-used")

    def once(self, version: str, make: Callable[[], Dashboard]) -> Dashboard:
        """The dashboard of a version; ``make`` computes it when nobody has, and only one of those who
        ask at the same time does. One that a broken workspace is missing from is kept for BROKEN_SECONDS:
        its version does not change when it is mended, and without it all readers would queue."""
        key = f"scope:{version}:{_release()}"
        if (found := self._find(key)) is not None:
            return found
        with Lock(self._disk, f"lock:{key}", expire=PATIENCE):
            if (found := self._find(key)) is not None:
                return found
            made = make()
            if made.version == version:
                made = made.without_facts()
                self._keep(key, made)
            return made

    def _keep(self, key: str, made: Dashboard) -> None:
        packed = pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
        if made.scope.unavailable:
            self._disk.set(key, packed, expire=BROKEN_SECONDS)
        else:
            self._disk.set(key, packed, expire=HOURS * 3600)
            self._hold(key, made, len(packed))

    def _find(self, key: str) -> Dashboard | None:
        with self._guard:
            if key in self._ready:
                self._ready.move_to_end(key)
                return self._ready[key][0]
        packed = self._disk.get(key)
        if packed is None:
            return None
        found: Dashboard = pickle.loads(packed)  # noqa: S301 - the folder is this account's alone
        if not found.scope.unavailable:
            self._hold(key, found, len(packed))
        return found

    def _hold(self, key: str, dashboard: Dashboard, size: int) -> None:
        with self._guard:
            self._ready[key] = dashboard, size
            self._ready.move_to_end(key)
            while len(self._ready) > 1 and sum(s for _, s in self._ready.values()) > IN_MEMORY:
                self._ready.popitem(last=False)

    def close(self) -> None:
        """Forgets what this process holds; the folder stays."""
        self._ready.clear()
        if "_disk" in self.__dict__:
            self._disk.close()
