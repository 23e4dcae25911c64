"""Records that a delivery told: those of which it made statements."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select, text

from ingest.kinds import KINDS
from ingest.records import SEPARATOR
from storage.context import job_in
from storage.database import Database

QUERY = text("""
select kind, identity, count(*) over () as total from (
    select kind, identity from statement where workspace_id = :w and delivery = cast(:delivery as uuid)
    union
    select s.kind, s.identity from statement s
    where s.workspace_id = :w and s.manner = 9 and s.received_at >= (
        select received_at from delivery where workspace_id = :w and id = cast(:delivery as uuid)
    ) and exists (
        select from jsonb_array_elements(s.assertions -> 'of') as each
        where each ->> 7 = :delivery
    )
) s order by kind, identity limit :limit
""")
"""Statements of before the retention stand together, several in a row: whose they are is in there."""


class ToldRecord(NamedTuple):
    """A record of which a delivery told something: its kind, and its key as people write it."""

    kind: str
    key: str


def records_of(
    database: Database, workspace_id: int, delivery: UUID, limit: int
) -> tuple[int, list[ToldRecord]]:
    """Of how many records a delivery's statements are kept, and some of those, by kind and key."""
    values = {"w": workspace_id, "delivery": str(delivery), "limit": limit}
    with job_in(database.job, workspace_id) as connection:
        rows = connection.execute(QUERY, values).all()
        by_kind: dict[str, list[str]] = {}
        for row in rows:
            by_kind.setdefault(row.kind, []).append(row.identity)
        records = [
            ToldRecord(kind, key)
            for kind, identities in by_kind.items()
            for key in _keys(connection, kind, workspace_id, identities)
        ]
    return rows[0].total if rows else 0, records


def _keys(
    connection: Connection, kind_name: str, workspace_id: int, identities: list[str]
) -> list[str]:
    """Written keys of the records of these identities, of which each may have several."""
    kind = KINDS[kind_name]
    if kind.fold.split is None:
        return [identity.replace(SEPARATOR, "/") for identity in identities]
    table = kind.table
    key = table.c[kind.key[0]]
    query = select(key).where(
        table.c.workspace_id == workspace_id, table.c.identity.in_(identities)
    )
    return sorted(connection.execute(query).scalars())
