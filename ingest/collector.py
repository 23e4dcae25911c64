"""Python's search for circles of objects, seldom during an import."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL, RARELY = gc.get_threshold(), 50_000
"""New objects after which Python looks for circles of them: usually, and during an import."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Has Python look for circles of objects seldom: an import makes millions of objects, none of them in
    one, and to look costs a quarter of its time."""
    gc.set_threshold(RARELY, *USUAL[1:])
    try:
        yield
    finally:
        gc.set_threshold(*USUAL)
