"""Open signals of a person: their number beside the page's name in the navigation, and what is new."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from flask import g
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, TimeoutError

from layouts.executive.news import NewDrift, News
from reading.signals import open_signals, words
from reading.signals.open_signals import DriftSignal, SignalSummary
from reading.signals.signals_json import page_of
from storage import context
from storage.context import NotIdentified
from storage.executive.scope import scope_fingerprint
from storage.viewer import Viewer
from web.shell.pages import ShellCount

log = logging.getLogger("vigilo.web")
SECONDS = 60.0
"""How long a number is kept for a person whose scope is as it was: others answer signals too."""
MOST = 10_000
TOLD = 3
"""New signals that are told one by one."""
NOTHING = SignalSummary(0, 0, None, ())


class _KeptSummary(NamedTuple):
    """Signals of a scope, and until when they are shown."""

    fingerprint: str
    until: float
    summary: SignalSummary


class SignalCounts:
    """Signals by person. Threads may count twice, which does no harm."""

    def __init__(self, engine: Callable[[], Engine], today: Callable[[], date]) -> None:
        self._engine, self._today = engine, today
        self._kept: dict[int, _KeptSummary] = {}

    def beside(self, viewer: Viewer) -> ShellCount | None:
        """Count for a person; none where nothing is open, or while it can not be read."""
        summary = self._summary(viewer)
        if not summary.open_now:
            return None
        words = "open signal" if summary.open_now == 1 else "open signals"
        new = f", {summary.fresh} new last night" if summary.fresh else ""
        return ShellCount(summary.open_now, words + new, is_hot=bool(summary.fresh))

    def news(self, viewer: Viewer) -> News | None:
        """Drifts that last night told first; none where there are none, or while they can not be read."""
        summary = self._summary(viewer)
        if not summary.newest or summary.night is None:
            return None
        return News(
            summary.night, tuple(map(_new_drift, summary.newest)), summary.fresh, summary.open_now
        )

    def forget(self, viewer: Viewer) -> None:
        """Has a person's signals counted anew, as after an answer of theirs."""
        self._kept.pop(viewer.user_id, None)
        g.pop("signal_summary", None)

    def _summary(self, viewer: Viewer) -> SignalSummary:
        """Signals of whoever asks, looked up once a request: the navigation and the page both tell them."""
        summary: tuple[int, SignalSummary] | None = g.get("signal_summary")
        if summary is None or summary[0] != viewer.user_id:
            g.signal_summary = summary = (viewer.user_id, self._counted_or_none(viewer))
        return summary[1]

    def _counted_or_none(self, viewer: Viewer) -> SignalSummary:
        try:
            return self._count(viewer)
        except (NotIdentified, OperationalError, TimeoutError) as error:
            log.warning("the open signals could not be counted", exc_info=error)
            return NOTHING

    def _count(self, viewer: Viewer) -> SignalSummary:
        """Counts anew unless the scope is the one that was counted lately."""
        with context.as_viewer(self._engine(), viewer) as connection:
            fingerprint = scope_fingerprint(connection).fingerprint
            kept = self._kept.get(viewer.user_id)
            if kept and kept.fingerprint == fingerprint and kept.until > time.monotonic():
                return kept.summary
            summary = open_signals.summary(connection, self._today(), TOLD)
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[viewer.user_id] = _KeptSummary(fingerprint, time.monotonic() + SECONDS, summary)
        return summary


def _new_drift(signal: DriftSignal) -> NewDrift:
    return NewDrift(
        signal.workspace.name,
        words.measure(signal),
        page_of(signal),
        words.values(signal),
        signal.since,
        is_sure=signal.grade == "drifting",
    )
