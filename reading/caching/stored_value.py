"""Values as they lie on the disk: a pickle, and beside it the bytes of its arrays.

Arrays are most of a dashboard, 30 MB of a thousand workspaces. Within the pickle they would be copied once
to write them and once to read them; beside it they are written from where they are, and what is read from
the disk serves as their memory.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

SIZE = np.dtype("<u8")
"""Type of a length in bytes. A value begins with how many parts follow, then the length of each."""
ALIGNED = 64
"""Bytes of which each part begins at a multiple: numpy works more slowly on numbers that lie across."""


class StoredValue:
    """Parts of a value one after the other, to be written or read like a file."""

    def __init__(self, value: object) -> None:
        arrays: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(value, 5, buffer_callback=arrays.append)
        parts = [memoryview(pickled), *(array.raw() for array in arrays)]
        sizes = [len(parts), *(part.nbytes for part in parts)]
        self._parts = list(_padded([memoryview(np.array(sizes, SIZE).tobytes()), *parts]))
        self._left = iter(self._parts)
        self.size = sum(part.nbytes for part in self._parts)

    def read(self, _size: int = -1) -> bytes | memoryview:
        """The next part, of whatever length; nothing after the last."""
        return next(self._left, b"")

    def bytes(self) -> bytes:
        """All of it."""
        return b"".join(self._parts)


def _padded(parts: Sequence[memoryview]) -> Iterator[memoryview]:
    for part in parts:
        if part.nbytes:
            yield part
        if rest := -part.nbytes % ALIGNED:
            yield memoryview(bytes(rest))


def restore_value(stored: bytes) -> Any:
    """Value that was stored. Its arrays can only be read. Raises any error where the bytes are none of a
    value's."""
    count = int(np.frombuffer(stored, SIZE, 1)[0])
    sizes = np.frombuffer(stored, SIZE, count, SIZE.itemsize).tolist()
    head = (count + 1) * SIZE.itemsize
    begins = list(accumulate(size + -size % ALIGNED for size in (head, *sizes)))
    view = memoryview(stored)
    parts = [view[begin : begin + size] for begin, size in zip(begins, sizes, strict=False)]
    if begins[-1] != len(stored):
        raise ValueError("a stored value is not as long as it says")
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 - the folder is this account's
