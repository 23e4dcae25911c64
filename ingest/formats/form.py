"""Shape of a format: for each kind that it has, a function from a file to raw rows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aggregators.records.kinds import RecordKind
from ingest.reader import HEAD, FormatInput, RawRecord, UnreadableFile

Reader = Callable[[FormatInput], Iterator[RawRecord]]
Sniff = Callable[[bytes], bool]


def by_name_only(_head: bytes) -> bool:
    """For formats whose look says nothing."""
    return False


@dataclass(frozen=True, slots=True)
class Signed:
    """How the sender signs: HMAC-SHA256 of the body in hexadecimal, in a header, after a prefix;
    several, with commas between them, while a secret is being changed."""

    header: str
    prefix: str

    def verify(self, body: bytes, given: str, secret: bytes) -> bool:
        """Whether one of the signatures is this secret's."""
        right = self.prefix + hmac.new(secret, body, hashlib.sha256).hexdigest()
        return any(
            hmac.compare_digest(right.encode(), s.strip().encode()) for s in given.split(",")
        )


@dataclass(frozen=True, slots=True)
class Format:
    """A way in which others write records; ``title`` says whose, for people.

    ``readers`` by kind. A file is taken for one of these, though nobody names the format, when it
    has one of ``suffixes`` (or is a directory, where it takes them), or when ``sniff`` recognises
    its first 8 KB. ``ingest``: a file is one event, which the API takes too, ``signed`` by its sender
    where that is given. ``source`` is whose words they are, the name of the format where it is empty.
    """

    name: str
    readers: Mapping[str, Reader]
    title: str = ""
    suffixes: frozenset[str] = frozenset()
    directories: bool = False
    sniff: Sniff = by_name_only
    ingest: bool = False
    signed: Signed | None = None
    source: str = ""

    def looks_like(self, kind: RecordKind, reading: FormatInput) -> bool:
        """Whether the file is this format's by its looks."""
        if kind.name not in self.readers:
            return False
        if reading.content is None and reading.path.is_dir():
            return self.directories
        if reading.content is None and reading.path.suffix.lower() in self.suffixes:
            return True
        try:
            with reading.opened() as file:
                return self.sniff is not by_name_only and self.sniff(_readable(file.read(HEAD)))
        except UnreadableFile:
            return False


def _readable(head: bytes) -> bytes:
    """Beginning of a file in UTF-8 where it is UTF-16."""
    is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return head.decode("utf-16", "ignore").encode("utf-8", "ignore") if is_utf16 else head
