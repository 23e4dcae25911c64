"""Rules that link records, on the desk: which fields of senders name records that are there, and the
records that a rule concerns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from ingest import records
from ingest.folding import NO_RECORD
from ingest.kinds import KINDS
from ingest.linking.links import TOLD
from ingest.words import normal_word
from storage.arrays import array

NAMES = """
with told as (
    select distinct t.identity, m.key as name, m.value,
           regexp_replace(m.value, '^[a-z]+://[^/]+/([^?#]*/)?([^/?#]+)/?([?#].*)?$', '\\2', 'i') as last
    from ({told}) t cross join lateral jsonb_each_text(cast(t.mentions as jsonb)) m
)
select name, array_agg(distinct identity) as identities, bool_or(exists (
           select from {table} r
           where r.workspace_id = :w and r.key in (told.value, told.last) and r.key <> told.identity
       )) as names_another
from told group by name
"""
"""Names of fields, whose records hold them, and whether a value of theirs is the key of another record."""


class NamedField(NamedTuple):
    """A field of senders by its name as it is compared: how many records hold it and count, how many do
    not, by reason, and whether one of its values is the key of another record."""

    name: str
    records: int
    in_no_figure: dict[str, int]
    names_another: bool


def kinds() -> list[RecordKind]:
    """Kinds of record that rules link."""
    return [kind for kind in KINDS.values() if kind.fold.parts is not None]


def named_fields(connection: Connection, workspace_id: int) -> Iterator[NamedField]:
    """Fields of senders that a rule could be about, in the job context of the connection."""
    for kind in kinds():
        for name, holding in _holding(connection, kind, workspace_id).items():
            rows = records.decisive_columns(
                connection, kind, workspace_id, sorted(holding.identities)
            )
            reasons: dict[str, int] = {}
            if missing := len(holding.identities - {str(row["identity"]) for row in rows}):
                reasons[NO_RECORD] = missing
            for row in rows:
                reason = kind.fold.uncounted(row) if kind.fold.uncounted else None
                if reason:
                    reasons[reason] = reasons.get(reason, 0) + 1
            yield NamedField(name, len(rows) + missing, reasons, holding.names_another)


class _Holding(NamedTuple):
    identities: set[str]
    names_another: bool


def _holding(connection: Connection, kind: RecordKind, workspace_id: int) -> dict[str, _Holding]:
    """Identities that hold a field, by its name as it is compared."""
    query = text(NAMES.format(told=TOLD, table=kind.table.name))
    each: dict[str, _Holding] = {}
    for row in connection.execute(query, {"w": workspace_id, "kind": kind.name}):
        before = each.get(normal_word(row.name), _Holding(set(), names_another=False))
        both = row.names_another or before.names_another
        each[normal_word(row.name)] = _Holding(before.identities | {*row.identities}, both)
    return each


def concerned_identities(
    connection: Connection, kind: RecordKind, workspace_id: int, name: str
) -> tuple[list[str], list[str]]:
    """Identities that hold a field of that name, and those that they are part of as they stand."""
    holding = _holding(connection, kind, workspace_id).get(
        name, _Holding(set(), names_another=False)
    )
    own = "identity" if "identity" in kind.table.c else kind.key[0]
    parents = text(
        f"select distinct merged_into from {kind.table.name} where workspace_id = :w"
        f" and {own} = any(cast(:identities as text[])) and merged_into is not null"
    )
    values = {"w": workspace_id, "identities": array(sorted(holding.identities))}
    return sorted(holding.identities), sorted(connection.execute(parents, values).scalars())
