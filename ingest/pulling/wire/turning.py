"""Lists that have no end: a sender whose pages lead round in a circle is not followed for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable

from ingest.pulling.problems import SourceProblem

AGAIN = "The sender's list leads round in a circle: the same page came again and again."
SMALL = 64
"""Bytes of an answer that is an empty list, which several pages may be."""


class PageTurns:
    """Pages of one list as they come."""

    def __init__(self) -> None:
        self._marks: set[Hashable] = set()
        self._last = b""

    def turn(self, mark: Hashable, body: bytes = b"") -> None:
        """Notes a page by its address or cursor, and by what stands on it. Raises SourceProblem where it
        was there before, or is the same as the one before it."""
        digest = hashlib.sha256(body).digest() if len(body) > SMALL else b""
        if mark in self._marks or (digest and digest == self._last):
            raise SourceProblem("changed_shape", AGAIN)
        self._marks.add(mark)
        self._last = digest
