"""Links: records that are the same as another by a rule of the workspace.

A rule names a field of senders (``alertmanager labels.pagerduty_incident``) whose value is the key, or the
address, of the record that it is the same as. Which record mentions which is worked out at each fold, from
the statements and the rules alone, so that neither the order in which things come nor that in which rules
are made changes anything. The table ``mention`` is the way back from a key or an address to what mentions
it; it holds nothing where there are no rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.mentions import LINK, SAME, mentioned_values, references, unpack_mentions
from aggregators.records.statements import ADDRESSES, MENTIONS, Statement, Words
from storage.arrays import array

MentionRow = tuple[str, str, bool]
"""Identity, what it mentions, and whether that is its own address."""

RULES = text("""
select word from organisation_meaning where about = :link and meaning = :same
union
select word from word_meaning where workspace_id = :w and about = :link and meaning = :same
""")
NEAR = text("""
with own as (
    select value, is_own from mention
    where workspace_id = :w and kind = :kind and identity = any(cast(:identities as text[]))
)
select m.identity from mention m
where m.workspace_id = :w and m.kind = :kind and m.value = any(cast(:identities as text[])) and not m.is_own
union
select m.identity from mention m join own on own.value = m.value and own.is_own <> m.is_own
where m.workspace_id = :w and m.kind = :kind
union
select s.identity from statement s
where s.workspace_id = :w and s.kind = :kind and s.identity in (select value from own where not is_own)
""")
"""Identities that mention these, and those that these mention, of which something was told."""
BEFORE = """
union
select r.key from {table} r where r.workspace_id = :w and r.key in (select value from own where not is_own)
"""
"""Records of before statements were kept, which these mention."""
KEEP = text("""
insert into mention (workspace_id, kind, identity, value, is_own)
select distinct cast(:w as bigint), :kind, g.identity, g.value, g.is_own
from unnest(cast(:identities as text[]), cast(:values as text[]), cast(:own as boolean[]))
     as g(identity, value, is_own)
on conflict do nothing
""")
CLEAR = text("delete from mention where workspace_id = :w and kind = :kind")
RULE, ALWAYS = "rule", datetime(2000, 1, 1, tzinfo=UTC)
"""Source and receipt of the word that a rule adds to a fold; it is not kept."""


@dataclass(frozen=True, slots=True)
class Links:
    """Rules of a workspace for a kind of record: the names of the fields that name another record."""

    kind: RecordKind
    workspace_id: int
    words: Words

    def names(self, name: str) -> bool:
        """Whether a field of that name names a record that is the same."""
        return self.words(LINK, name) == SAME

    def linkable_identities(self, connection: Connection, identities: Sequence[str]) -> set[str]:
        """Identities that may be linked with these, in one step."""
        values = {
            "w": self.workspace_id,
            "kind": self.kind.name,
            "identities": array(identities),
        }
        query = f"{NEAR.text} {BEFORE.format(table=self.kind.table.name)}"
        return set(connection.execute(text(query), values).scalars())

    def mentions_of(self, identity: str, statement: Mapping[str, object]) -> set[MentionRow]:
        """Mentions of a statement, and its record's own addresses, as the table keeps them."""
        mentioned = unpack_mentions(statement.get(MENTIONS))
        values = [value for name, value in mentioned.items() if self.names(name)]
        mentions = {(identity, each, False) for value in values for each in references(value)}
        own = str(statement.get(ADDRESSES) or "").split()
        return mentions | {(identity, address, True) for address in own}

    def keep(self, connection: Connection, mentions: Iterable[MentionRow]) -> None:
        """Keeps the way back from what is mentioned."""
        rows = sorted(set(mentions))
        if not rows:
            return
        values = {
            "w": self.workspace_id,
            "kind": self.kind.name,
            "identities": array(identity for identity, _, _ in rows),
            "values": array(value for _, value, _ in rows),
            "own": array(is_own for _, _, is_own in rows),
        }
        connection.execute(KEEP, values)

    def parents_by_rule(
        self, statements: Mapping[str, Sequence[Statement]]
    ) -> dict[tuple[str, str], str]:
        """Records, by identity and key, that are the same as another one by a rule, with its key. What a
        sender or a hand says of a merger outranks every rule."""
        parts = self.kind.fold.parts
        if parts is None:
            return {}
        records = _Known(self, statements)
        into: dict[tuple[str, str], str] = {}
        for identity in sorted(statements):
            for key, statements_of_key in parts(identity, statements[identity]).items():
                if any("merged_into" in statement.assertions for statement in statements_of_key):
                    continue
                parent = records.first(identity, mentioned_values(statements_of_key, self.names))
                if parent is not None:
                    into[identity, key] = parent
        return into


class _Known:
    """Records that a mention may name: those that what was told of them makes by itself."""

    def __init__(self, links: Links, statements: Mapping[str, Sequence[Statement]]) -> None:
        self._links, self._statements = links, statements
        self._stands: dict[str, bool] = {}
        self._addresses: dict[str, str] = {}
        for identity in sorted(statements):
            for statement in statements[identity]:
                for address in str(statement.assertions.get(ADDRESSES) or "").split():
                    self._addresses.setdefault(address, identity)

    def first(self, identity: str, values: Iterable[str]) -> str | None:
        """The first record, other than the identity's own, that the values name."""
        for value in values:
            for reference in references(value):
                for key in (reference, self._addresses.get(reference)):
                    if key and key != identity and self._is_there(key):
                        return key
        return None

    def _is_there(self, key: str) -> bool:
        """Whether a record has that key. An incident of an alert has none that a sender could know."""
        if key not in self._stands:
            statements = self._statements.get(key, ())
            made = (
                self._links.kind.fold.records(key, statements, self._links.words)
                if statements
                else {}
            )
            self._stands[key] = key in made and made[key].record is not None
        return self._stands[key]


def links_of(
    connection: Connection, kind: RecordKind, workspace_id: int, words: Words
) -> Links | None:
    """Rules of a workspace for a kind of record; None where there are none."""
    if kind.fold.parts is None:
        return None
    values = {"w": workspace_id, "link": LINK, "same": SAME}
    links = Links(kind, workspace_id, words)
    return links if any(map(links.names, connection.execute(RULES, values).scalars())) else None


def told_by_rule(key: str, parent: str) -> Statement:
    """A link as a statement, for the fold alone."""
    return Statement(RULE, {"key": key, "merged_into": parent}, ALWAYS)


TOLD = """
select s.identity, s.assertions ->> 'mentions' as mentions, s.assertions ->> 'addresses' as addresses
from statement s
where s.workspace_id = :w and s.kind = :kind and s.manner <> 9
  and (s.assertions ? 'mentions' or s.assertions ? 'addresses')
union
select s.identity, e -> 2 ->> 'mentions', e -> 2 ->> 'addresses'
from statement s, jsonb_array_elements(s.assertions -> 'of') e
where s.workspace_id = :w and s.kind = :kind and s.manner = 9
  and (e -> 2 ? 'mentions' or e -> 2 ? 'addresses')
"""
"""Mentions and own addresses, as they were ever told."""
AT_ONCE = 5_000
"""Ways back that are kept in one statement."""


def rebuild(connection: Connection, kind: RecordKind, workspace_id: int, words: Words) -> None:
    """Makes the ways back anew, from all that was told, after the rules have changed."""
    connection.execute(CLEAR, {"w": workspace_id, "kind": kind.name})
    links = links_of(connection, kind, workspace_id, words)
    if links is None:
        return
    batch: set[MentionRow] = set()
    values = {"w": workspace_id, "kind": kind.name}
    for identity, mentions, addresses in connection.execute(text(TOLD), values).all():
        batch |= links.mentions_of(identity, {MENTIONS: mentions, ADDRESSES: addresses})
        if len(batch) > AT_ONCE:
            links.keep(connection, batch)
            batch = set()
    links.keep(connection, batch)
