"""Which keys a file has had so far, in bounded memory: they spill to a temporary file on disk."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import Self


class Seen:
    """Keys with their line and content. To be closed after use."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("pragma journal_mode = off")
        self._rows.execute("pragma synchronous = off")
        self._rows.execute(
            "create table seen (key blob primary key, line int, content blob) without rowid"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def before(self, key: object, line: int, content: object) -> tuple[int, bool] | None:
        """The line on which the key stood before and whether its content was the same; or None.

        Keys and contents are told apart by their repr.
        """
        row = (_digest(key), line, _digest(content))
        with closing(
            self._rows.execute("insert or ignore into seen values (?, ?, ?)", row)
        ) as added:
            if added.rowcount:
                return None
        with closing(
            self._rows.execute("select line, content from seen where key = ?", row[:1])
        ) as found:
            first, same = found.fetchone()
        return first, same == row[2]


def _digest(value: object) -> bytes:
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=16).digest()
