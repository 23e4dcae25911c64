"""CSV with our own column names: the default, for every kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from aggregators.records.kinds import Fault
from aggregators.vocabulary.fields import printable
from ingest.formats.form import Format
from ingest.kinds import KINDS, WORKSPACE
from ingest.reader import (
    CELLS,
    NOT_UTF8,
    CsvRecord,
    FormatInput,
    RawRecord,
    UnreadableFile,
    records,
)


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """The rows of the file; instants without an offset are those of a zone that was given. Raises
    UnreadableFile."""
    names = {name: reading.columns.get(name, name).lower() for name in reading.kind.columns}
    raw_rows = rows(reading, names, warn_unknown=True)
    yield from map(partial(_in_zone, reading), raw_rows) if reading.zone_given else raw_rows


def _in_zone(reading: FormatInput, raw: RawRecord) -> RawRecord:
    instants = {
        name: reading.instant(cell)
        for name, cell in raw.cells.items()
        if reading.kind.types.get(name) == "instant"
    }
    return raw._replace(cells={**raw.cells, **instants})


def rows(
    reading: FormatInput, columns: Mapping[str, str], *, warn_unknown: bool = False
) -> Iterator[RawRecord]:
    """The rows of a CSV file as our columns, which ``columns`` maps to the file's own names.

    Raises UnreadableFile where the header lacks a required column, or the file is no CSV.
    """
    with reading.opened() as file:
        lines = records(file)
        header = _as_ours(_header(next(lines, None)), columns.values())
        _demand(reading, columns, header)
        if warn_unknown and (unknown := [n for n in header if n not in columns.values()]):
            named = ", ".join(printable(name) for name in unknown)
            reading.warn(f"left out the unknown columns {named}; it takes {', '.join(columns)}")
        indices = [
            (ours, header.index(theirs)) for ours, theirs in columns.items() if theirs in header
        ]
        for record in lines:
            if (fault := _fault(record, header)) is not None:
                yield RawRecord(reading.path, record.line, {}, fault)
            else:
                cells = {ours: record.cells[index] for ours, index in indices}
                yield RawRecord(reading.path, record.line, cells, called=columns)


DELIMITERS = {";": "semicolons: the delimiter is ;", "\t": "tabs: the delimiter is a tab"}


def _as_ours(header: list[str], known: Collection[str]) -> list[str]:
    """The column names, as they are known but for a space or hyphen. Raises UnreadableFile."""
    joined = {name: re.sub(r"[ -]+", "_", name) for name in header}
    names = [
        name if name in known or joined[name] not in known else joined[name] for name in header
    ]
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise UnreadableFile(f"names a column twice: {', '.join(sorted(map(printable, twice)))}")
    return names


def _demand(reading: FormatInput, columns: Mapping[str, str], header: list[str]) -> None:
    """Raises UnreadableFile naming the required columns that the header lacks, as the file calls them."""
    required = set(reading.kind.required)
    if not reading.workspace_given:
        required.add(WORKSPACE)
    missing = [t for ours, t in columns.items() if ours in required and t not in header]
    if missing:
        for mark, delimiter in DELIMITERS.items():
            if len(header) == 1 and mark in header[0]:
                raise UnreadableFile(f"has {delimiter} where commas are read")
        raise UnreadableFile(
            f"lacks the required column{'s' * (len(missing) > 1)} {', '.join(missing)};"
            f" its header is {printable(','.join(header))}"
        )


def _header(record: CsvRecord | None) -> list[str]:
    """The column names. Raises UnreadableFile."""
    if record is None:
        raise UnreadableFile("is empty: it takes a header line with the column names")
    if record.fault:
        raise UnreadableFile(record.fault[1])
    if "\0" in "".join(record.cells):
        raise UnreadableFile(f"holds NUL bytes in line {record.line}: it is no UTF-8 text")
    if "\r" in "".join(record.cells):
        raise UnreadableFile("ends its lines with CR alone: save it with LF or CRLF")
    if record.width > CELLS:
        raise UnreadableFile(f"has {record.width} columns; at most {CELLS} are read")
    return [name.strip().lower() for name in record.cells]


def _fault(record: CsvRecord, header: list[str]) -> Fault | None:
    """Why the record as a whole can not be read, or None."""
    if record.fault is not None:
        cell, reason = record.fault
        if cell < 0:
            cell = next((i for i, c in enumerate(record.cells) if NOT_UTF8.search(c)), cell)
        return Fault(header[cell] if 0 <= cell < len(header) else "", reason)
    if record.width != len(header):
        return Fault("", f"has {record.width} cells where the header has {len(header)}")
    return None


FORMAT = Format(
    "csv", dict.fromkeys(KINDS, read), "CSV with our own column names, or yours through --map"
)
