"""Records that are named by a sender's word, moved to the name that the word has come to mean.

A statement keeps the word as it was told; the identity that it is kept under has the meaning. So two names
of one framework are one set of statements, and to take the meaning back parts them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import Words, resolved_meaning
from ingest import records
from ingest.folding import TellOutcome
from ingest.kept.stored import decode_assertions
from ingest.kept.upkeep import open_up
from ingest.records import SEPARATOR
from ingest.statements import adopt, refold
from storage.arrays import array

BATCH = 2_000
"""Records that are moved at once."""


class MovedBatch(NamedTuple):
    """Identities under which records stand: before they are moved, or once they are."""

    identities: list[str]
    is_moved: bool


def move(
    connection: Connection, kind: RecordKind, workspace_id: int, seen: str, words: Words
) -> Iterator[MovedBatch]:
    """Moves what stands under another name than its word means, a batch at a time; yields each
    before it is moved, and then after. ``seen`` is the query of identities with their words, in the
    job context of the connection."""
    values = {"w": workspace_id, "kind": kind.name, "fields": [kind.named_by]}
    seen_words = connection.execute(text(f"select distinct word from ({seen}) s"), values).scalars()
    names = {word: resolved_meaning(words, kind.named_by, word) for word in seen_words}
    values |= {"words": array(names), "names": array(names.values()), "batch": BATCH}
    misplaced = text(f"""
        select distinct s.identity, {_identity_by_name(kind)} from ({seen}) s join {NAMED} using (word)
        where s.identity <> {_identity_by_name(kind)} order by 1 limit :batch
    """)
    while pairs := connection.execute(misplaced, values).all():
        before, after = sorted({old for old, _ in pairs}), sorted({new for _, new in pairs})
        yield MovedBatch(before, is_moved=False)
        _move(connection, kind, workspace_id, before, after, values)
        refold(connection, kind, workspace_id, {*before, *after}, words, TellOutcome())
        yield MovedBatch(after, is_moved=True)


NAMED = "unnest(cast(:words as text[]), cast(:names as text[])) as n(word, name)"


def _identity_by_name(kind: RecordKind) -> str:
    """Identity of ``s`` by the name ``n``, in SQL."""
    parts = [
        "n.name" if part == kind.named_by else f"split_part(s.identity, chr(31), {number})"
        for number, part in enumerate(kind.key, 1)
    ]
    return " || chr(31) || ".join(parts)


def _move(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    before: list[str],
    after: list[str],
    values: dict[str, object],
) -> None:
    """Moves the statements, and takes away the records that nothing is said of any more."""
    open_up(connection, kind.name, workspace_id, [*before, *after])
    adopt(connection, kind, workspace_id, [*before, *after])
    moving = text(f"""
        update statement s set identity = {_identity_by_name(kind)} from {NAMED}
        where s.workspace_id = :w and s.kind = :kind and s.identity = any(cast(:before as text[]))
          and s.assertions ->> '{kind.named_by}' = n.word and s.identity <> {_identity_by_name(kind)}
    """)
    values = values | {"before": array(before)}
    connection.execute(moving, values)
    left = text(
        "select distinct identity from statement where workspace_id = :w and kind = :kind"
        " and identity = any(cast(:before as text[]))"
    )
    gone = {*before} - {*connection.execute(left, values).scalars()}
    keys = [
        decode_assertions(kind, dict(zip(kind.key, identity.split(SEPARATOR), strict=True)))
        for identity in sorted(gone)
    ]
    records.remove(connection, kind, workspace_id, keys)
