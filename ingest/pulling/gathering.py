"""Pages that follow each other fast are written together: a transaction costs more than a page.

A page waits a second at most, so a sender that takes its time has each page kept at once, and a process
that is killed reads again what came within that second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ingest.pulling.shape import PulledPiece

SECONDS, MOST = 1.0, 25
"""How long a page waits for others; how many are written at once."""


def gather_pages(
    pieces: Iterable[PulledPiece], clock: Callable[[], float] = time.monotonic
) -> Iterator[PulledPiece]:
    """The pieces, those joined that say that another one of their list follows. What has been read is given
    before an error of the reading goes on."""
    waiting: PulledPiece | None = None
    since, pages = 0.0, 0
    try:
        for piece in pieces:
            if waiting is not None and _list_of(waiting) != _list_of(piece):
                yield waiting
                waiting = None
            if waiting is None:
                waiting, since, pages = piece, clock(), 1
            else:
                waiting, pages = _join_pages(waiting, piece), pages + 1
            if not piece.follows or pages == MOST or clock() - since > SECONDS:
                yield waiting
                waiting = None
    except Exception:
        if waiting is not None:
            yield waiting
        raise
    if waiting is not None:
        yield waiting


def _list_of(piece: PulledPiece) -> tuple[object, ...]:
    return piece.scope, piece.stream, piece.form


def _join_pages(earlier: PulledPiece, later: PulledPiece) -> PulledPiece:
    """Two pages of one list as one, with the cursor of the later."""
    instants = [at for at in (earlier.first, later.first) if at is not None]
    return replace(
        later,
        content=_array(earlier.content, later.content),
        first=min(instants, default=None),
        items={**earlier.items, **later.items},
        done=[*earlier.done, *later.done],
        listed={**earlier.listed, **later.listed},
    )


def _array(earlier: bytes | None, later: bytes | None) -> bytes | None:
    """Two arrays of JSON as one."""
    if earlier is None or later is None:
        return earlier or later
    return earlier.strip()[:-1] + b"," + later.strip()[1:]
