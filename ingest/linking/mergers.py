"""Mergers: records that are part of others, along whole chains, and what they lend those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import Statement, Value
from ingest.linking.links import Links, told_by_rule
from storage.arrays import array

MERGES = 100
"""How many records a chain of mergers may have."""


MERGED = """
select identity, assertions ->> 'key' as key, assertions ->> 'merged_into' as into_key from statement
where workspace_id = :w and kind = :kind and assertions ? 'merged_into'
  and (identity = any(cast(:identities as text[]))
       or assertions ->> 'merged_into' = any(cast(:identities as text[])){more})
order by manner = 2, coalesce(at, received_at), sequence, into_key
"""
OF_SEVERAL = """ or exists (select from unnest(cast(:beginnings as text[])) b
                 where starts_with(assertions ->> 'merged_into', b))"""
"""Mergers, the word that counts last: one by hand, else the latest. Those into one of several records of an
identity are looked for apart: no index knows them."""


class MergedRecord(NamedTuple):
    """Record that was merged into another: its identity, and its key, which is another one where an
    identity has several records."""

    identity: str
    key: str


def lent_by(kind: RecordKind, statements: Sequence[Statement], key: str) -> list[Statement]:
    """Statements that a merged record, by its identity's statements and its key, lends the other one."""
    return kind.fold.lend(statements, key) if kind.fold.lend else []


def home(kind: RecordKind, key: str) -> str:
    """Identity under which what is said of a record is kept, by its key."""
    return kind.fold.home(key) if kind.fold.home else key


def merged_records(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    identities: Sequence[str],
    links: Links | None,
) -> tuple[dict[MergedRecord, str], set[str]]:
    """Merged records to their parents' keys: every merger that touches the identities, along the chain; and
    the identities that these, and the links of a rule, touch."""
    if kind.fold.lend is None:
        return {}, set()
    into: dict[MergedRecord, str | None] = {}
    unread: set[str] = set(identities)
    known: set[str] = set()
    for _ in range(MERGES):
        unread -= known
        if not unread:
            break
        known |= unread
        unread, whole = set(), unread
        for row in _mergers(connection, kind, workspace_id, sorted(whole)):
            if row.identity in whole:  # of another the query finds some mergers, not the last one
                into[MergedRecord(row.identity, row.key or row.identity)] = row.into_key
            parent = {home(kind, row.into_key)} if row.into_key else set()
            unread |= {row.identity, *parent}
        unread |= links.linkable_identities(connection, sorted(whole)) if links else set()
    return {child: parent for child, parent in into.items() if parent}, known | unread


def link(
    links: Links, into: dict[MergedRecord, str], statements: dict[str, list[Statement]]
) -> None:
    """Adds the links of the rules to the mergers, and to what was said."""
    for (identity, key), parent in links.parents_by_rule(statements).items():
        into[MergedRecord(identity, key)] = parent
        statements[identity] = [*statements[identity], told_by_rule(key, parent)]


def _mergers(
    connection: Connection, kind: RecordKind, workspace_id: int, identities: Sequence[str]
) -> Sequence[Any]:
    values = {"w": workspace_id, "kind": kind.name, "identities": array(identities)}
    begin = kind.fold.keys_begin
    beginnings = [b for i in identities if begin and (b := begin(i))]
    query = MERGED.format(more=OF_SEVERAL if beginnings else "")
    return connection.execute(text(query), {**values, "beginnings": array(beginnings)}).all()


def break_circles(into: dict[MergedRecord, str], statements: dict[str, list[Statement]]) -> None:
    """Takes a merger out of each circle of records that are merged into each other, and out of what was
    said: that of the record whose key comes first, which stands for them all. Else all were lost."""
    by_key = {child.key: child for child in into}
    for child in sorted(into, key=lambda each: each.key):
        key, passed = into[child], {child.key}
        while key in by_key and key not in passed:
            passed.add(key)
            key = into.get(by_key[key], "")
        if key == child.key:
            del into[child]
            statements[child.identity] = [
                _without_merger(each, child) for each in statements.get(child.identity, ())
            ]


def _without_merger(statement: Statement, record: MergedRecord) -> Statement:
    assertions = statement.assertions
    if (
        assertions.get("merged_into") is None
        or (assertions.get("key") or record.identity) != record.key
    ):
        return statement
    return replace(
        statement, assertions={n: v for n, v in assertions.items() if n != "merged_into"}
    )


def note_parts(
    kind: RecordKind, into: Mapping[MergedRecord, str], made: Sequence[dict[str, Value]]
) -> None:
    """Notes with each record the one that a chain of mergers ends in, for kinds that keep it."""
    if "part_of" not in kind.table.c or not into:
        return
    by_key = {child.key: parent for child, parent in into.items()}
    for record in made:
        top = by_key.get(str(record[kind.key[0]]))
        while top in by_key:
            top = by_key[top]
        record["part_of"] = top


def merged_into(
    kind: RecordKind, identity: str, into: Mapping[MergedRecord, str]
) -> list[tuple[MergedRecord, str]]:
    """Records that were merged into one of the identity, at whatever remove, each with the key of that
    one."""
    children = [
        (child, parent)
        for child, parent in into.items()
        if home(kind, parent) == identity and child != (identity, parent)
    ]
    for child, top in children:
        if len(children) > 1_000:
            break
        known = {c for c, _ in children}
        children += [
            (c, top)
            for c, parent in into.items()
            if parent == child.key and c not in known and c != (identity, top)
        ]
    return sorted(children)
