"""Drifts of what all workspaces of a viewer's scope do together, as the last night has told them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from aggregators.companions import WATCHED
from aggregators.signal.scatter import Scatter
from reading.signals.open_signals import SHIPPED_LIMITS, DriftSignal, in_order, signal_of
from storage import context
from storage.database import Database
from storage.executive.scope import ScopedWorkspace
from storage.viewer import Viewer
from storage.watch import scopes

WHOLE = ScopedWorkspace(0, "", "All your workspaces together", None, None, None, None, None, 0)
"""Stands where a workspace would: the sum of those in scope."""
UNANSWERED = {"state": "open", "until": None, "note": "", "changed_by": ""}
"""Answer of everybody to a signal of a whole scope: it is put off or dismissed where it comes from."""


def read(database: Database, viewer: Viewer) -> list[DriftSignal]:
    """Signals of the whole scope: open ones by evidence beyond their threshold, then those that ended
    within 90 days."""
    with context.as_viewer(database.reader, viewer) as connection:
        signals_then = scopes.signals_of_viewer(connection)
    watched = [one for one in signals_then if one["series"] in WATCHED]
    signals = [signal_of(WHOLE, {**UNANSWERED, **one}, SHIPPED_LIMITS) for one in watched]
    return in_order(sorted(signals, key=lambda signal: signal.series))


def with_whole(connection: Connection, scatter: Scatter) -> Scatter:
    """The scatter with what drifts in the viewer's whole scope, under the name of no workspace."""
    since = {
        one["series"]: date.fromisoformat(one["since"])
        for one in scopes.signals_of_viewer(connection)
        if not one["ended_on"] and one["grade"] == "drifting"
    }
    if not since:
        return scatter
    drifts: dict[str, Mapping[str, date]] = dict(scatter.drifts)
    for series, day in since.items():
        drifts[series] = {**drifts.get(series, {}), WHOLE.slug: day}
    return replace(scatter, drifts=drifts)
