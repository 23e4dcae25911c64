"""Reading of answers: one that is not what the sender describes is the sender's problem, with a sentence,
and no failure of the program."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ingest.pulling.problems import CODES, SourceProblem
from storage.context import NoSuchWorkspace

log = logging.getLogger("vigilo.sources")

Read = TypeVar("Read")
MISSHAPEN = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""Errors of code that takes an answer for another than it is."""


@contextmanager
def of_answers() -> Iterator[None]:
    """Makes an error of reading answers a SourceProblem; the log has where."""
    try:
        yield
    except NoSuchWorkspace:
        raise
    except MISSHAPEN as error:
        log.warning("an answer is misshapen: %s: %s", type(error).__name__, error, exc_info=error)
        sentence = f"{CODES['changed_shape']} ({type(error).__name__}; the log has where.)"
        raise SourceProblem("changed_shape", sentence) from error


def read_from(pieces: Iterable[Read]) -> Iterator[Read]:
    """The pieces; raises SourceProblem where answers can not be read."""
    waiting = iter(pieces)
    while True:
        with of_answers():
            try:
                piece = next(waiting)
            except StopIteration:
                return
        yield piece
