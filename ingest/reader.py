"""Reading files, and the rows of CSV with their line numbers: in bounded memory, nothing lost silently.

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
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import orjson

from aggregators.records.kinds import Fault, RecordKind
from aggregators.vocabulary.fields import in_zone

CELL, CELLS, PIECE, HEAD = 65_536, 200, 65_536, 8_192
"""Characters in a cell, cells in a row, bytes read at a time, bytes that tell a format."""

SWELLS, UNPACKED = 200, 256 * 1024 * 1024
"""A gzip that unpacks to more than so many times its size, and to more bytes than that, is a bomb."""

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP, _UTF8_BOM, _UTF16_BOMS = b"\x1f\x8b", codecs.BOM_UTF8, (codecs.BOM_LE, codecs.BOM_BE)
_DELIMITER = re.compile(r"[,\n]")
NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""Surrogates that the decoder's surrogateescape leaves of a byte that is no UTF-8."""


class UnreadableFile(Exception):
    """A file can not be read, or not any further; the message says why and where."""


NO_NAMES: Mapping[str, str] = MappingProxyType({})


class RawRecord(NamedTuple):
    """Record as its file has it: our columns to text, or the fault that kept it from that.

    ``line`` is where it begins, 0 in a file without lines. A ``waived`` column may be empty though
    it is required. ``called`` has the file's own names of columns. ``pointer`` is where a record is in a
    document, as a JSON pointer or an XPath, where lines say little.

    ``event``: it tells what happened at ``at``, an instant of the sender's clock, and need not tell all of
    the record; else it is how its source sees the whole record. ``sequence`` is the sender's order among
    equal instants, ``identity`` stands in for the key where the record is known by something else.
    ``source`` says whose words they are, where a format has several senders.
    """

    file: Path
    line: int
    cells: Mapping[str, str]
    fault: Fault | None = None
    waived: tuple[str, ...] = ()
    called: Mapping[str, str] = NO_NAMES
    pointer: str = ""
    at: str = ""
    event: bool = False
    identity: str = ""
    sequence: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class ListedSpan:
    """Part of time of which a file lists all of its source's records: from ``since`` on, up to ``until``
    where it ends before the present. A record of the span that it lacks, though it was told before, is
    gone."""

    source: str
    since: datetime
    until: datetime | None = None


def nothing_retired(_span: ListedSpan) -> None:
    """For who reads a file and keeps nothing."""


@dataclass(frozen=True, slots=True)
class FormatInput:
    """Input of a format: a file and how to read it. ``warn`` takes sentences about the file as a whole,
    ``lists`` the span that it tells in full.

    ``content`` stands in for the file where an event came over the network; ``columns`` are the names
    that a file has for ours, as ``--map`` gave them; ``tags`` the pattern of tags that are releases;
    ``password`` opens a file that asks for one.
    ``zone`` is that of instants without an offset, in formats that allow them; in CSV only where it was
    ``zone_given``.
    """

    path: Path
    kind: RecordKind
    workspace_given: bool
    warn: Callable[[str], None]
    content: bytes | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    lists: Callable[[ListedSpan], None] = nothing_retired
    zone: tzinfo = UTC
    zone_given: bool = False
    password: str = field(default="", repr=False)

    def instant(self, cell: str) -> str:
        """An instant with its offset, the zone's where it has none; other text as it is."""
        return in_zone(cell, self.zone)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The bytes, unpacked when they are gzip. Raises UnreadableFile."""
        if self.content is not None:
            yield io.BytesIO(self.content)
            return
        with open_bytes(self.path) as file:
            yield file


class CsvRecord(NamedTuple):
    """Line of cells, or several where quotes span them; ``line`` is the first.

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
        at = 0
        while at < len(piece):
            at = self._inside(piece, at) if self.quoted else self._outside(piece, at)
        return piece.endswith("\n") and not self.quoted

    def record(self) -> CsvRecord:
        """Record of the cells read so far."""
        return CsvRecord(self.line, self.cells, self.count, self.fault)

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
        """Reads on outside of quotes, up to the end of a cell; the place behind it."""
        if piece[at] == '"' and (self.closed or not self.size):
            if self.closed:  # a doubled quote: the cell goes on
                self._add('"')
            self.quoted = True
            return at + 1
        delimiter = _DELIMITER.search(piece, at)
        if delimiter is None:
            self._add(piece[at:])
            return len(piece)
        ends_row = delimiter[0] == "\n"
        self._add(piece[at : delimiter.start()].removesuffix("\r" if ends_row else ""))
        self.end_cell()
        return delimiter.end()

    def _add(self, part: str) -> None:
        self.size += len(part)
        if self.size > CELL:
            self.fault = self.fault or (self.count, f"holds more than {CELL // 1024} KB")
        elif part:
            self.parts.append(part)


def records(file: BinaryIO) -> Iterator[CsvRecord]:
    """The records of a CSV file; blank lines are none.

    Raises UnreadableFile at a quote that is never closed.
    """
    scanner, decoder = Scanner(), codecs.getincrementaldecoder("utf-8")("surrogateescape")
    line, offset = 1, 0
    while True:
        piece = _piece(file)
        if offset == 0:
            piece, offset = _without_mark(piece)
        if not scanner.begun and (cells := _plain_cells(piece)):
            offset, line = offset + len(piece), line + 1
            scanner.line = line
            if cells != [""]:
                yield CsvRecord(line - 1, cells[:CELLS], len(cells))
            continue
        undecoded = len(decoder.getstate()[0])
        text = decoder.decode(piece, final=not piece)
        if not text.isascii() and (bad := NOT_UTF8.search(text)):
            before = len(text[: bad.start()].encode("utf-8", "surrogateescape"))
            reason = f"is not UTF-8 at line {line}, byte {offset - undecoded + before}"
            scanner.fault = scanner.fault or (-1, reason)
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


def _plain_cells(piece: bytes) -> list[str] | None:
    """Cells of the common line, one without a quote, ten times as fast; None of any other piece."""
    if not piece.endswith(b"\n") or b'"' in piece:
        return None
    try:
        return piece.decode().rstrip("\r\n").split(",")
    except UnicodeDecodeError:  # which byte is at fault is found piece by piece
        return None


def _piece(file: BinaryIO) -> bytes:
    """The next line or part of one; a CR is not torn from what follows it."""
    piece = file.readline(PIECE)
    if not piece.endswith(b"\r"):
        return piece
    after = file.read(1)
    return piece + after if after else piece[:-1] + b"\n"


def _last(scanner: Scanner) -> Iterator[CsvRecord]:
    """The record of a last line without a line end."""
    if scanner.quoted:
        raise UnreadableFile(
            f"line {scanner.line}: a quoted cell begins here and never ends; nothing from this line on"
            " was read"
        )
    if scanner.begun:
        scanner.end_cell()
        yield scanner.record()


def _without_mark(first: bytes) -> tuple[bytes, int]:
    """The first piece without its byte order mark, and the mark's length."""
    if first.startswith(_UTF16_BOMS):
        raise UnreadableFile("is UTF-16, not UTF-8 (line 1, byte 0): save it as UTF-8")
    size = len(_UTF8_BOM) if first.startswith(_UTF8_BOM) else 0
    return first[size:], size


class _Unpacked(io.RawIOBase):
    """Content of a gzip, no more than is plausible for its size. Raises UnreadableFile beyond."""

    def __init__(self, packed: gzip.GzipFile, size: int) -> None:
        self._packed, self._left = packed, max(UNPACKED, SWELLS * size)

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As of any raw stream."""
        count = self._packed.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise UnreadableFile(f"unpacks to over {SWELLS} times its size")
        return count


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when it is gzip. Raises UnreadableFile for whatever goes wrong, and
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
        raise UnreadableFile(f"is damaged: {error}") from error
    except OSError as error:
        raise UnreadableFile(f"can not be read: {error.strerror or error}") from error


def _no_zip(file: io.BufferedReader) -> BinaryIO:
    """The file itself. Raises UnreadableFile where it is a zip archive."""
    if file.peek(4)[:4] in _ZIPS:
        raise UnreadableFile("is a zip archive: unpack it first")
    return file


HOPELESS = 1_000
"""Parts of a file that can not be read, before any that can, after which it is given up."""


def until_hopeless(rows: Iterator[RawRecord]) -> Iterator[RawRecord]:
    """The rows. Raises UnreadableFile where so many of the first ones are none: a megabyte of empty objects
    is no file of events, and costs seconds."""
    for unreadable, raw in enumerate(rows):
        if raw.fault is None:
            yield raw
            yield from rows
            return
        if unreadable >= HOPELESS:
            raise UnreadableFile(f"none of its first {HOPELESS:,} parts can be read; given up")
        yield raw


SMALL, LONG_NUMBER = 2**20, re.compile(rb"[\[:,\s-]\d{16}")


def small_array(content: bytes, deepest: int) -> list[Any] | None:
    """A small array of JSON, read at once, which takes a twentieth of the time that a stream does; None for
    anything else, and where it holds what readers differ on: numbers of many digits, or what is nested
    deeper."""
    if not content or len(content) > SMALL or LONG_NUMBER.search(content):
        return None
    try:
        items = orjson.loads(content)
    except ValueError:
        return None
    return items if isinstance(items, list) and _is_within(items, deepest) else None


def _is_within(value: Any, levels: int) -> bool:
    """Whether nothing in it is nested deeper."""
    if not isinstance(value, (dict, list)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_within(each, levels - 1) for each in inner)
