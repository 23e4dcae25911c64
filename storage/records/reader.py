"""Reading CSV: a stream of rows with their line numbers, in bounded memory, nothing lost silently.

The standard library's reader takes a whole line into memory and loses its place at an oversized
cell; this one holds at most one record, of capped cells, and goes on after it.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from storage.records.fields import shown
from storage.records.kinds import WORKSPACE, Fault, Kind

CELL, CELLS, PIECE, HEAD = 65_536, 200, 65_536, 8_192
"""Characters in a cell, cells in a row, bytes read at a time, bytes that tell a format."""

SWELLS, UNPACKED = 200, 256 * 1024 * 1024
"""A gzip that unpacks to more than so many times its size, and to more bytes than that, is a bomb."""

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP, _UTF8_BOM, _UTF16_BOMS = b"\x1f\x8b", codecs.BOM_UTF8, (codecs.BOM_LE, codecs.BOM_BE)
_DELIMITER = re.compile(r"[,\n]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""What the decoder's surrogateescape leaves of a byte that is no UTF-8."""


class Unreadable(Exception):
    """A file can not be read, or not any further; the message says why and where."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One record as its file has it: our columns to text, or the fault that kept it from that.

    ``line`` is where it begins, 0 in a file without lines. A ``waived`` column may be empty though
    it is required. ``called`` has the file's own names of columns. ``place`` is where a record is in a
    document, as a JSON pointer or an XPath, where lines say little.
    """

    file: Path
    line: int
    cells: Mapping[str, str]
    fault: Fault | None = None
    waived: tuple[str, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a format is asked for. ``warn`` takes sentences about the file as a whole.

    ``content`` stands in for the file where an event came over the network; ``columns`` are the names
    that a file has for ours, as ``--map`` gave them.
    """

    path: Path
    kind: Kind
    workspace_given: bool
    warn: Callable[[str], None]
    content: bytes | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The bytes, unpacked when they are gzip. Raises Unreadable."""
        if self.content is not None:
            yield io.BytesIO(self.content)
            return
        with opened(self.path) as file:
            yield file


class Record(NamedTuple):
    """One line of cells, or several where quotes span them; ``line`` is the first.

    ``width`` counts the cells, those cut off included. ``fault`` is a reason and the place of its cell,
    -1 where that is to be looked for.
    """

    line: int
    cells: list[str]
    width: int
    fault: tuple[int, str] | None = None


class Scanner:
    """Puts one record together from pieces of text, each a line or a part of one.

    Quotes as in RFC 4180; a quote inside an unquoted cell is an ordinary character.
    """

    def __init__(self) -> None:
        self.begin(1)

    def begin(self, line: int) -> None:
        """Forgets the record before."""
        self.line = line
        self.cells: list[str] = []
        self.count = 0
        self.fault: tuple[int, str] | None = None
        self.quoted = False
        self._next_cell()

    @property
    def begun(self) -> bool:
        """Whether anything of the record has been read."""
        return bool(self.count or self.size or self.quoted or self.closed)

    def take(self, piece: str) -> bool:
        """Reads a piece; True when it completes the record."""
        if not self.begun and '"' not in piece and piece.endswith("\n") and len(piece) <= CELL:
            self.cells = piece.rstrip("\r\n").split(",")  # the common row, ten times as fast
            self.count = len(self.cells)
            return True
        at = 0
        while at < len(piece):
            at = self._inside(piece, at) if self.quoted else self._outside(piece, at)
        return piece.endswith("\n") and not self.quoted

    def record(self) -> Record:
        """What has been read."""
        return Record(self.line, self.cells, self.count, self.fault)

    def end_cell(self) -> None:
        """The cell is complete."""
        if self.count < CELLS:
            self.cells.append("".join(self.parts))
        self.count += 1
        self._next_cell()

    def _next_cell(self) -> None:
        self.parts: list[str] = []
        self.size = 0
        self.closed = False

    def _inside(self, piece: str, at: int) -> int:
        quote = piece.find('"', at)
        self._add(piece[at:] if quote < 0 else piece[at:quote])
        if quote < 0:
            return len(piece)
        self.quoted, self.closed = False, True
        return quote + 1

    def _outside(self, piece: str, at: int) -> int:
        if piece[at] == '"' and (self.closed or not self.size):
            if self.closed:  # a doubled quote: the cell goes on
                self._add('"')
            self.quoted = True
            return at + 1
        found = _DELIMITER.search(piece, at)
        if found is None:
            self._add(piece[at:])
            return len(piece)
        ends_row = found[0] == "\n"
        self._add(piece[at : found.start()].removesuffix("\r" if ends_row else ""))
        self.end_cell()
        return found.end()

    def _add(self, part: str) -> None:
        self.size += len(part)
        if self.size > CELL:
            self.fault = self.fault or (self.count, f"holds more than {CELL // 1024} KB")
        elif part:
            self.parts.append(part)


def records(file: BinaryIO) -> Iterator[Record]:
    """The records of a CSV file; blank lines are none.

    Raises Unreadable at a quote that is never closed.
    """
    scanner, decoder = Scanner(), codecs.getincrementaldecoder("utf-8")("surrogateescape")
    line, offset = 1, 0
    while True:
        piece = _piece(file)
        if offset == 0:
            piece, offset = _without_mark(piece)
        held = len(decoder.getstate()[0])
        text = decoder.decode(piece, final=not piece)
        if not text.isascii() and (bad := _NOT_UTF8.search(text)):
            before = len(text[: bad.start()].encode("utf-8", "surrogateescape"))
            place = f"is not UTF-8 at line {line}, byte {offset - held + before}"
            scanner.fault = scanner.fault or (-1, place)
        offset += len(piece)
        blank = not scanner.begun and not text.strip("\r\n")
        if scanner.take(text):
            if not blank:
                yield scanner.record()
            scanner.begin(line + 1)
        line += text.endswith("\n")
        if not piece:
            break
    yield from _last(scanner)


def _piece(file: BinaryIO) -> bytes:
    """The next line or part of one; a CR is not torn from what follows it."""
    piece = file.readline(PIECE)
    if not piece.endswith(b"\r"):
        return piece
    after = file.read(1)
    return piece + after if after else piece[:-1] + b"\n"


def _last(scanner: Scanner) -> Iterator[Record]:
    """The record of a last line without a line end."""
    if scanner.quoted:
        raise Unreadable(
            f"line {scanner.line}: a quoted cell begins here and never ends; nothing from this line on"
            " was read"
        )
    if scanner.begun:
        scanner.end_cell()
        yield scanner.record()


def _without_mark(first: bytes) -> tuple[bytes, int]:
    """The first piece without its byte order mark, and the mark's length."""
    if first.startswith(_UTF16_BOMS):
        raise Unreadable("is UTF-16, not UTF-8 (line 1, byte 0): save it as UTF-8")
    size = len(_UTF8_BOM) if first.startswith(_UTF8_BOM) else 0
    return first[size:], size


class _Unpacked(io.RawIOBase):
    """What a gzip holds, no more than is plausible for its size. Raises Unreadable beyond."""

    def __init__(self, packed: gzip.GzipFile, size: int) -> None:
        self._packed, self._left = packed, max(UNPACKED, SWELLS * size)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As of any raw stream."""
        found = self._packed.readinto(buffer)
        self._left -= found
        if self._left < 0:
            raise Unreadable(f"unpacks to over {SWELLS} times its size")
        return found


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when it is gzip. Raises Unreadable for whatever goes wrong, and
    for zip archives and gzip bombs."""
    try:
        with path.open("rb") as plain:
            if plain.peek(2)[:2] != _GZIP:
                yield _no_zip(plain)
                return
            size = os.fstat(plain.fileno()).st_size or UNPACKED  # a pipe tells no size
            with gzip.open(plain) as packed:
                yield _no_zip(io.BufferedReader(_Unpacked(packed, size), PIECE))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(f"is damaged: {error}") from error
    except OSError as error:
        raise Unreadable(f"can not be read: {error.strerror or error}") from error


def _no_zip(file: io.BufferedReader) -> BinaryIO:
    """The file itself. Raises Unreadable where it is a zip archive."""
    if file.peek(4)[:4] in _ZIPS:
        raise Unreadable("is a zip archive: unpack it first")
    return file


def rows(
    reading: Reading, columns: Mapping[str, str], *, warn_unknown: bool = False
) -> Iterator[Raw]:
    """The rows of a CSV file as our columns, which ``columns`` maps to the file's own names.

    Raises Unreadable where the header lacks a required column, or the file is no CSV.
    """
    with reading.opened() as file:
        found = records(file)
        header = _header(next(found, None))
        _demand(reading, columns, header)
        if warn_unknown and (unknown := [n for n in header if n not in columns.values()]):
            named = ", ".join(shown(name) for name in unknown)
            reading.warn(f"left out the unknown columns {named}; it takes {', '.join(columns)}")
        places = [
            (ours, header.index(theirs)) for ours, theirs in columns.items() if theirs in header
        ]
        for record in found:
            if (fault := _fault(record, header)) is not None:
                yield Raw(reading.path, record.line, {}, fault)
            else:
                cells = {ours: record.cells[place] for ours, place in places}
                yield Raw(reading.path, record.line, cells, called=columns)


def _demand(reading: Reading, columns: Mapping[str, str], header: list[str]) -> None:
    """Raises Unreadable naming the required columns that the header lacks, as the file calls them."""
    required = set(reading.kind.required)
    if not reading.workspace_given:
        required.add(WORKSPACE)
    missing = [t for ours, t in columns.items() if ours in required and t not in header]
    if missing:
        raise Unreadable(
            f"lacks the required column{'s' * (len(missing) > 1)} {', '.join(missing)};"
            f" its header is {shown(','.join(header))}"
        )


def _header(record: Record | None) -> list[str]:
    """The column names. Raises Unreadable."""
    if record is None:
        raise Unreadable("is empty: it takes a header line with the column names")
    if record.fault:
        raise Unreadable(record.fault[1])
    if "\0" in "".join(record.cells):
        raise Unreadable(f"holds NUL bytes in line {record.line}: it is no UTF-8 text")
    if "\r" in "".join(record.cells):
        raise Unreadable("ends its lines with CR alone: save it with LF or CRLF")
    if record.width > CELLS:
        raise Unreadable(f"has {record.width} columns; at most {CELLS} are read")
    header = [name.strip().lower() for name in record.cells]
    twice = {name for name in header if name and header.count(name) > 1}
    if twice:
        raise Unreadable(f"names a column twice: {', '.join(sorted(map(shown, twice)))}")
    return header


def _fault(record: Record, header: list[str]) -> Fault | None:
    """Why the record as a whole can not be read, or None."""
    if record.fault is not None:
        place, reason = record.fault
        if place < 0:
            place = next((i for i, c in enumerate(record.cells) if _NOT_UTF8.search(c)), place)
        return Fault(header[place] if 0 <= place < len(header) else "", reason)
    if record.width != len(header):
        return Fault("", f"has {record.width} cells where the header has {len(header)}")
    return None
