"""Dashboards and their drawings, computed once for everyone who may see the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import Ask
from reading.caching.asks import remember
from reading.caching.dashboard_cache import (
    BROKEN_SECONDS,
    KEPT_SECONDS,
    DashboardCache,
    VersionChanged,
)
from reading.dashboard import CurrentVersion, current_version, read
from settings import Settings
from storage.database import Database
from storage.viewer import Viewer

TRIES = 5
"""How often a reader follows figures that change while they are waited for; then they are read alone."""
Value = TypeVar("Value")


def read_cached(
    database: Database, viewer: Viewer, ask: Ask, settings: Settings, cache: DashboardCache
) -> Dashboard:
    """The dashboard that ``read`` gives, through the cache. Its scorecards have no facts. Raises as
    ``read``."""
    cached = _CachedRead(database, viewer, ask, settings, cache)
    return replace(cached.dashboard(cached.version_to_serve()), now=settings.now())


def draw_cached(
    database: Database,
    viewer: Viewer,
    ask: Ask,
    settings: Settings,
    cache: DashboardCache,
    drawing: tuple[object, ...] | None,
    draw: Callable[[Dashboard], Value],
) -> Value:
    """A drawing of the dashboard that ``read_cached`` gives, through the cache as well. ``drawing`` names
    it, with all that it depends on beside the dashboard; without a name it is drawn each time. ``draw``
    must not look at the dashboard's ``now``, and nobody may change what comes back: it is everybody's."""
    cached = _CachedRead(database, viewer, ask, settings, cache)
    served = cached.version_to_serve()
    if drawing is None:
        return draw(cached.dashboard(served))

    def make(wanted: str) -> _VersionedValue[Value]:
        dashboard = cached.dashboard(replace(served, version=wanted))
        seconds = _seconds_to_keep(dashboard)
        if seconds >= KEPT_SECONDS:
            cache.note(_last_drawn_key(drawing, served.lasting), dashboard.version, KEPT_SECONDS)
        return _VersionedValue(draw(dashboard), dashboard.version, seconds)

    return cached.value_of_version(partial(_drawing_key, drawing), make, served.version).value


def ready_drawing(
    database: Database,
    viewer: Viewer,
    ask: Ask,
    settings: Settings,
    cache: DashboardCache,
    drawing: tuple[object, ...],
) -> object | None:
    """Drawing that ``draw_cached`` would give, where it is kept; just after a snapshot the last one that
    was drawn. None where it would have to be computed. Raises as ``read``."""
    cached = _CachedRead(database, viewer, ask, settings, cache)
    served = cached.version_to_serve()
    kept: _VersionedValue[object] | None = cache.find_kept(_drawing_key(drawing, served.version))
    if kept is None and cached.is_just_published(served):
        former = cache.find_noted(_last_drawn_key(drawing, served.lasting))
        kept = cache.find_kept(_drawing_key(drawing, former)) if former else None
    return kept.value if kept else None


def _drawing_key(drawing: tuple[object, ...], version: str) -> str:
    return f"drawing:{version}:{drawing!r}"


def _last_drawn_key(drawing: tuple[object, ...], lasting: str) -> str:
    """Key of the version that was drawn last, of a scope whose settings and workspaces are the same."""
    return f"drawn:{lasting}:{drawing!r}"


@dataclass(frozen=True, slots=True)
class _VersionedValue(Generic[Value]):
    """A dashboard or drawing, the version that it is of, and for how long it may be kept for that."""

    value: Value
    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _CachedRead:
    """A viewer's read of a period, through the cache."""

    database: Database
    viewer: Viewer
    ask: Ask
    settings: Settings
    cache: DashboardCache

    def current_version(self) -> CurrentVersion:
        # The connection goes back before anyone waits: fifty who wait must not hold fifty.
        return current_version(self.database, self.viewer, self.ask, self.settings)

    def is_just_published(self, now: CurrentVersion) -> bool:
        """Whether its snapshot is so new that the former figures may still be shown."""
        return now.age is not None and 0 <= now.age < self.settings.stale_seconds

    def version_to_serve(self) -> CurrentVersion:
        """Version to answer with. Just after a snapshot it is the former one, until the new one is ready:
        it says itself which day it is of, and whoever waited would wait behind all others."""
        now = self.current_version()
        remember(self.cache, self.viewer, self.ask)
        if not self.is_just_published(now):
            return now
        latest = self.cache.find_noted(f"latest:{now.lasting}")
        if latest is None or latest == now.version:
            return now
        self.cache.refresher.add(now.version, partial(self.dashboard, now))
        return replace(now, version=latest)

    def dashboard(self, asked_for: CurrentVersion) -> Dashboard:
        """The dashboard as it stood, or of the version that has followed."""
        request = self.database, self.viewer, self.ask, self.settings
        # The nodes of a cluster commit one after another: rows read between them are of no version.
        row_cache = None if self.settings.distributed else self.cache.rows

        def make(_wanted: str) -> _VersionedValue[Dashboard]:
            made = read(*request, row_cache).without_facts()
            seconds = _seconds_to_keep(made)
            # Of that scope for certain only where it is of the version that was known with it.
            if seconds >= KEPT_SECONDS and made.version == asked_for.version:
                self.cache.note(f"latest:{asked_for.lasting}", made.version, KEPT_SECONDS)
            return _VersionedValue(made, made.version, seconds)

        return self.value_of_version(
            lambda wanted: f"dashboard:{wanted}", make, asked_for.version
        ).value

    def value_of_version(
        self,
        key: Callable[[str], str],
        make: Callable[[str], _VersionedValue[Value]],
        wanted: str,
    ) -> _VersionedValue[Value]:
        """The kept value of a version, or one made now. Where the data change meanwhile, the value is
        kept for the version that it is of, and those who waited for it ask which that is."""
        for _ in range(TRIES):
            try:
                return self._value_once(key, make, wanted)
            except VersionChanged as changed:
                wanted = changed.version
        return make(wanted)

    def _value_once(
        self,
        key: Callable[[str], str],
        make: Callable[[str], _VersionedValue[Value]],
        wanted: str,
    ) -> _VersionedValue[Value]:
        def make_and_keep() -> _VersionedValue[Value]:
            value = make(wanted)
            if value.version != wanted:
                self.cache.put(key(value.version), value, value.seconds)
            return value

        def life(value: _VersionedValue[Value]) -> float:
            return value.seconds if value.version == wanted else 0.0

        def require_unchanged() -> None:
            if (now := self.current_version().version) != wanted:
                raise VersionChanged(now)

        return self.cache.make_once(key(wanted), make_and_keep, life, require_unchanged)


def _seconds_to_keep(dashboard: Dashboard) -> float:
    """How long a dashboard may be handed out for its version. Where a broken workspace is missing from it
    only briefly, as its version does not change when it is mended; but without keeping it all readers
    would queue."""
    return BROKEN_SECONDS if dashboard.scope.unavailable else KEPT_SECONDS
