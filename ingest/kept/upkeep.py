"""Upkeep of statements: one writer of a workspace at a time, and a record's old statements in one row.

Compacting changes how statements are stored, never what they say. A record of which something new is told
is opened first, so that whatever compares statements meets them as they were told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from storage.arrays import array

COMPACTED = 9
"""Manner of a stored row that holds several old statements of its record."""
LOCK = 0x5374
BATCH = 2_000
"""Records whose statements are compacted at once."""


def lock_workspace(connection: Connection, workspace_id: int) -> None:
    """Waits until no other transaction writes records of the workspace, and keeps others out until this one
    ends: two folds of one record at a time would each miss what the other was told."""
    connection.execute(
        text("select pg_advisory_xact_lock(:lock, cast(:w as int))"),
        {"lock": LOCK, "w": workspace_id},
    )


OPEN = text("""
with compacted as (
    delete from statement
    where workspace_id = :w and kind = :kind and identity = any(cast(:identities as text[]))
      and manner = 9
    returning identity, assertions
)
insert into statement (workspace_id, kind, identity, source, manner, assertions, at, sequence, received_at,
                       digest, delivery)
select :w, :kind, c.identity, e ->> 0, cast(e ->> 1 as smallint), e -> 2, cast(e ->> 3 as timestamptz),
       cast(e ->> 4 as bigint), cast(e ->> 5 as timestamptz), decode(e ->> 6, 'hex'),
       cast(e ->> 7 as uuid)
from compacted c, jsonb_array_elements(c.assertions -> 'of') as e
on conflict (workspace_id, kind, identity, digest) do nothing
""")


def open_up(
    connection: Connection, kind: str, workspace_id: int, identities: Sequence[str]
) -> None:
    """Stores what was compacted of these records as it was told."""
    values = {"w": workspace_id, "kind": kind, "identities": array(identities)}
    connection.execute(OPEN, values)


MANY = text("""
select kind, identity from statement
where workspace_id = :w and received_at < :before and (kind, identity) > (:kind, :identity)
group by kind, identity
having count(*) > 1 and not bool_or(assertions ? 'merged_into')
order by kind, identity limit :batch
""")
"""Records of which several old statements are stored. Mergers are looked up by their own words."""

CLOSE = text("""
with old as (
    delete from statement
    where workspace_id = :w and kind = :kind and identity = any(cast(:identities as text[]))
      and received_at < :before
    returning *
)
insert into statement (workspace_id, kind, identity, digest, source, manner, assertions, received_at)
select :w, :kind, o.identity, decode('00', 'hex'), '', 9, jsonb_build_object(
           'of', jsonb_agg(jsonb_build_array(
               o.source, o.manner, o.assertions, o.at, o.sequence, o.received_at, encode(o.digest, 'hex'),
               o.delivery) order by o.received_at, o.digest),
           'rows_of', coalesce(jsonb_agg(distinct o.source) filter (where o.manner = 1), '[]')),
       max(o.received_at)
from old o group by o.identity
""")


def compact(connection: Connection, workspace_id: int, before: datetime) -> int:
    """Stores the statements that were received before then, of each record that has several, in one row
    each; returns of how many records, at most a batch. In the workspace's job context."""
    lock_workspace(connection, workspace_id)
    values = {"w": workspace_id, "before": before, "kind": "", "identity": "", "batch": BATCH}
    by_kind: dict[str, list[str]] = {}
    for kind, identity in connection.execute(MANY, values):
        by_kind.setdefault(kind, []).append(identity)
    for kind, identities in by_kind.items():
        open_up(connection, kind, workspace_id, identities)
        connection.execute(CLOSE, values | {"kind": kind, "identities": array(identities)})
    return sum(map(len, by_kind.values()))
