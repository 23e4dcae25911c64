"""Instants as programs read them: RFC 3339 in UTC, with Z. How people read them stands in
``aggregators.vocabulary.formats``."""

from __future__ import annotations

from datetime import UTC, datetime


def to_the_second(at: datetime) -> str:
    """2026-11-22T09:05:07Z; parts of a second are cut off."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def exact(at: datetime, timespec: str = "auto") -> str:
    """2026-11-22T09:05:07.250000Z, as exact as it is known, or to ``timespec`` as for ``isoformat``."""
    return at.astimezone(UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"
