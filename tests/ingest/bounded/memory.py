"""Peaks of Python's own memory that do not depend on which tests ran before."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable


def peak(work: Callable[[], object]) -> int:
    """The most bytes that ``work`` held at once.

    A full collection of cycles waits until a quarter of the objects of a process are new, so one in which
    thousands of tests left their objects would collect late and show more. What stands before is frozen.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()
