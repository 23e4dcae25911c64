"""Quarantine: parts of deliveries that could not be read. Listed, read again, or dropped.

A part is read again with its whole delivery: what was taken of it before changes nothing when it is told
once more, at the delivery's own receipt.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from ingest.door.deliveries import (
    DROPPED,
    QUARANTINED,
    NoSuchDelivery,
    part_shown,
    read_delivery,
)
from storage import audit
from storage.context import job_in
from storage.database import Database
from storage.statement_tables import deliveries, quarantine

Workspace = tuple[int, str]
"""Id and slug."""


class NoSuchPart(LookupError):
    """Nothing with that id lies in the workspace's quarantine."""


class BodyIsGone(LookupError):
    """A delivery can not be read again: its body was kept for the time that a setting says."""


def list_quarantine(
    database: Database, workspace_id: int, limit: int, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """How many parts lie in a workspace's quarantine, and some of them, newest first."""
    own = quarantine.c.workspace_id == workspace_id
    newest = select(quarantine).where(own).order_by(quarantine.c.at.desc(), quarantine.c.id)
    with job_in(database.job, workspace_id) as connection:
        count = connection.execute(select(func.count()).select_from(quarantine).where(own))
        rows = connection.execute(newest.limit(limit).offset(offset)).all()
        return int(count.scalar_one()), [part_shown(row) for row in rows]


def part(database: Database, workspace_id: int, part_id: UUID) -> dict[str, Any]:
    """A part, by its id. Raises NoSuchPart."""
    same = (quarantine.c.workspace_id == workspace_id, quarantine.c.id == part_id)
    with job_in(database.job, workspace_id) as connection:
        row = connection.execute(select(quarantine).where(*same)).first()
    if row is None:
        raise NoSuchPart(f"nothing with the id {part_id} lies in quarantine")
    return part_shown(row)


def replay(database: Database, workspace: Workspace, name: UUID, by: str) -> UUID:
    """Reads a delivery again, named by its id or by that of a part in quarantine; returns its id. Raises
    NoSuchPart, NoSuchDelivery, BodyIsGone."""
    workspace_id, slug = workspace
    with job_in(database.job, workspace_id) as connection:
        row = _delivery(connection, workspace_id, name)
        if row.content is None:
            raise BodyIsGone(f"the body of delivery {row.id} is not kept any more")
        read_delivery(connection, workspace_id, row)
        audit.record(connection, by, "delivery.replay", slug, {"delivery": str(row.id)})
    return UUID(str(row.id))


def _delivery(connection: Connection, workspace_id: int, name: UUID) -> Row[Any]:
    """The delivery of that id, or of the part of that id, kept from whoever else would read it."""
    owner = select(quarantine.c.delivery).where(
        quarantine.c.workspace_id == workspace_id, quarantine.c.id == name
    )
    query = (
        select(deliveries)
        .where(
            deliveries.c.workspace_id == workspace_id,
            or_(deliveries.c.id == name, deliveries.c.id.in_(owner)),
        )
        .with_for_update()
    )
    row = connection.execute(query).first()
    if row is None:
        raise NoSuchDelivery(f"no delivery and no part in quarantine has the id {name}")
    return row


def waiting_deliveries(database: Database, workspace_id: int) -> list[UUID]:
    """Deliveries of which a part lies in quarantine and the body is kept, the oldest first."""
    query = (
        select(deliveries.c.id)
        .where(
            deliveries.c.workspace_id == workspace_id,
            deliveries.c.state == QUARANTINED,
            deliveries.c.content.is_not(None),
        )
        .order_by(deliveries.c.received_at, deliveries.c.id)
    )
    with job_in(database.job, workspace_id) as connection:
        return [UUID(str(each)) for each in connection.execute(query).scalars()]


def drop(database: Database, workspace: Workspace, part_id: UUID, by: str) -> None:
    """Takes a part out of quarantine for good; a delivery without any other is ``dropped``. Raises
    NoSuchPart."""
    workspace_id, slug = workspace
    same = (quarantine.c.workspace_id == workspace_id, quarantine.c.id == part_id)
    with job_in(database.job, workspace_id) as connection:
        row = connection.execute(delete(quarantine).where(*same).returning(quarantine)).first()
        if row is None:
            raise NoSuchPart(f"nothing with the id {part_id} lies in quarantine")
        others = select(quarantine.c.id).where(
            quarantine.c.workspace_id == workspace_id, quarantine.c.delivery == row.delivery
        )
        connection.execute(
            update(deliveries)
            .where(deliveries.c.workspace_id == workspace_id, deliveries.c.id == row.delivery)
            .where(deliveries.c.state == QUARANTINED, ~others.exists())
            .values(state=DROPPED)
        )
        audit.record(connection, by, "quarantine.drop", slug, part_shown(row))
