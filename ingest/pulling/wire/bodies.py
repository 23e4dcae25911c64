"""Bodies of answers: whole, unpacked, bounded in size and time."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import urllib3

from ingest.pulling.problems import SourceProblem

PIECE = 65_536
GZIP = 16 + zlib.MAX_WBITS
CUT = "An answer was cut off on its way."


def body_of(response: urllib3.BaseHTTPResponse, largest: int, deadline: float) -> bytes:
    """The whole body, of so many bytes at most. Raises SourceProblem, zlib.error."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    is_packed = encoding in ("gzip", "x-gzip")
    pieces, size = [], 0
    read = _body_pieces(response, not is_packed, deadline)
    for piece in _gunzipped_pieces(read, largest) if is_packed else read:
        pieces.append(piece)
        size += len(piece)
        if size > largest:
            raise SourceProblem("too_large")
    return b"".join(pieces)


def _body_pieces(
    response: urllib3.BaseHTTPResponse, decode_content: bool, deadline: float
) -> Iterator[bytes]:
    """Pieces as they come."""
    while piece := response.read1(PIECE, decode_content=decode_content):  # type: ignore[attr-defined]
        yield piece
        if time.monotonic() > deadline:
            raise SourceProblem("unreachable", "An answer took too long to come.")


def _gunzipped_pieces(pieces: Iterator[bytes], largest: int) -> Iterator[bytes]:
    """Content of gzip, to its end: a client that takes what there is makes half a file of a cut one. Each
    piece is so large at most that whoever counts sees one that is too much."""
    unpacking, is_within = zlib.decompressobj(GZIP), False
    for piece in pieces:
        while piece := piece.lstrip(b"\0") if unpacking.eof else piece:
            if unpacking.eof:  # another part follows the one before
                unpacking = zlib.decompressobj(GZIP)
            yield unpacking.decompress(piece, largest + 1)
            piece = unpacking.unconsumed_tail or unpacking.unused_data
        is_within = not unpacking.eof
    if is_within:
        raise SourceProblem("unreachable", CUT)
