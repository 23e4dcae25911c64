"""Rows that were read of a workspace in its own context, held for the next who has it in scope.

They are found by the ``State`` of the workspace, which holds the version of its snapshots: only the
database says it, within the transaction that asks, and only to whom the workspace counts for. Each process
holds its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import date

from storage.executive import Asked, Packed, State

ROOM = 96 << 20
"""Bytes that a process holds. A thousand workspaces take 36 MB in a period, of whatever length."""

Key = tuple[tuple[date, ...], date, tuple[int, int]]


def _key(asked: Asked) -> Key:
    return tuple(asked.days), asked.last_day, asked.blocks


class Held:
    """Rows by what was asked and of which workspace; what was asked longest ago goes first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._size = room, 0
        self._guard = threading.Lock()
        self._rows: OrderedDict[Key, dict[int, tuple[State, Packed]]] = OrderedDict()

    def find(self, asked: Asked, states: Sequence[State]) -> dict[int, Packed]:
        """What is held of these workspaces as they are now, by workspace id."""
        with self._guard:
            if (key := _key(asked)) not in self._rows:
                return {}
            self._rows.move_to_end(key)
            rows = self._rows[key]
            held = ((s, rows.get(s.workspace_id)) for s in states)
            return {s.workspace_id: found[1] for s, found in held if found and found[0] == s}

    def hold(self, asked: Asked, states: Sequence[State], found: Iterable[Packed]) -> None:
        """Holds the rows of some of these workspaces, in place of those of before."""
        own = {packed.workspace_id: packed.apart() for packed in found}
        with self._guard:
            rows = self._rows.setdefault(_key(asked), {})
            self._rows.move_to_end(_key(asked))
            for state in states:
                if (packed := own.get(state.workspace_id)) is not None:
                    if before := rows.get(state.workspace_id):
                        self._size -= before[1].size
                    rows[state.workspace_id] = state, packed
                    self._size += packed.size
            while self._rows and self._size > self._room:
                _, gone = self._rows.popitem(last=False)
                self._size -= sum(packed.size for _, packed in gone.values())
