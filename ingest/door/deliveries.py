"""Deliveries: what came by a signed door, kept before it is understood; then read into statements.

Accepting a delivery is one insert. Reading it comes after: whatever of it can be read becomes statements,
whatever can not goes to the workspace's quarantine with the reason. Both are one transaction with the note
that the delivery is done, so a process that is killed leaves it waiting, whole.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, Select, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

import instants
from ingest import importer
from ingest.report import ImportOutcome, RejectedRow
from storage.context import job_in
from storage.database import Database
from storage.statement_tables import deliveries, quarantine

log = logging.getLogger("vigilo.ingest")

NOTES = 50
"""Notes and quarantined parts that a delivery's outcome lists one by one."""
WAITING, FOLDED, QUARANTINED, DROPPED = "waiting", "folded", "quarantined", "dropped"


@dataclass(slots=True)
class DeliveryOutcome:
    """Outcome of a delivery: its records, by what was done with them; what was lost of them; how many
    are in no figure, by reason; and what lies in quarantine."""

    read: int = 0
    written: int = 0
    unchanged: int = 0
    quarantined: int = 0
    notes: list[str] = field(default_factory=list)
    in_no_figure: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: ImportOutcome) -> None:
        """Adds what became of the records of one kind."""
        self.read += outcome.read
        self.written += outcome.written
        self.unchanged += outcome.unchanged
        self.quarantined += outcome.rejected + bool(outcome.problem)
        self.notes += outcome.warnings[: max(0, NOTES - len(self.notes))]
        for reason, count in outcome.uncounted.items():
            self.in_no_figure[reason] = self.in_no_figure.get(reason, 0) + count


def accept(
    database: Database,
    workspace_id: int,
    form: str,
    content: bytes,
    *,
    content_type: str = "",
    source: str = "",
) -> UUID:
    """Keeps a delivery; from here on it is not lost. ``source`` is whose token or secret opened the
    door."""
    made = uuid4()
    row = {
        "workspace_id": workspace_id,
        "id": made,
        "format": form,
        "source": source,
        "content_type": content_type[:200],
        "content": content,
        "received_at": datetime.now(UTC),
    }
    with job_in(database.job, workspace_id) as connection:
        connection.execute(insert(deliveries).values(row))
    return made


class NoSuchDelivery(LookupError):
    """No delivery of that workspace has that id, or its time is over."""


def find_delivery(database: Database, workspace_id: int, delivery: UUID) -> dict[str, Any]:
    """A delivery as JSON, with what became of it: state, counts, what was lost, what lies in quarantine,
    and of a file the rows that were refused. Raises NoSuchDelivery."""
    parts = (quarantine.c.workspace_id == workspace_id, quarantine.c.delivery == delivery)
    with job_in(database.job, workspace_id) as connection:
        row = connection.execute(_select_delivery(workspace_id, delivery)).first()
        in_quarantine = connection.execute(
            select(quarantine).where(*parts).order_by(quarantine.c.pointer).limit(NOTES)
        ).all()
    if row is None:
        raise NoSuchDelivery(str(delivery))
    return {
        **delivery_document(row),
        "quarantine": [part_shown(part) for part in in_quarantine],
        "refused": row.outcome.get("refused", []),
    }


def delivery_document(row: Any) -> dict[str, Any]:
    """A delivery as JSON, without its single parts."""
    return {
        "delivery": str(row.id),
        "format": row.format,
        "source": row.source,
        "state": row.state,
        "received_at": instants.exact(row.received_at),
        "is_kept": row.is_kept,
        **asdict(DeliveryOutcome()),
        **{name: value for name, value in row.outcome.items() if name != "refused"},
    }


def part_shown(part: Any) -> dict[str, str]:
    """A part in quarantine as JSON."""
    names = ("id", "delivery", "format", "kind", "pointer", "field", "reason", "record")
    return {name: str(getattr(part, name)) for name in names}


HEAD = (
    *(c for c in deliveries.c if c.name != "content"),
    deliveries.c.content.is_not(None).label("is_kept"),
)
"""Columns of a delivery without its body."""


def _select_delivery(workspace_id: int, delivery: UUID) -> Select[Any]:
    """Query of one delivery's head."""
    return select(*HEAD).where(
        deliveries.c.workspace_id == workspace_id, deliveries.c.id == delivery
    )


def list_deliveries(
    database: Database, workspace_id: int, limit: int, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """How many deliveries of a workspace there are, and some of them, newest first."""
    own = deliveries.c.workspace_id == workspace_id
    newest = select(*HEAD).where(own).order_by(deliveries.c.received_at.desc(), deliveries.c.id)
    with job_in(database.job, workspace_id) as connection:
        count = connection.execute(select(func.count()).select_from(deliveries).where(own))
        rows = connection.execute(newest.limit(limit).offset(offset)).all()
        return int(count.scalar_one()), [delivery_document(row) for row in rows]


def content_of(database: Database, workspace_id: int, delivery: UUID) -> tuple[bytes, str]:
    """Body of a delivery as it came, and its content type. Raises NoSuchDelivery, also where the time of
    the body is over."""
    own = (deliveries.c.workspace_id == workspace_id, deliveries.c.id == delivery)
    with job_in(database.job, workspace_id) as connection:
        query = select(deliveries.c.content, deliveries.c.content_type).where(*own)
        row = connection.execute(query).first()
    if row is None or row.content is None:
        raise NoSuchDelivery(str(delivery))
    return bytes(row.content), row.content_type


def waiting_in(database: Database) -> list[int]:
    """Workspaces in which a delivery waits."""
    with database.job.connect() as connection:
        return list(
            connection.execute(text("select * from vigilo.workspaces_with_deliveries()")).scalars()
        )


def drain(database: Database, workspace_id: int | None = None) -> int:
    """Reads what waits, of one workspace or of all, in the order in which it came; returns how many. No
    workspace waits for more than a few deliveries of another."""
    done = 0
    workspaces = [workspace_id] if workspace_id is not None else waiting_in(database)
    while workspaces:
        for waiting in list(workspaces):
            read = sum(1 for _ in islice(_read_waiting(database, waiting), AT_A_TIME))
            done += read
            if read < AT_A_TIME:
                workspaces.remove(waiting)
    return done


AT_A_TIME = 20
"""Deliveries of one workspace that are read before the next workspace's."""


def _read_waiting(database: Database, workspace_id: int) -> Iterator[UUID]:
    """Reads the waiting deliveries of a workspace, a transaction each."""
    while True:
        with job_in(database.job, workspace_id) as connection:
            row = connection.execute(NEXT, {"w": workspace_id}).first()
            if row is None:
                return
            read_delivery(connection, workspace_id, row)
        yield row.id


NEXT = (
    select(deliveries)
    .where(text("workspace_id = :w and state = 'waiting'"))
    .order_by(deliveries.c.received_at, deliveries.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def read_delivery(connection: Connection, workspace_id: int, row: Any) -> DeliveryOutcome:
    """Makes statements of one delivery (its ``row``), puts the rest in quarantine and notes the outcome,
    within the transaction in its workspace's job context. Raises OperationalError where the database breaks
    off: then the delivery waits on."""
    try:
        with connection.begin_nested():
            outcome, parts = _statements_of(connection, workspace_id, row)
    except OperationalError:
        raise
    except Exception as error:
        log.exception("delivery %s of format %s could not be read", row.id, row.format)
        outcome = DeliveryOutcome(quarantined=1)
        parts = [{"reason": f"{type(error).__name__} while reading"}]
    _put_in_quarantine(connection, workspace_id, row, parts)
    connection.execute(
        update(deliveries)
        .where(deliveries.c.workspace_id == workspace_id, deliveries.c.id == row.id)
        .values(
            state=QUARANTINED if parts else FOLDED,
            outcome=orjson.loads(orjson.dumps(asdict(outcome))),
            folded_at=datetime.now(UTC),
        )
    )
    return outcome


def _statements_of(
    connection: Connection, workspace_id: int, row: Any
) -> tuple[DeliveryOutcome, list[dict[str, Any]]]:
    """Keeps what can be read of a delivery as statements; returns what became of its records, and its parts
    for the quarantine."""
    outcome, parts = DeliveryOutcome(), []
    receipt = importer.Receipt(row.received_at, row.id)
    outcomes = importer.take(
        connection, workspace_id, row.format, row.content, row.content_type, receipt
    )
    for kind, of_kind in outcomes:
        outcome.add(of_kind)
        parts += _unreadable_parts(kind, of_kind)
    return outcome, parts


def _put_in_quarantine(
    connection: Connection, workspace_id: int, row: Any, parts: Sequence[dict[str, Any]]
) -> None:
    """Replaces what lies in quarantine of the delivery."""
    connection.execute(
        text("delete from quarantine where workspace_id = :w and delivery = :d"),
        {"w": workspace_id, "d": row.id},
    )
    if not parts:
        return
    every = {
        "workspace_id": workspace_id,
        "delivery": row.id,
        "format": row.format,
        "at": datetime.now(UTC),
        "kind": "",
        "pointer": "",
        "field": "",
        "record": "",
    }
    connection.execute(insert(quarantine), [{**every, **part, "id": uuid4()} for part in parts])


def _unreadable_parts(kind: str, outcome: ImportOutcome) -> list[dict[str, Any]]:
    """The parts of a delivery that could not be read."""
    parts = [_part(kind, reject) for reject in outcome.rejects]
    if outcome.problem:
        parts.append({"kind": kind, "reason": outcome.problem})
    return parts


def _part(kind: str, reject: RejectedRow) -> dict[str, Any]:
    return {
        "kind": kind,
        "pointer": reject.at or (f"line {reject.line}" if reject.line else ""),
        "field": reject.column,
        "reason": reject.reason,
        "record": reject.record,
    }
