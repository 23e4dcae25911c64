"""Meanings of senders' words in a workspace: which were seen and where they fell; set, and taken back.

Setting one folds every record that holds the word anew, in the one transaction that keeps the meaning, and
marks the days that it touches: nobody sees some records by the old meaning and others by the new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, text

from aggregators import catalogue
from aggregators.records.kinds import RecordKind
from aggregators.records.mentions import LINK, OTHER, SAME
from aggregators.records.statements import MENTIONS, Words
from aggregators.vocabulary import fields
from ingest import words
from ingest.desk import linking, renaming
from ingest.desk.remake import EVER, first_instant
from ingest.due.marks import mark
from ingest.folding import NO_RECORD, TellOutcome
from ingest.kinds import KINDS
from ingest.linking.links import rebuild
from ingest.statements import refold
from ingest.words import normal
from storage import audit
from storage.context import job_in
from storage.database import Database

Workspace = tuple[int, str]
"""Id and slug."""
BATCH = 2_000
"""Records that are folded anew at once."""
WORKSPACE, ORGANISATION, DEFAULT, UNKNOWN = "workspace", "organisation", "default", "unknown"


class NoSuchMeaning(ValueError):
    """Words are about nothing of that name, or have no such meaning; ``field`` says which of the three."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field, self.reason = field, reason


@dataclass(slots=True)
class SeenWord:
    """A word that statements hold: its meaning, whose meaning that is, and where it fell: how many records
    hold it, and of those that are in no figure how many, by reason."""

    about: str
    word: str
    meaning: str | None
    origin: str
    records: int = 0
    in_no_figure: dict[str, int] = field(default_factory=dict)

    @property
    def counted(self) -> int:
        """Records that are in figures."""
        return self.records - sum(self.in_no_figure.values())


def choices() -> dict[str, tuple[str, ...]]:
    """Meanings that a workspace may choose, by what the words are about."""
    each = catalogue.parts("words").values()
    values = {about: values for module in each for about, values in module.VALUES.items()}
    return {**values, LINK: (SAME, OTHER)}


def _only() -> dict[str, Sequence[str]]:
    """The words that there are, of subjects that senders say nothing of."""
    each = catalogue.parts("words").values()
    return {about: each_word for m in each for about, each_word in getattr(m, "ONLY", {}).items()}


def _said() -> dict[str, Mapping[str, Sequence[str]]]:
    each = catalogue.parts("words").values()
    kinds_by_subject = {about: kinds for module in each for about, kinds in module.SAID.items()}
    return {**kinds_by_subject, LINK: {kind.name: (MENTIONS,) for kind in linking.kinds()}}


SEEN = """
select distinct s.identity, w.word from statement s
cross join lateral (
    select s.assertions ->> f as word from unnest(cast(:fields as text[])) f where s.manner <> 9
    union all
    select e -> 2 ->> f from unnest(cast(:fields as text[])) f, jsonb_array_elements(
        case when s.manner = 9 then s.assertions -> 'of' else '[]' end) e
) w
where s.workspace_id = :w and s.kind = :kind and w.word <> ''
"""
"""Records by identity with each word that was ever told of them."""


def _seen(kind: RecordKind, names: Sequence[str]) -> str:
    """The query of words, with records of before statements were kept, and the words that stand where
    nobody says any."""
    query = SEEN
    told = (
        f"exists (select from statement t where t.workspace_id = :w and t.kind = :kind"
        f" and t.identity = {_identity(kind)})"
    )
    for name in names:
        if name in kind.table.c:
            narrowed = "" if name in kind.fold.defaults else f" and not {told}"
            query += (
                f" union select {_identity(kind)}, r.{name} from {kind.table.name} r"
                f" where r.workspace_id = :w and r.{name} <> ''{narrowed}"
            )
    return query


def _identity(kind: RecordKind) -> str:
    """Identity of a record ``r`` in SQL."""
    if "identity" in kind.table.c:
        return "r.identity"
    return " || chr(31) || ".join(_part(kind, name) for name in kind.key)


def _part(kind: RecordKind, name: str) -> str:
    """Part of an identity in SQL, instants as they are written there."""
    if kind.types.get(name) != "instant":
        return f"cast(r.{name} as text)"
    at = f"r.{name} at time zone 'UTC'"
    return (
        f"(to_char({at}, 'YYYY-MM-DD\"T\"HH24:MI:SS') || case when date_trunc('second', r.{name})"
        f" = r.{name} then '' else to_char({at}, '.US') end || 'Z')"
    )


def seen(connection: Connection, workspace_id: int) -> list[SeenWord]:
    """Words that were seen in a workspace and those that have a meaning of their own, the most frequent
    first, in the job context of the connection."""
    told = {
        (origin, about, word): meaning
        for origin, about, word, meaning in connection.execute(TOLD, {"w": workspace_id})
    }
    listed: dict[tuple[str, str], SeenWord] = {}
    for about, kinds in _said().items():
        for kind_name, names in kinds.items() if about != LINK else ():
            kind = KINDS[kind_name]
            for word, row, count in _fallen(connection, kind, workspace_id, names):
                entry = listed.setdefault((about, normal(word)), _meant(about, word, told))
                entry.records += count
                if reason := _reason(kind, row):
                    entry.in_no_figure[reason] = entry.in_no_figure.get(reason, 0) + count
    listed |= _fields(connection, workspace_id, told)
    chosen = [(about, word) for _, about, word in told if about in choices()]
    chosen += [(about, word) for about, each in _only().items() for word in each]
    for about, word in chosen:
        listed.setdefault((about, word), _meant(about, word, told))
    order = list(choices())
    return sorted(listed.values(), key=lambda w: (order.index(w.about), -w.records, w.word))


def _fields(
    connection: Connection, workspace_id: int, told: Mapping[tuple[str, str, str], str]
) -> dict[tuple[str, str], SeenWord]:
    """Fields of senders that name another record which is there, and those that a rule is about."""
    seen: dict[tuple[str, str], SeenWord] = {}
    for each in linking.named_fields(connection, workspace_id):
        entry = seen.get((LINK, each.name)) or _meant(LINK, each.name, told)
        if each.names_another or entry.origin != DEFAULT:
            seen[LINK, each.name] = entry
            entry.records += each.records
            for reason, count in each.in_no_figure.items():
                entry.in_no_figure[reason] = entry.in_no_figure.get(reason, 0) + count
    return seen


TOLD = text("""
select 'workspace', about, word, meaning from word_meaning where workspace_id = :w
union all select 'organisation', about, word, meaning from organisation_meaning
""")


def _fallen(
    connection: Connection, kind: RecordKind, workspace_id: int, names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, object] | None, int]]:
    """Each word with what decides whether its records count, and how many those are; None where nothing
    has made a record yet."""
    columns = "".join(f", r.{name}" for name in kind.fold.uncounted_by)
    query = (
        f"select seen.word, r.workspace_id is not null as is_there{columns}, count(*) as records"
        f" from ({_seen(kind, names)}) seen left join {kind.table.name} r"
        f" on r.workspace_id = :w and {_identity(kind)} = seen.identity"
        f" group by seen.word, is_there{columns}"
    )
    values = {"w": workspace_id, "kind": kind.name, "fields": list(names)}
    for row in connection.execute(text(query), values).mappings():
        yield row["word"], dict(row) if row["is_there"] else None, row["records"]


def _reason(kind: RecordKind, row: Mapping[str, object] | None) -> str | None:
    if row is None:
        return NO_RECORD
    return kind.fold.uncounted(row) if kind.fold.uncounted else None  # type: ignore[arg-type]


def _meant(about: str, word: str, told: Mapping[tuple[str, str, str], str]) -> SeenWord:
    """A word with its meaning, before it is counted."""
    for origin in (WORKSPACE, ORGANISATION):
        if meaning := told.get((origin, about, normal(word))):
            return SeenWord(about, normal(word), meaning, origin)
    default = words.own().get(about)
    known = default(normal(word)) if default else None
    return SeenWord(about, normal(word), known, DEFAULT if known else UNKNOWN)


def change(
    database: Database, workspace: Workspace, about: str, word: str, meaning: str | None, by: str
) -> int:
    """Sets a meaning of a workspace, or takes it back (None); returns how many records hold the word.
    Raises NoSuchMeaning."""
    word, meaning = check(about, word, meaning)
    workspace_id, slug = workspace
    with job_in(database.job, workspace_id) as connection:
        touched = meant(connection, workspace_id, about, word, meaning, by)
        details = {"about": about, "word": word, "meaning": meaning}
        audit.record(connection, by, "mapping.set" if meaning else "mapping.unset", slug, details)
    return touched


def meant(
    connection: Connection, workspace_id: int, about: str, word: str, meaning: str | None, by: str
) -> int:
    """Sets a meaning that was checked, or takes it back, in the job context of the connection; returns how
    many records hold the word."""
    words.of_workspace(connection, workspace_id)
    values = {"w": workspace_id, "about": about, "word": word, "meaning": meaning, "by": by}
    connection.execute(UNSET if meaning is None else SET, values)
    return _refolded(connection, workspace_id, about, word)


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
            touched += _refolded(connection, workspace_id, about, word)
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
    if not normal(word):
        raise NoSuchMeaning("word", "is empty")
    only = _only().get(about)
    if only and normal(word) not in only:
        raise NoSuchMeaning("word", f"takes {', '.join(only)} for {about}; got {word[:40]!r}")
    _name("word", word)
    if meaning is not None and not known[about]:
        return normal(word), _name("meaning", meaning)
    if meaning is not None and meaning not in known[about]:
        taken = ", ".join(known[about])
        raise NoSuchMeaning("meaning", f"takes one of {taken} for {about}; got {meaning[:40]!r}")
    return normal(word), meaning


def _name(field: str, given: str) -> str:
    """A name as files have them, without the space around it. Raises NoSuchMeaning."""
    if not given.strip():
        raise NoSuchMeaning(field, "is empty")
    try:
        return fields.text(fields.NAME)(given.strip())  # type: ignore[return-value]
    except ValueError as error:
        raise NoSuchMeaning(field, str(error)) from error


def _refolded(connection: Connection, workspace_id: int, about: str, word: str) -> int:
    """Folds the records that hold the word, a batch at a time, and marks the days that they touch."""
    meanings = words.of_workspace(connection, workspace_id)
    touched = 0
    firsts: list[datetime | None] = [EVER] if about in _only() else []
    for kind_name, names in _said()[about].items():
        kind = KINDS[kind_name]
        if about == LINK:
            touched += _linked_anew(connection, kind, workspace_id, word, meanings, firsts)
            continue
        if kind.named_by:
            query = _seen(kind, names)
            for moved in renaming.move(connection, kind, workspace_id, query, meanings):
                firsts.append(first_instant(connection, kind, workspace_id, moved.identities))
                touched += 0 if moved.is_moved else len(moved.identities)
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
    identities, parents = linking.concerned(connection, kind, workspace_id, name)
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
    spellings = text(f"select distinct word from ({_seen(kind, names)}) seen")
    told = [w for w in connection.execute(spellings, values).scalars() if normal(w) == word]
    query = text(
        f"select distinct identity from ({_seen(kind, names)}) seen"
        " where word = any(cast(:spellings as text[])) order by identity"
    )
    return list(connection.execute(query, values | {"spellings": told}).scalars())
