"""CSV with our own column names: the default, for every kind."""

from __future__ import annotations

from collections.abc import Iterator

from storage.records.formats.form import Format
from storage.records.kinds import KINDS
from storage.records.reader import Raw, Reading, rows, unknown_columns


def read(reading: Reading) -> Iterator[Raw]:
    """The rows of the file. Raises Unreadable."""
    kind = reading.kind
    if unknown := unknown_columns(reading):
        taken = ", ".join(kind.columns)
        reading.warn(f"left out the unknown columns {', '.join(unknown)}; it takes {taken}")
    yield from rows(reading, {name: name for name in kind.columns}, kind.required)


FORMAT = Format("csv", dict.fromkeys(KINDS, read))
