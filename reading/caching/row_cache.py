"""Rows that were read of a workspace in its own context, held for the next who has it in scope.

They are found by the ``ScopedWorkspace``, which holds the version of its snapshots: only the
database says it, within the transaction that asks, and only to whom the workspace counts for. Each process
holds its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from aggregators.signal.scatter import Scatter
from storage.executive.encoded_rows import EncodedRows, RowsRequest
from storage.executive.scope import ScopedWorkspace

ROOM, PART = 160 << 20, 4
"""Bytes that a process holds, and the part of them that one reading may take: a thousand workspaces take
36 MB in a period, of whatever length, and a reading of more would leave nothing of the others."""
SCOPES = 16
"""Scopes whose scatter a process holds: 2 MB each of a thousand workspaces."""


class RowCache:
    """Rows by request and workspace; the request of longest ago goes first. ``room`` is the most bytes that
    it holds, ``size`` how many they are, ``rows`` each workspace's state and rows by key."""

    def __init__(self, room: int = ROOM) -> None:
        self.room, self.size = room, 0
        self._guard = threading.Lock()
        self.rows: OrderedDict[tuple[object, ...], tuple[ScopedWorkspace, EncodedRows]] = (
            OrderedDict()
        )
        self._scatters: OrderedDict[tuple[object, ...], Scatter] = OrderedDict()

    def find(
        self, request: RowsRequest, workspaces: Sequence[ScopedWorkspace]
    ) -> dict[int, EncodedRows]:
        """Rows of these workspaces as they are now, as far as they are held, by workspace id."""
        prefix = request.key
        rows: dict[int, EncodedRows] = {}
        with self._guard:
            for workspace in workspaces:
                key = (*prefix, workspace.workspace_id)
                if (entry := self.rows.get(key)) is not None and entry[0] == workspace:
                    self.rows.move_to_end(key)
                    rows[workspace.workspace_id] = entry[1]
        return rows

    def hold(
        self,
        request: RowsRequest,
        workspaces: Sequence[ScopedWorkspace],
        rows: Sequence[EncodedRows],
    ) -> Sequence[EncodedRows]:
        """Holds the rows of some of these workspaces, in place of those of before. Gives them as they are
        held: with bytes of their own, and not with the whole answer that they came in."""
        if sum(encoded.size for encoded in rows) > self.room // PART:
            return rows
        prefix = request.key
        by_id = {w.workspace_id: w for w in workspaces}
        own = [encoded.apart() for encoded in rows]
        with self._guard:
            for encoded in own:
                key = (*prefix, encoded.workspace_id)
                if (before := self.rows.pop(key, None)) is not None:
                    self.size -= before[1].size
                self.rows[key] = by_id[encoded.workspace_id], encoded
                self.size += encoded.size
            while self.size > self.room:
                self.size -= self.rows.popitem(last=False)[1][1].size
        return own

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
