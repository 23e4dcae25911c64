"""Python's collector of garbage, out of the way of a start."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Work whose objects stay, such as imports: the collector would look through all of them again each
    time that they have grown by a quarter, and find nothing."""
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
