"""Python's collector of garbage, out of the way of a start and of large answers."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Work whose objects stay, such as imports, or are gone when it ends, such as an answer being written:
    the collector would look through all of them again and again, and find nothing. Of several threads in it
    the first to leave has the collector work again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def collect_at_end() -> Iterator[None]:
    """Work within a start whose objects do not stay: they are gone when it ends."""
    was_on = gc.isenabled()
    gc.enable()
    try:
        yield
    finally:
        gc.collect()
        if not was_on:
            gc.disable()


def keep_what_is_there() -> None:
    """Ends a start that began without the collector: it looks at what comes from now on alone."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
