"""Meanings of senders' words in a workspace: set, and taken back.

Setting one folds every record that holds the word anew, in the one transaction that keeps the meaning, and
marks the days that it touches: nobody sees some records by the old meaning and others by the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.mentions import LINK
from aggregators.records.statements import Words
from aggregators.vocabulary import fields
from ingest import words
from ingest.desk import linking, renaming
from ingest.desk.seen_words import choices, fields_of_words, only_words, words_told
from ingest.due.marks import mark
from ingest.due.remake import EVER, first_instant
from ingest.folding import TellOutcome
from ingest.kinds import KINDS
from ingest.linking.links import rebuild
from ingest.lists.asset_lists import renew
from ingest.lists.whole_lists import RESULTS
from ingest.statements import refold
from ingest.words import normal_word
from storage import audit
from storage.context import job_in
from storage.database import Database

Workspace = tuple[int, str]
"""Id and slug."""
BATCH = 2_000
"""Records that are folded anew at once."""


class NoSuchMeaning(ValueError):
    """Words are about nothing of that name, or have no such meaning; ``field`` says which of the three."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field, self.reason = field, reason


def change(
    database: Database, workspace: Workspace, about: str, word: str, meaning: str | None, by: str
) -> int:
    """Sets a meaning of a workspace, or takes it back (None); returns how many records hold the word.
    Raises NoSuchMeaning."""
    word, meaning = check(about, word, meaning)
    workspace_id, slug = workspace
    with job_in(database.job, workspace_id) as connection:
        touched = set_meaning(connection, workspace_id, about, word, meaning, by)
        details = {"about": about, "word": word, "meaning": meaning}
        audit.record(connection, by, "mapping.set" if meaning else "mapping.unset", slug, details)
    return touched


def set_meaning(
    connection: Connection, workspace_id: int, about: str, word: str, meaning: str | None, by: str
) -> int:
    """Sets a meaning that was checked, or takes it back, in the job context of the connection; returns how
    many records hold the word."""
    words.of_workspace(connection, workspace_id)
    values = {"w": workspace_id, "about": about, "word": word, "meaning": meaning, "by": by}
    connection.execute(UNSET if meaning is None else SET, values)
    return _refold_records(connection, workspace_id, about, word)


def change_default(
    database: Database,
    workspaces: Sequence[Workspace],
    about: str,
    word: str,
    meaning: str | None,
    by: str,
) -> int:
    """Sets a meaning for all workspaces that have none of their own, or takes it back. Broken off, the
    meaning stands, and to set it again folds what is left. Raises NoSuchMeaning."""
    word, meaning = check(about, word, meaning)
    values = {"about": about, "word": word, "meaning": meaning, "by": by}
    with database.job.begin() as connection:
        connection.execute(UNSET_DEFAULT if meaning is None else SET_DEFAULT, values)
        details = {"about": about, "word": word, "meaning": meaning}
        audit.record(connection, by, "mapping.set" if meaning else "mapping.unset", "*", details)
    touched = 0
    for workspace_id, _ in workspaces:
        with job_in(database.job, workspace_id) as connection:
            touched += _refold_records(connection, workspace_id, about, word)
    return touched


SET = text("""
insert into word_meaning (workspace_id, about, word, meaning, set_by)
values (:w, :about, :word, :meaning, :by)
on conflict (workspace_id, about, word) do update
set meaning = excluded.meaning, set_by = excluded.set_by, set_at = excluded.set_at
""")
UNSET = text("delete from word_meaning where workspace_id = :w and about = :about and word = :word")
SET_DEFAULT = text("""
insert into organisation_meaning (about, word, meaning, set_by) values (:about, :word, :meaning, :by)
on conflict (about, word) do update
set meaning = excluded.meaning, set_by = excluded.set_by, set_at = excluded.set_at
""")
UNSET_DEFAULT = text("delete from organisation_meaning where about = :about and word = :word")


def check(about: str, word: str, meaning: str | None) -> tuple[str, str | None]:
    """The word as it is compared, and the meaning. Raises NoSuchMeaning."""
    known = choices()
    if about not in known:
        raise NoSuchMeaning("about", f"takes one of {', '.join(known)}; got {about[:40]!r}")
    if not normal_word(word):
        raise NoSuchMeaning("word", "is empty")
    only = only_words().get(about)
    if only and normal_word(word) not in only:
        raise NoSuchMeaning("word", f"takes {', '.join(only)} for {about}; got {word[:40]!r}")
    _name("word", word)
    if meaning is not None and not known[about]:
        return normal_word(word), _name("meaning", meaning)
    if meaning is not None and meaning not in known[about]:
        taken = ", ".join(known[about])
        raise NoSuchMeaning("meaning", f"takes one of {taken} for {about}; got {meaning[:40]!r}")
    return normal_word(word), meaning


def _name(field: str, given: str) -> str:
    """A name as files have them, without the space around it. Raises NoSuchMeaning."""
    if not given.strip():
        raise NoSuchMeaning(field, "is empty")
    try:
        return fields.text(fields.NAME)(given.strip())  # type: ignore[return-value]
    except ValueError as error:
        raise NoSuchMeaning(field, str(error)) from error


def _refold_records(connection: Connection, workspace_id: int, about: str, word: str) -> int:
    """Folds the records that hold the word, a batch at a time, and marks the days that they touch."""
    meanings = words.of_workspace(connection, workspace_id)
    touched = 0
    firsts: list[datetime | None] = [EVER] if about in only_words() else []
    for kind_name, names in fields_of_words()[about].items():
        kind = KINDS[kind_name]
        if about == LINK:
            touched += _linked_anew(connection, kind, workspace_id, word, meanings, firsts)
            continue
        if kind.named_by:
            query = words_told(kind, names)
            for moved in renaming.move(connection, kind, workspace_id, query, meanings):
                firsts.append(first_instant(connection, kind, workspace_id, moved.identities))
                touched += 0 if moved.is_moved else len(moved.identities)
            if kind.name == RESULTS:
                renew(connection, workspace_id, meanings)
            continue
        identities = _holding(connection, kind, workspace_id, names, word)
        firsts += _folded_anew(connection, kind, workspace_id, identities, meanings)
        touched += len(identities)
    mark(connection, workspace_id, min((at for at in firsts if at is not None), default=None))
    return touched


def _linked_anew(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    name: str,
    meanings: Words,
    firsts: list[datetime | None],
) -> int:
    """Folds the records that hold a field anew, with those that they were and are the same as; returns how
    many hold it."""
    identities, parents = linking.concerned_identities(connection, kind, workspace_id, name)
    rebuild(connection, kind, workspace_id, meanings)
    firsts += _folded_anew(
        connection, kind, workspace_id, sorted({*identities, *parents}), meanings
    )
    return len(identities)


def _folded_anew(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    each: Sequence[str],
    meanings: Words,
) -> list[datetime | None]:
    """Folds records anew, a batch at a time; returns the first instants whose figures that touches."""
    firsts: list[datetime | None] = []
    identities = iter(each)
    while batch := list(islice(identities, BATCH)):
        firsts.append(first_instant(connection, kind, workspace_id, batch))
        refold(connection, kind, workspace_id, batch, meanings, TellOutcome())
        firsts.append(first_instant(connection, kind, workspace_id, batch))
    return firsts


def _holding(
    connection: Connection, kind: RecordKind, workspace_id: int, names: Sequence[str], word: str
) -> list[str]:
    """Identities of the records of which the word was told, in any spelling."""
    values = {"w": workspace_id, "kind": kind.name, "fields": list(names)}
    spellings = text(f"select distinct word from ({words_told(kind, names)}) seen")
    variants = [
        w for w in connection.execute(spellings, values).scalars() if normal_word(w) == word
    ]
    query = text(
        f"select distinct identity from ({words_told(kind, names)}) seen"
        " where word = any(cast(:spellings as text[])) order by identity"
    )
    return list(connection.execute(query, values | {"spellings": variants}).scalars())
