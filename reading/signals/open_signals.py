"""Signals of the workspaces in a viewer's scope, each read in its own context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from aggregators.companions import WATCHED
from aggregators.name_order import by_name
from aggregators.signal.rules import SHIPPED
from aggregators.signal.scatter import DayProfile, Scatter
from aggregators.signal.series import WatchedSeries
from aggregators.signal.stretch import PERIODS
from aggregators.vocabulary.sketch import EPOCH
from storage import context
from storage.database import Database
from storage.executive.binary_copy import Values, integer, json_value, lines
from storage.executive.memberships import Membership
from storage.executive.scope import ScopedWorkspace, scoped_workspaces
from storage.nodes import visits
from storage.viewer import Viewer
from storage.watch import learned

KEPT_DAYS = 90
"""Days for which a signal that has ended is shown."""
QUERY = text("""
select s.workspace_id, r.series, r.dispersions, r.days_to_tell, r.signals
from vigilo.executive_scope() s
cross join lateral vigilo.watched_in_context(:level, s.workspace_id, :after) r
where s.left_out is null
""")
MOST_LOOKED_AT = 500
"""New signals among which the surest are looked for: a night has a handful."""
SHIPPED_LIMITS = {
    key: SHIPPED[watched.series.kind, watched.series.is_fall].drifting
    for key, watched in WATCHED.items()
}
OWN = text("""
select r.series, r.dispersions from vigilo.watched_in_context(:level, :w, :after) r
""")


@dataclass(frozen=True, slots=True)
class DriftSignal:
    """A drift of a series of a workspace: since when, how much, and what people made of it."""

    workspace: ScopedWorkspace
    series: str
    opened_on: date
    grade: str
    since: date
    give_or_take: int
    evidence: float
    usual: float
    now: float
    extra: float
    seen_on: date
    ended_on: date | None
    state: str
    until: date | None
    note: str
    changed_by: str
    drifting_from: float
    """Evidence from which its series is called drifting."""

    @property
    def beyond(self) -> float:
        """Evidence beyond that: as series have thresholds of their own, evidence alone compares none."""
        return self.evidence - self.drifting_from

    @property
    def watched(self) -> WatchedSeries:
        """The series, and the measure that it is shown as."""
        return WATCHED[self.series]

    def is_new(self, night: date) -> bool:
        """Whether a night told it for the first time."""
        return self.opened_on == night

    def is_hidden(self, today: date) -> bool:
        """Whether somebody has put it off until a later day, or called it noise."""
        snoozed = self.state == "snoozed" and self.until is not None and self.until > today
        return snoozed or self.state == "dismissed"


def read(database: Database, viewer: Viewer, today: date) -> list[DriftSignal]:
    """Signals in the viewer's scope: open ones by evidence beyond their threshold, then those that ended
    within 90 days."""
    after = today - timedelta(days=KEPT_DAYS)
    with context.as_viewer(database.reader, viewer) as connection:
        inside = {w.workspace_id: w for w in scoped_workspaces(connection) if not w.left_out}
        rows = connection.execute(QUERY, {"level": context.ROLLUP, "after": after}).all()
        limits = drifting_limits(connection)
    signals = [
        signal_of(inside[row.workspace_id], signal, limits)
        for row in rows
        if row.workspace_id in inside
        for signal in sorted(row.signals or (), key=lambda one: str(one["series"]))
        if signal["series"] in WATCHED
    ]
    return in_order(signals)


def in_order(signals: Sequence[DriftSignal]) -> list[DriftSignal]:
    """Open signals by evidence beyond their threshold, then those that have ended, the latest first."""
    return sorted(by_name(signals, lambda signal: signal.workspace.name), key=_signal_order)


def _signal_order(signal: DriftSignal) -> tuple[bool, float]:
    newest = signal.ended_on.toordinal() if signal.ended_on else signal.beyond
    return signal.ended_on is not None, -float(newest)


def drifting_limits(connection: Connection) -> dict[str, float]:
    """Evidence from which each series is called drifting: from the own history where that is long
    enough."""
    own_thresholds = learned.thresholds(connection)
    return SHIPPED_LIMITS | {
        series: learned_series.thresholds.drifting
        for series, learned_series in own_thresholds.items()
    }


@dataclass(frozen=True, slots=True)
class SignalSummary:
    """Number of signals that are open and not put off, of those that the last night has told, and the
    surest of the latter. No night: nothing was watched yet."""

    open_now: int
    fresh: int
    night: date | None
    newest: tuple[DriftSignal, ...]


def summary(connection: Connection, today: date, most: int) -> SignalSummary:
    """Signals in the scope of this transaction's viewer, at ``most`` so many of them told."""
    query = text("select * from vigilo.signals_in_scope(:level, :today, :most)")
    values = {
        "level": context.ROLLUP,
        "today": today,
        "most": max(most, MOST_LOOKED_AT) if most else 0,
    }
    open_now, fresh, night, newest = connection.execute(query, values).one()
    fresh_rows = [row for row in newest if row["series"] in WATCHED]
    if not fresh_rows:
        return SignalSummary(open_now, fresh, night, ())
    inside = {w.workspace_id: w for w in scoped_workspaces(connection)}
    limits = drifting_limits(connection)
    signals = [signal_of(inside[row["workspace_id"]], row, limits) for row in fresh_rows]
    return SignalSummary(open_now, fresh, night, tuple(in_order(signals)[:most]))


def signal_of(
    workspace: ScopedWorkspace, row: Mapping[str, Any], limits: Mapping[str, float]
) -> DriftSignal:
    """A signal from its row as JSON; ``limits`` are of ``drifting_limits``."""

    def day(name: str) -> date | None:
        return date.fromisoformat(row[name]) if row[name] else None

    opened, since, seen = (day(name) for name in ("opened_on", "since", "seen_on"))
    assert opened
    assert since
    assert seen
    return DriftSignal(
        workspace,
        row["series"],
        opened,
        row["grade"],
        since,
        row["give_or_take"],
        row["evidence"],
        row["usual"],
        row["now"],
        row["extra"],
        seen,
        day("ended_on"),
        row["state"],
        day("until"),
        row["note"],
        row["changed_by"],
        limits[row["series"]],
    )


def scatter(connection: Connection, slugs: Mapping[int, str], first: date) -> Scatter:
    """Scatter that the watch has learned of the workspaces in scope, by id their slugs, for days from
    ``first``."""
    return with_days(connection, scope_scatter(connection, slugs), first)


def scope_scatter(connection: Connection, slugs: Mapping[int, str]) -> Scatter:
    """Scatter and drifts of the workspaces in scope, by id their slugs, each read in its own context;
    ``with_days`` adds what is known of all together."""
    drifts: dict[str, dict[str, date]] = {}
    values_by_series: dict[bytes, list[tuple[str, memoryview]]] = {}

    def receive(row: Values) -> None:
        workspace_id, series, values, drifting = row
        slug = slugs.get(integer(workspace_id))
        if slug is None:
            return
        if series is not None and values is not None:
            values_by_series.setdefault(bytes(series), []).append((slug, values))
        for name, since in (json_value(drifting) or {}).items():
            drifts.setdefault(name, {})[slug] = date.fromisoformat(since)

    visits.in_scope(connection, visits.SCATTER, (context.ROLLUP,), receive)
    return _scatter_of_rows(values_by_series, drifts)


def _scatter_of_rows(
    values_by_series: Mapping[bytes, Sequence[tuple[str, memoryview]]],
    drifts: Mapping[str, Mapping[str, date]],
) -> Scatter:
    """Scatter of the workspaces by the names of their series, which are mostly the same ones: their numbers
    are read together, a column of all of them at a time."""
    dispersion: dict[str, dict[str, float]] = {}
    watched: dict[str, dict[str, tuple[float, float]]] = {}
    for series, rows in values_by_series.items():
        names, slugs = lines(memoryview(series)), [slug for slug, _ in rows]
        numbers = np.frombuffer(b"".join(values for _, values in rows), ">f8")
        columns = numbers.reshape(len(rows), len(names), 3).transpose(1, 2, 0).tolist()
        for name, (scatter_of_it, evidence, days) in zip(names, columns, strict=True):
            dispersion.setdefault(name, {}).update(zip(slugs, scatter_of_it, strict=True))
            pairs = zip(evidence, days, strict=True)
            watched.setdefault(name, {}).update(zip(slugs, pairs, strict=True))
    return Scatter(dispersion, drifts=drifts, watched=watched)


def own_scatter(connection: Connection, membership: Membership, first: date) -> Scatter:
    """Scatter that the watch has learned of one workspace, for a member of it."""
    values = {"level": context.WORKSPACE, "w": membership.workspace_id, "after": date.max}
    row = connection.execute(OWN, values).one()
    dispersions = zip(row.series or (), row.dispersions or (), strict=True)
    dispersion = {series: {membership.slug: value} for series, value in dispersions}
    return with_days(connection, Scatter(dispersion), first)


def with_days(connection: Connection, scatter: Scatter, first: date) -> Scatter:
    """Scatter with the stretch of each series, and the usual shares of the days from ``first``."""
    stretch = {
        series: dict(zip(PERIODS, own.stretch, strict=True))
        for series, own in learned.thresholds(connection).items()
    }
    profiles = {
        series: _profile(by_day) for series, by_day in learned.shares(connection, first).items()
    }
    return replace(scatter, stretch=stretch, profiles=profiles)


def _profile(by_day: Mapping[date, float]) -> DayProfile:
    first, last = min(by_day), max(by_day)
    totals = [0.0]
    for number in range((last - first).days + 1):
        totals.append(totals[-1] + by_day.get(first + timedelta(days=number), 1.0))
    return DayProfile((first - EPOCH).days, np.array(totals))
