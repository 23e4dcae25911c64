"""Order in which names stand wherever people see a list of them.

Unicode's Collation Algorithm in the order of CLDR's root, which is no single language's: "Łódź" stands
among the names with L, "Ängelholm" beside "Angel", capitals beside small letters; and digits count as the
number that they write, so that "Team 2" stands before "Team 10". PostgreSQL's own collations are not asked:
which of them there are depends on how it was built, and the one that comes with the program has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from feruca import collate

NUMBER = re.compile(r"\d+")
LONGEST = 24
"""Digits of a number in a name that are looked at as one number."""

Named = TypeVar("Named")


def places(names: Sequence[str]) -> tuple[int, ...]:
    """Where each of the names stands; equal ones share a place."""
    return _places(tuple(names))


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...]) -> tuple[int, ...]:
    written = [NUMBER.sub(lambda digits: digits[0].zfill(LONGEST), name) for name in names]
    order = {name: at for at, name in enumerate(collate(sorted(set(written)), "default"))}
    return tuple(map(order.__getitem__, written))


def by_name(things: Iterable[Named], name: Callable[[Named], str]) -> list[Named]:
    """The things in the order of their names; equal names as they came."""
    given = list(things)
    at = places([name(each) for each in given])
    return [given[n] for n in sorted(range(len(given)), key=at.__getitem__)]
