"""Rules of incidents over raw records, one by one: which are some, and when each was over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Row = dict[str, Any]


def counted_incidents(rows: Sequence[Row]) -> list[Row]:
    """Incidents that count: not withdrawn, merged into another or a heartbeat."""
    return [i for i in rows if not i.get("left_out")]


def over_since(incident: Row) -> datetime | None:
    """Instant from which an incident was over; one told as over without an instant was never open."""
    resolved: datetime | None = incident["resolved_at"]
    opened: datetime = incident["opened_at"]
    return opened if resolved is None and incident.get("is_over") else resolved
