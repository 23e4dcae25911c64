"""Renewals of certificates over raw records: places of one fingerprint are one certificate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Places = Sequence[dict[str, Any]]
"""Rows of one fingerprint, one a place that serves it."""


def renewed_at(places: Places, inventory: Sequence[Places]) -> datetime | None:
    """Instant from which a renewal is in service: another of the same names and key usage, not revoked,
    that begins after this one began and before it ends, and is known since this one was last seen served.
    None where nothing renews it."""
    names, begins = _names(places), _begins(places)
    ends = max((p["not_after"] for p in places if p["not_after"]), default=None)
    if names is None or begins is None or ends is None:
        return None
    seen = [p["last_seen"] for p in places if p.get("last_seen") and not p["superseded_at"]]
    since = [
        max(start, _first_seen(other))
        for other in inventory
        if (_names(other), _usage(other)) == (names, _usage(places))
        and not any(p["revoked_at"] for p in other)
        and (start := _begins(other)) is not None
        and begins < start < ends
    ]
    return min((s for s in since if not seen or s > max(seen)), default=None)


def _names(places: Places) -> str | None:
    """Greatest of its names; where no place tells any, of its subjects."""
    names = [p["names"] for p in places if p.get("names")]
    return max(names or [p["subject"] for p in places if p.get("subject")], default=None)


def _usage(places: Places) -> str:
    return max(p.get("key_usage") or "" for p in places)


def _begins(places: Places) -> datetime | None:
    return min((p["not_before"] for p in places if p["not_before"]), default=None)


def _first_seen(places: Places) -> datetime:
    return min(seen for p in places if (seen := p["first_seen"] or p["not_before"]))
