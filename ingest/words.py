"""Meanings of senders' words: what a workspace says, else the organisation, else the domains' own lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from sqlalchemy import Connection, text

from aggregators import catalogue
from aggregators.records.mentions import LINK, OTHER
from aggregators.records.statements import Words
from ingest.kept.upkeep import lock_workspace

Meaning = Callable[[str], str | None]

QUERY = text("""
select about, word, meaning from organisation_meaning
union all
select about, word, meaning from word_meaning where workspace_id = :w
""")
"""The organisation's first, so that the workspace's stand."""


def default_meanings() -> dict[str, Meaning]:
    """Meanings that hold where nobody says otherwise, by what they are about."""
    each = catalogue.parts("words").values()
    known = {about: meaning for module in each for about, meaning in module.MEANINGS.items()}
    return {**known, LINK: lambda _: OTHER}


def normal_word(word: str) -> str:
    """A word as it is compared: case and the space around it do not matter."""
    return " ".join(word.split()).casefold()


def of_workspace(connection: Connection, workspace_id: int) -> Words:
    """Words to fold records of a workspace with, in the job context of the connection; until its
    transaction ends, no other changes a word or a record there."""
    lock_workspace(connection, workspace_id)
    return as_they_stand(connection, workspace_id)


def as_they_stand(connection: Connection, workspace_id: int) -> Words:
    """Words of a workspace to look something up with, in the job context of the connection."""
    meanings: Mapping[tuple[str, str], str] = {
        (about, word): meaning
        for about, word, meaning in connection.execute(QUERY, {"w": workspace_id})
    }
    defaults = default_meanings()

    @cache
    def meaning(about: str, word: str) -> str | None:
        known = meanings.get((about, normal_word(word)))
        if known is not None:
            return known
        default = defaults.get(about)
        return default(normal_word(word)) if default else None

    return meaning
