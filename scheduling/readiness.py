"""Asks of the last days, made ready after a snapshot before people come again."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from filelock import FileLock, Timeout
from sqlalchemy import text

from aggregators.vocabulary.period import Ask
from reading.caching.asks import RememberedAsk, remembered_asks
from reading.caching.cached_dashboard import read_cached
from reading.caching.dashboard_cache import KEPT_SECONDS, DashboardCache
from reading.caching.refresher import background_thread
from reading.dashboard import NotPlatformAdmin
from scheduling.context import ScheduleContext
from storage.context import NotIdentified
from storage.identity import tickets
from storage.viewer import Viewer

MOST_ASKS, SLICE_SECONDS = 1000, 5.0
"""Asks that are made ready after a snapshot; seconds of one run: a program that ends must not be kept."""
LONGEST = timedelta(hours=1)
"""Time after a snapshot for which it goes on. The rest is computed when somebody asks."""
PROGRESS = "ready since"
PUBLISHED = text("select max(finished_at) from snapshot_run where finished_at is not null")


def make_ready(context: ScheduleContext) -> int:
    """Computes what was asked for in the last seven days once for each snapshot and machine, newest first,
    as far as one run gets; returns how many dashboards became ready. Each is read as the person who asked,
    by a ticket of theirs, so it holds what they may see now."""
    settings = context.settings
    cache = DashboardCache(settings.cache_dir or settings.data_dir / "cache")
    thread = background_thread()
    try:
        return thread.submit(_make_waiting, context, cache).result()
    except Timeout:
        return 0  # another process of this machine is at it
    finally:
        thread.shutdown()
        cache.close()


def _make_waiting(context: ScheduleContext, cache: DashboardCache) -> int:
    """Makes the dashboards ready that wait, for as long as a slice lasts; how many."""
    published = _last_published(context)
    if published is None or context.now - published > LONGEST:
        return 0
    cache.disk  # noqa: B018 - makes the folder
    with FileLock(cache.folder / "ready.lock", blocking=False):
        since, done = cache.find_noted(PROGRESS) or (None, frozenset())
        done = done if since == published else frozenset()
        waiting = [
            a for a in remembered_asks(cache)[:MOST_ASKS] if (a.user_id, a.preset) not in done
        ]
        end, count = time.monotonic() + SLICE_SECONDS, 0
        for ask in waiting:
            if time.monotonic() > end:
                break
            count += _make_ready(context, cache, ask)
            done |= {(ask.user_id, ask.preset)}
        if waiting:
            cache.note(PROGRESS, (published, done), KEPT_SECONDS)
    return count


def _last_published(context: ScheduleContext) -> datetime | None:
    """Instant at which the newest snapshot was published; None before the first."""
    with context.database.job.connect() as connection:
        published: datetime | None = connection.execute(PUBLISHED).scalar_one()
    return published


def _make_ready(context: ScheduleContext, cache: DashboardCache, ask: RememberedAsk) -> bool:
    """Makes the dashboard of an ask ready; False where the person may see nothing any more."""
    with context.database.job.begin() as connection:
        proof = tickets.issue(connection, ask.user_id)
    viewer = Viewer(ask.user_id, ask.email, proof=proof)
    settings = context.settings.model_copy(update={"stale_seconds": 0})
    try:
        read_cached(context.database, viewer, Ask(ask.preset), settings, cache)
    except (NotPlatformAdmin, NotIdentified):
        return False
    return True
