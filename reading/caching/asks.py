"""Asks of the last days, remembered so that they are ready after a snapshot before anybody comes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aggregators.vocabulary.period import Ask
from reading.caching.dashboard_cache import DashboardCache
from storage.identity.proof import Credential
from storage.viewer import Viewer

REMEMBERED, AGAIN = 7 * 24 * 3600.0, 3600.0
"""Seconds for which an ask is remembered, and after which it is noted anew."""
PREFIX = "asked:"


@dataclass(frozen=True, slots=True)
class RememberedAsk:
    """A preset period that a person asked for, and the second when."""

    user_id: int
    email: str
    preset: int
    at: float


def remember(cache: DashboardCache, viewer: Viewer, ask: Ask) -> None:
    """Notes that a viewer asked for a preset, at most once an hour a process. Ranges of days are not
    remembered: they stay those days, and no snapshot makes them new. Nor are comparisons that few choose,
    nor what is read on somebody's behalf: it would keep itself alive."""
    on_behalf = viewer.proof is not None and viewer.proof.kind is Credential.TICKET
    if ask != ask.plain or ask.preset is None or on_behalf:
        return
    key, now = f"{PREFIX}{viewer.user_id}:{ask.preset}", time.time()
    if cache.asked_at.get(key, 0.0) > now - AGAIN:
        return
    cache.asked_at[key] = now
    cache.note(key, RememberedAsk(viewer.user_id, viewer.email, ask.preset, now), REMEMBERED)


def remembered_asks(cache: DashboardCache) -> list[RememberedAsk]:
    """Asks of the last seven days, newest first."""
    asks: list[RememberedAsk] = cache.notes(PREFIX)
    return sorted(asks, key=lambda ask: ask.at, reverse=True)
