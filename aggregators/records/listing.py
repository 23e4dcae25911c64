"""Query of the records behind a domain's figures, for its page in a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """A query with a row per record and the columns that the domain's ``Listing`` names.

    Its parameters are ``w``, ``zone``, ``first``, ``last`` and those of the rules of counting, beside
    the CTEs of ``clock.CLOCK`` with the last day alone. ``unique`` are its unique columns, which decide
    between equals; ``links`` the condition that each parameter of a link adds; ``filled`` the columns that
    are never null and that an index orders, in either direction.
    """

    sql: str
    unique: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    filled: tuple[str, ...] = ()


def yes_no(condition: str) -> str:
    """SQL: a condition as the words of a flag."""
    return f"case when {condition} then 'yes' else 'no' end"
