"""Plain files of a tar archive, read as a stream within bounds: nothing is unpacked to disk.

Python's tarfile trusts an archive: a header of some bytes has it take hundreds of megabytes, call itself
without end, or count for days. Here a header's text is bounded, what an archive claims is read and not
believed, and of its extensions only the long names are known.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ingest.reader import UnreadableFile

BLOCK, PIECE = tarfile.BLOCKSIZE, 64 * 1024
LONGEST_HEADER = 1024 * 1024
PAX, LONG_NAME = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.GNUTYPE_LONGNAME
EXTENSIONS = (*PAX, LONG_NAME, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)
WITHOUT_CONTENT = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE,
                   tarfile.FIFOTYPE)  # fmt: skip


class TarFile(NamedTuple):
    """A plain file of an archive; its content is None where it is larger than was allowed."""

    name: str
    content: bytes | None


def files(archive: BinaryIO, ending: str, largest: int, most: int) -> Iterator[TarFile]:
    """The plain files whose names have the ending. Raises UnreadableFile for what is no archive, is cut
    off, or has more than ``most`` headers."""
    long_name = ""
    for _ in range(most + 1):
        header = _header(archive)
        if header is None:
            return
        if header.type in EXTENSIONS:
            text = _extension(archive, header)
            if header.type in PAX:
                long_name = _path(text) or long_name
            elif header.type == LONG_NAME:
                long_name = text.partition(b"\0")[0].decode(errors="replace")
            continue
        name, long_name = long_name or header.name, ""
        if header.type in WITHOUT_CONTENT:
            continue
        is_wanted = header.isreg() and name.endswith(ending)
        if is_wanted and header.size <= largest:
            yield TarFile(name, _content(archive, header.size))
            continue
        _skip(archive, header.size + -header.size % BLOCK)
        if is_wanted:
            yield TarFile(name, None)
    raise UnreadableFile(f"holds more than {most:,} files")


def _header(archive: BinaryIO) -> tarfile.TarInfo | None:
    """The next header; None at the end."""
    block = archive.read(BLOCK)
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
        return None
    except tarfile.HeaderError as error:
        raise UnreadableFile(f"is no archive, or is cut off: {error}") from error
    if header.size < 0:
        raise UnreadableFile("is no archive: a file has less than nothing")
    return header


def _extension(archive: BinaryIO, header: tarfile.TarInfo) -> bytes:
    if header.size > LONGEST_HEADER:
        raise UnreadableFile("has a header of over 1 MB")
    return _content(archive, header.size)


def _content(archive: BinaryIO, size: int) -> bytes:
    content = archive.read(size)
    if len(content) < size:
        raise UnreadableFile("is no archive, or is cut off")
    _skip(archive, -size % BLOCK)
    return content


def _skip(archive: BinaryIO, size: int) -> None:
    """Reads over what is there; how much that is to be, an archive can only claim."""
    while size > 0:
        piece = archive.read(min(size, PIECE))
        if not piece:
            raise UnreadableFile("is no archive, or is cut off")
        size -= len(piece)


def _path(records: bytes) -> str:
    """The name in the records of a pax header, ``LENGTH KEY=VALUE`` each; empty where it has none."""
    start = 0
    while start < len(records):
        space = records.find(b" ", start, start + 8)
        path_bytes = records[start:space] if space > 0 else b""
        if not path_bytes.isdigit() or int(path_bytes) <= len(path_bytes) + 1:
            raise UnreadableFile("has a broken header")
        end = start + int(path_bytes)
        if records.startswith(b"path=", space + 1):
            return records[space + 1 + len(b"path=") : end - 1].decode(errors="replace")
        start = end
    return ""
