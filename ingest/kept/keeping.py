"""The statement that keeps what was told, on one server and on the nodes of Citus."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from aggregators.records.statements import EVENT, Statement
from storage.arrays import array
from storage.distributed import is_distributed

StatementKey = tuple[str, bytes]
"""Identity and digest of a statement."""

KEEP = """
with kept as (
insert into statement (workspace_id, kind, identity, digest, source, manner, assertions, at, sequence,
                       received_at, delivery)
select :w, :kind, g.identity, g.digest, g.source, g.manner, g.assertions, g.at, g.sequence, g.received_at,
       :delivery
from unnest(cast(:identities as text[]), cast(:digests as bytea[]), cast(:sources as text[]),
            cast(:manners as smallint[]), cast(:assertions as jsonb[]), cast(:ats as timestamptz[]),
            cast(:sequences as bigint[]), cast(:received as timestamptz[]))
     as g(identity, digest, source, manner, assertions, at, sequence, received_at)
order by g.identity, g.digest
on conflict (workspace_id, kind, identity, digest) do update set received_at = excluded.received_at
where (statement.manner = 0 and excluded.received_at < statement.received_at)
   or (statement.manner <> 0 and excluded.received_at > statement.received_at)
returning identity, digest, {is_new} as is_new
), counted as (select count(*) filter (where is_new) as number from kept)
select cast(null as text) as identity, cast(null as bytea) as digest, null as is_new, number from counted
union all
select identity, digest, is_new, null from kept where (select number from counted) < :told
"""
"""A statement that stands already is not kept twice: an event has its first receipt. A row that is told
again has its last one, whatever was told between or is told later of what was received between. Returns
how many are new; and, unless all of those told are, which are kept, and which of those are new."""
ON_ONE_SERVER = text(KEEP.format(is_new="(xmax = 0)"))
"""A row that was inserted has no earlier version that anybody locked."""
ON_NODES = text(KEEP.format(is_new="true"))
ALREADY_KEPT = text("""
select s.identity, s.digest from statement s
join unnest(cast(:identities as text[]), cast(:digests as bytea[])) as g(identity, digest)
  on g.identity = s.identity and g.digest = s.digest
where s.workspace_id = :w and s.kind = :kind
""")
"""Of the statements those that stand already. On the nodes of Citus they are asked for before, and nobody
else writes meanwhile."""


class KeptStatements(NamedTuple):
    """Statements that were kept: all that change anything, and of those the ones that are new. The others
    stood, with another receipt."""

    fresh: Set[StatementKey]
    new: Set[StatementKey]


def keep(
    connection: Connection,
    kind: str,
    workspace_id: int,
    statements: Mapping[StatementKey, Statement],
    assertions: Mapping[StatementKey, bytes],
    delivery: UUID | None,
) -> KeptStatements:
    """Keeps the statements, each with its words as they are stored."""
    values = {
        "w": workspace_id,
        "kind": kind,
        "delivery": delivery,
        "told": len(statements),
        "identities": array(identity for identity, _ in statements),
        "digests": array(made for _, made in statements),
        "sources": array(s.source for s in statements.values()),
        "manners": array(int(s.manner) for s in statements.values()),
        "assertions": array(assertions[key].decode() for key in statements),
        "ats": array(s.at for s in statements.values()),
        "sequences": array(s.sequence for s in statements.values()),
        "received": array(s.received_at for s in statements.values()),
    }
    if is_distributed(connection):
        stood = {(i, bytes(digest)) for i, digest in connection.execute(ALREADY_KEPT, values)}
        rows = connection.execute(ON_NODES, values).all()
    else:
        stood = set()
        rows = connection.execute(ON_ONE_SERVER, values).all()
    if rows[0].number == len(statements):
        return KeptStatements(set(statements), set(statements) - stood)
    fresh = {(row.identity, bytes(row.digest)): row.is_new for row in rows[1:]}
    return KeptStatements(set(fresh), {key for key, is_new in fresh.items() if is_new} - stood)


def as_told_last(one: Statement, other: Statement) -> Statement:
    """Of two statements that say the same, the one whose receipt counts."""
    if one.manner is EVENT:
        return min(one, other, key=_receipt)
    return max(one, other, key=_receipt)


def _receipt(statement: Statement) -> datetime:
    return statement.received_at
