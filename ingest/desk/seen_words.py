"""Words of senders that were seen in a workspace, what each means and where its records fell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from aggregators import catalogue
from aggregators.records.kinds import RecordKind
from aggregators.records.mentions import LINK, OTHER, SAME
from aggregators.records.statements import MENTIONS
from ingest import words
from ingest.desk import linking
from ingest.folding import NO_RECORD
from ingest.kinds import KINDS
from ingest.words import normal_word
from storage.arrays import array

WORKSPACE, ORGANISATION, DEFAULT, UNKNOWN = "workspace", "organisation", "default", "unknown"


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

    def fell(self, records: int, reason: str | None) -> None:
        """Adds records that hold it, which are in no figure for the reason where there is one."""
        self.records += records
        if reason:
            self.in_no_figure[reason] = self.in_no_figure.get(reason, 0) + records


def choices() -> dict[str, tuple[str, ...]]:
    """Meanings that a workspace may choose, by what the words are about."""
    each = catalogue.parts("words").values()
    values = {about: values for module in each for about, values in module.VALUES.items()}
    return {**values, LINK: (SAME, OTHER)}


def only_words() -> dict[str, Sequence[str]]:
    """The words that there are, of subjects that senders say nothing of."""
    each = catalogue.parts("words").values()
    return {about: each_word for m in each for about, each_word in getattr(m, "ONLY", {}).items()}


def fields_of_words() -> dict[str, Mapping[str, Sequence[str]]]:
    """Fields of statements in which words stand, by what they are about and kind of record."""
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


def words_told(kind: RecordKind, names: Sequence[str]) -> str:
    """The query of words, with records of before statements were kept, and the words that stand where
    nobody says any."""
    query = SEEN
    words = (
        f"exists (select from statement t where t.workspace_id = :w and t.kind = :kind"
        f" and t.identity = {_identity(kind)})"
    )
    for name in names:
        if name in kind.table.c:
            narrowed = "" if name in kind.fold.defaults else f" and not {words}"
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


def seen_words(connection: Connection, workspace_id: int) -> list[SeenWord]:
    """Words that were seen in a workspace and those that have a meaning of their own, the most frequent
    first, in the job context of the connection."""
    meanings = {
        (origin, about, word): meaning
        for origin, about, word, meaning in connection.execute(TOLD, {"w": workspace_id})
    }
    listed = _of_kinds(connection, workspace_id, meanings, None)
    listed |= _fields(connection, workspace_id, meanings)
    chosen = [(about, word) for _, about, word in meanings if about in choices()]
    chosen += [(about, word) for about, each in only_words().items() for word in each]
    for about, word in chosen:
        listed.setdefault((about, word), _word_with_meaning(about, word, meanings))
    return _in_order(listed.values())


def seen_in(
    connection: Connection, workspace_id: int, records: Mapping[str, Collection[str]]
) -> list[SeenWord]:
    """Words of some records, by kind and identity, in the job context of the connection; of subjects whose
    words rarely mean anything, those that do."""
    meanings = {
        (origin, about, word): meaning
        for origin, about, word, meaning in connection.execute(TOLD, {"w": workspace_id})
    }
    rare = {about for m in catalogue.parts("words").values() for about in getattr(m, "RARE", ())}
    every = _of_kinds(connection, workspace_id, meanings, records).values()
    return _in_order(word for word in every if word.meaning or word.about not in rare)


def _in_order(words: Iterable[SeenWord]) -> list[SeenWord]:
    order = list(choices())
    return sorted(words, key=lambda w: (order.index(w.about), -w.records, w.word))


def _of_kinds(
    connection: Connection,
    workspace_id: int,
    meanings: Mapping[tuple[str, str, str], str],
    records: Mapping[str, Collection[str]] | None,
) -> dict[tuple[str, str], SeenWord]:
    """Words of records of every kind, or of some, with where those fell."""
    listed: dict[tuple[str, str], SeenWord] = {}
    for about, kinds in fields_of_words().items():
        for kind_name, names in kinds.items() if about != LINK else ():
            kind = KINDS[kind_name]
            of = None if records is None else records.get(kind_name, ())
            for word, row, count in _words_and_counts(connection, kind, workspace_id, names, of):
                entry = listed.setdefault(
                    (about, normal_word(word)), _word_with_meaning(about, word, meanings)
                )
                entry.fell(count, _reason(kind, row))
    return listed


def _fields(
    connection: Connection, workspace_id: int, meanings: Mapping[tuple[str, str, str], str]
) -> dict[tuple[str, str], SeenWord]:
    """Fields of senders that name another record which is there, and those that a rule is about."""
    seen: dict[tuple[str, str], SeenWord] = {}
    for each in linking.named_fields(connection, workspace_id):
        entry = seen.get((LINK, each.name)) or _word_with_meaning(LINK, each.name, meanings)
        if each.names_another or entry.origin != DEFAULT:
            seen[LINK, each.name] = entry
            entry.fell(each.records - sum(each.in_no_figure.values()), None)
            for reason, count in each.in_no_figure.items():
                entry.fell(count, reason)
    return seen


TOLD = text("""
select 'workspace', about, word, meaning from word_meaning where workspace_id = :w
union all select 'organisation', about, word, meaning from organisation_meaning
""")


def _words_and_counts(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    names: Sequence[str],
    of: Collection[str] | None,
) -> Iterator[tuple[str, Mapping[str, object] | None, int]]:
    """Each word with what decides whether its records count, and how many those are, ``of`` some
    identities where they are given; None where nothing has made a record yet."""
    columns = "".join(f", r.{name}" for name in kind.fold.uncounted_by)
    query = (
        f"select seen.word, r.workspace_id is not null as is_there{columns}, count(*) as records"
        f" from ({words_told(kind, names)}) seen left join {kind.table.name} r"
        f" on r.workspace_id = :w and {_identity(kind)} = seen.identity"
        f" {'' if of is None else 'where seen.identity = any(cast(:of as text[]))'}"
        f" group by seen.word, is_there{columns}"
    )
    values = {"w": workspace_id, "kind": kind.name, "fields": list(names)}
    for row in connection.execute(text(query), values | {"of": array(of or ())}).mappings():
        yield row["word"], dict(row) if row["is_there"] else None, row["records"]


def _reason(kind: RecordKind, row: Mapping[str, object] | None) -> str | None:
    if row is None:
        return NO_RECORD
    return kind.fold.uncounted(row) if kind.fold.uncounted else None  # type: ignore[arg-type]


def _word_with_meaning(
    about: str, word: str, meanings: Mapping[tuple[str, str, str], str]
) -> SeenWord:
    """A word with its meaning, before it is counted."""
    for origin in (WORKSPACE, ORGANISATION):
        if meaning := meanings.get((origin, about, normal_word(word))):
            return SeenWord(about, normal_word(word), meaning, origin)
    default = words.default_meanings().get(about)
    known = default(normal_word(word)) if default else None
    return SeenWord(about, normal_word(word), known, DEFAULT if known else UNKNOWN)
