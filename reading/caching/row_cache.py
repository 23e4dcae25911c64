"""Rows that were read of a workspace in its own context, held for the next who has it in scope.

They are found by the ``ScopedWorkspace``, which holds the version of its snapshots: only the
database says it, within the transaction that asks, and only to whom the workspace counts for. Each process
holds its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from aggregators.signal.scatter import Scatter
from storage.executive.scope import ScopedWorkspace

ROOM, PART = 160 << 20, 4
"""Bytes that a process holds, and the part of them that one reading may take: a thousand workspaces take
36 MB in a period, of whatever length, and a reading of more would leave nothing of the others."""
SCOPES = 16
"""Scopes whose scatter a process holds: 2 MB each of a thousand workspaces."""


class RowCache:
    """Values of presets by their name and workspace; the one of longest ago goes first. ``room`` is the
    most bytes that it holds, ``size`` how many they are, ``values`` each workspace's state and value by
    key."""

    def __init__(self, room: int = ROOM) -> None:
        self.room, self.size = room, 0
        self._guard = threading.Lock()
        self.values: OrderedDict[tuple[str, int], tuple[ScopedWorkspace, bytes]] = OrderedDict()
        self._scatters: OrderedDict[tuple[object, ...], Scatter] = OrderedDict()

    def find(self, name: str, workspaces: Sequence[ScopedWorkspace]) -> dict[int, bytes]:
        """Values of these workspaces as they are now, as far as they are held, by workspace id."""
        values: dict[int, bytes] = {}
        with self._guard:
            for workspace in workspaces:
                key = (name, workspace.workspace_id)
                if (entry := self.values.get(key)) is not None and entry[0] == workspace:
                    self.values.move_to_end(key)
                    values[workspace.workspace_id] = entry[1]
        return values

    def hold(
        self, name: str, workspaces: Sequence[ScopedWorkspace], values: Mapping[int, bytes]
    ) -> None:
        """Holds the values of some of these workspaces, by id, in place of those of before."""
        if sum(map(len, values.values())) > self.room // PART:
            return
        by_id = {w.workspace_id: w for w in workspaces}
        with self._guard:
            for workspace_id, value in values.items():
                key = (name, workspace_id)
                if (before := self.values.pop(key, None)) is not None:
                    self.size -= len(before[1])
                self.values[key] = by_id[workspace_id], value
                self.size += len(value)
            while self.size > self.room:
                self.size -= len(self.values.popitem(last=False)[1][1])

    def scatter(self, key: tuple[object, ...], read: Callable[[], Scatter]) -> Scatter:
        """Scatter that the watch has learned of a scope, from ``read`` where none is held for the ``key``,
        which names the workspaces and the state that their scope is in: only the database says it, to whom
        they count for."""
        with self._guard:
            if key in self._scatters:
                self._scatters.move_to_end(key)
                return self._scatters[key]
        scatter = read()
        with self._guard:
            self._scatters[key] = scatter
            while len(self._scatters) > SCOPES:
                self._scatters.popitem(last=False)
        return scatter
