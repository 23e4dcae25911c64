"""Rows that were read of a workspace in its own context, held for the next who has it in scope.

They are found by the ``State`` of the workspace, which holds the version of its snapshots: only the
database says it, within the transaction that asks, and only to whom the workspace counts for. Each process
holds its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from storage.executive import Asked, Packed, State

ROOM, PART = 160 << 20, 4
"""Bytes that a process holds, and the part of them that one reading may take: a thousand workspaces take
36 MB in a period, of whatever length, and a reading of more would leave nothing of the others."""


class Held:
    """Rows by what was asked and of which workspace; what was asked for longest ago goes first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._size = room, 0
        self._guard = threading.Lock()
        self._rows: OrderedDict[tuple[object, ...], tuple[State, Packed]] = OrderedDict()

    def find(self, asked: Asked, states: Sequence[State]) -> dict[int, Packed]:
        """What is held of these workspaces as they are now, by workspace id."""
        said = asked.key
        found: dict[int, Packed] = {}
        with self._guard:
            for state in states:
                key = (*said, state.workspace_id)
                if (held := self._rows.get(key)) is not None and held[0] == state:
                    self._rows.move_to_end(key)
                    found[state.workspace_id] = held[1]
        return found

    def hold(
        self, asked: Asked, states: Sequence[State], found: Sequence[Packed]
    ) -> Sequence[Packed]:
        """Holds the rows of some of these workspaces, in place of those of before. Gives them as they are
        held: with bytes of their own, and not with the whole answer that they came in."""
        if sum(packed.size for packed in found) > self._room // PART:
            return found
        said = asked.key
        by_id = {s.workspace_id: s for s in states}
        own = [packed.apart() for packed in found]
        with self._guard:
            for packed in own:
                key = (*said, packed.workspace_id)
                if (before := self._rows.pop(key, None)) is not None:
                    self._size -= before[1].size
                self._rows[key] = by_id[packed.workspace_id], packed
                self._size += packed.size
            while self._size > self._room:
                self._size -= self._rows.popitem(last=False)[1][1].size
        return own
