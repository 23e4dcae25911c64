"""Statements as they are stored in PostgreSQL: written as JSON, and read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import Manner, Statement, Value
from ingest.kept.upkeep import COMPACTED
from storage.arrays import array

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Receipt of the statement that a record of before makes: whatever was received is newer."""


def encode_assertions(assertions: Mapping[str, Value]) -> bytes:
    """Words as they are stored: JSON whose keys are in order, instants in UTC."""
    return orjson.dumps(assertions, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def decode_assertions(kind: RecordKind, assertions: Mapping[str, Any]) -> dict[str, Value]:
    """Words as they were told: instants and days by the kind's fields."""
    return {
        name: READ[kind.types[name]](value) if value is not None and name in kind.types else value
        for name, value in assertions.items()
    }


READ: Mapping[str, Callable[[str], Value]] = {
    "instant": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def digest(statement: Statement, assertions: bytes) -> bytes:
    """Digest that tells a statement from every other about the same record; its receipt does not."""
    at = statement.at.timestamp() if statement.at else ""
    head = f"{statement.source}\0{statement.manner:d}\0{at}\0{statement.sequence}\0"
    return hashlib.blake2b(head.encode() + assertions, digest_size=16).digest()


OTHERS = text("""
select s.identity, s.source, s.manner, s.assertions, s.at, s.sequence, s.received_at from statement s
left join unnest(cast(:known as text[]), cast(:digests as bytea[])) as k(identity, digest)
  on k.identity = s.identity and k.digest = s.digest
where s.workspace_id = :w and s.kind = :kind and s.identity = any(cast(:identities as text[]))
  and k.identity is null
""")
"""Statements about the identities, but for those that the program holds."""


def statements_of(
    connection: Connection,
    kind: RecordKind,
    workspace_id: int,
    identities: Iterable[str],
    at_hand: Mapping[tuple[str, bytes], Statement],
) -> dict[str, list[Statement]]:
    """All that was said of the identities."""
    values = {
        "w": workspace_id,
        "kind": kind.name,
        "identities": array(identities),
        "known": array(identity for identity, _ in at_hand),
        "digests": array(made for _, made in at_hand),
    }
    by_identity: dict[str, list[Statement]] = {}
    for (identity, _), statement in at_hand.items():
        by_identity.setdefault(identity, []).append(statement)
    for row in connection.execute(OTHERS, values).all():
        by_identity.setdefault(row.identity, []).extend(_statements_of_row(kind, row))
    return by_identity


def _statements_of_row(kind: RecordKind, row: Any) -> list[Statement]:
    """The statements of one stored row: itself, or those that were compacted into it."""
    if row.manner == COMPACTED:
        return [
            Statement(
                source,
                decode_assertions(kind, assertions),
                datetime.fromisoformat(received),
                datetime.fromisoformat(at) if at else None,
                sequence,
                Manner(manner),
            )
            for source, manner, assertions, at, sequence, received, *_ in row.assertions["of"]
        ]
    manner = Manner(row.manner)
    return [
        Statement(
            row.source,
            decode_assertions(kind, row.assertions),
            row.received_at,
            row.at,
            row.sequence,
            manner,
        )
    ]
