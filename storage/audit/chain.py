"""The chain of the audit: what links events, signs its end, and finds what was done to it since.

An event's digest is over all its fields. A link is the SHA-256 of the link before it, its position, the
event's number and that digest. So an event that was changed, taken out, put in or moved breaks the chain
from there; whoever writes the chain anew to its end, which the database's owner alone can, is told by the
signed heads: their key is the program's, not the database's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, text

import instants

PURPOSE = b"vigilo audit head"
LINK = text("select vigilo.link_audit()")
EVENTS = text("""
select l.position, l.event_id, l.hash as link, e.id, e.at, e.actor, e.action, e.subject,
       e.details::text as details, e.hash
from audit_link l full join audit_event e on e.id = l.event_id
where (l.position is not null or not exists (select from audit_unlinked u where u.event_id = e.id))
order by l.position nulls last, e.id
""")
LAST = text("select position, hash from audit_link order by position desc limit 1")
HEADS = text("select position, hash, signed_at, signature from audit_head order by position")
LENGTH = text("""
select (select count(*) from audit_event), count(*), coalesce(max(position), 0) from audit_head
""")
KEEP_HEAD = text("""
insert into audit_head (position, hash, signed_at, signature) values (:position, :hash, :at, :signature)
on conflict (position) do nothing
""")


@dataclass(frozen=True, slots=True)
class AuditBreach:
    """Something that was done to the audit: ``kind`` is changed, missing, reordered, truncated, forged or
    unsigned; ``where`` the event or the position."""

    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


@dataclass(frozen=True, slots=True)
class ChainLength:
    """Numbers of events, of signed heads, and the last position that is signed."""

    events: int
    heads: int
    signed: int


def length(connection: Connection) -> ChainLength:
    """How long the chain is, and how far it is signed."""
    return ChainLength(*connection.execute(LENGTH).one())


def link(connection: Connection) -> int:
    """Links what was committed since, as the job role; how many events."""
    return int(connection.execute(LINK).scalar_one())


@dataclass(frozen=True, slots=True)
class SignedHead:
    """End of the chain that was signed."""

    position: int
    hash: bytes


def sign(connection: Connection, key: str, now: datetime) -> SignedHead | None:
    """Signs the chain's end; None where it is signed already, or there is no event."""
    last = connection.execute(LAST).first()
    if last is None:
        return None
    at = now.astimezone(UTC).replace(microsecond=0)
    values = {
        "position": last.position,
        "hash": bytes(last.hash),
        "at": at,
        "signature": _signature(key, last.position, bytes(last.hash), at),
    }
    is_new = connection.execute(KEEP_HEAD, values).rowcount
    return SignedHead(last.position, bytes(last.hash)) if is_new else None


def breaches(connection: Connection, keys: Sequence[str]) -> Iterator[AuditBreach]:
    """Whatever was done to the audit since it was written, in the order of the chain. ``keys`` are the ones
    that heads may be signed under. Reads row by row; call ``link`` first."""
    heads = {head.position: head for head in connection.execute(HEADS)}
    former, position, newest = b"", 0, 0
    rows = connection.execution_options(stream_results=True, yield_per=1000).execute(EVENTS)
    for row in rows:
        if row.position is None:
            yield AuditBreach("forged", f"event {row.id} is in no chain")
            continue
        if row.position != position + 1:
            yield AuditBreach("missing", f"links {position + 1} to {row.position - 1}")
            former = b""
        position = row.position
        yield from _of_link(row, former, newest, is_known=bool(former) or position == 1)
        former, newest = bytes(row.link), max(newest, row.event_id)
        if position in heads:
            yield from _of_head(heads.pop(position), former, keys)
    for head in heads.values():
        yield AuditBreach(
            "truncated", f"the chain ended at {position}, not at {head.position} as signed"
        )


def _of_link(row: Row[Any], former: bytes, newest: int, *, is_known: bool) -> Iterator[AuditBreach]:
    """Breaches of one link and its event."""
    if row.id is None:
        yield AuditBreach("missing", f"event {row.event_id}")
    elif digest(row._mapping) != bytes(row.hash):
        yield AuditBreach("changed", f"event {row.id}")
    elif is_known and _link_hash(former, row.position, row.event_id, bytes(row.hash)) != bytes(
        row.link
    ):
        kind = "reordered" if row.event_id < newest else "forged"
        yield AuditBreach(kind, f"event {row.id} at link {row.position}")


def _of_head(head: Row[Any], link_hash: bytes, keys: Sequence[str]) -> Iterator[AuditBreach]:
    """Breaches of a signed head."""
    at = head.signed_at.astimezone(UTC)
    signed = (_signature(key, head.position, bytes(head.hash), at) for key in keys)
    if not any(hmac.compare_digest(mac, bytes(head.signature)) for mac in signed):
        yield AuditBreach("unsigned", f"the head at {head.position} has no signature of ours")
    elif bytes(head.hash) != link_hash:
        yield AuditBreach(
            "forged", f"the chain up to {head.position} is not the one that was signed"
        )


def digest(event: RowMapping) -> bytes:
    """Digest of an event, as ``vigilo.audit_digest`` computes it: each field after its length."""
    at = instants.exact(event["at"], "microseconds")
    fields = (
        str(event["id"]),
        at,
        event["actor"],
        event["action"],
        event["subject"],
        event["details"],
    )
    return hashlib.sha256("".join(map(_field, fields)).encode()).digest()


def _field(value: str | None) -> str:
    return "-," if value is None else f"{len(value.encode())}:{value},"


def _link_hash(former: bytes, position: int, event: int, event_hash: bytes) -> bytes:
    """Hash of a link: the former one, its place, the event's number and hash."""
    numbers = position.to_bytes(8, "big") + event.to_bytes(8, "big")
    return hashlib.sha256(former + numbers + event_hash).digest()


def _signature(key: str, position: int, link_hash: bytes, at: datetime) -> bytes:
    derived = hashlib.sha256(PURPOSE + key.encode()).digest()
    message = position.to_bytes(8, "big") + link_hash + at.isoformat().encode()
    return hmac.digest(derived, message, "sha256")
