"""CSV with our own column names: the default, for every kind."""

from __future__ import annotations

from collections.abc import Iterator

from storage.records.formats.form import Format
from storage.records.kinds import KINDS
from storage.records.reader import Raw, Reading, rows


def read(reading: Reading) -> Iterator[Raw]:
    """The rows of the file. Raises Unreadable."""
    yield from rows(
        reading, {n: reading.columns.get(n, n) for n in reading.kind.columns}, warn_unknown=True
    )


FORMAT = Format(
    "csv", dict.fromkeys(KINDS, read), "CSV with our own column names, or yours through --map"
)
