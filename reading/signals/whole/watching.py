"""The watch over scopes, within the night of their workspaces: from the same rows, with own states.

A scope whose state does not go on from where the workspaces' does is built anew from the history, as one
that has come to be since the last night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection

from aggregators.signal.rules import LAG, SHIPPED, SeriesKind
from aggregators.signal.watch import DailyEvidence, WatchState
from reading.signals.drift_signal import SeriesNight, Values, signal_values, watch_through
from reading.signals.histories import (
    HISTORY_DAYS,
    LEAD_DAYS,
    SERIES,
    StoredDays,
    daily_evidence,
    stored_days,
)
from reading.signals.kept import states_as_bytes, states_from_bytes
from reading.signals.whole.pooling import memberships, pooled_evidence, weekday_shares
from storage.watch import learned, scopes
from storage.watch.scopes import Scope, ScopeWatch

KEYS = tuple(series.key for series in SERIES)
KEPT_DAYS = 90
"""Days for which a signal that has ended is kept."""


@dataclass(frozen=True)
class WorkspaceDays:
    """Stored days of workspaces, which are ids in their order, and the evidence of each series."""

    stored: StoredDays
    ids: Sequence[int]
    evidence: Mapping[str, DailyEvidence]

    @property
    def night(self) -> date:
        """The last of the days."""
        return self.stored.last


def run(
    connection: Connection,
    stored: StoredDays,
    ids: Sequence[int],
    evidence: Mapping[str, DailyEvidence],
    begun_on: date | None,
) -> None:
    """Watches the scopes on the last of the stored days; ``begun_on`` is the night up to which the states
    of the workspaces were known, None where they were built anew."""
    states = scopes.kept_states(connection)
    people = scopes.scopes(connection)
    goes_on = [one for one in people if begun_on and _goes_on(states.get(one), begun_on)]
    anew = [one for one in people if one not in goes_on]
    days = WorkspaceDays(stored, ids, evidence)
    outcomes = _watch_scopes(connection, days, [states[one] for one in goes_on], LEAD_DAYS)
    if anew:
        long = _history(connection, anew, stored.last) if begun_on else days
        outcomes += _watch_scopes(connection, long, [_new(one, states) for one in anew], 0)
    scopes.keep(connection, people, outcomes)


def _goes_on(kept: ScopeWatch | None, begun_on: date) -> bool:
    return kept is not None and kept.series == KEYS and kept.held_on == begun_on


def _new(scope: Scope, known: Mapping[Scope, ScopeWatch]) -> ScopeWatch:
    """A scope without a state; what was told of it is not forgotten."""
    before = known.get(scope)
    return ScopeWatch(scope, signals=before.signals if before else ())


def _history(connection: Connection, anew: Sequence[Scope], night: date) -> WorkspaceDays:
    ids = sorted({workspace for scope in anew for workspace in scope})
    stored = stored_days(connection, ids, night - timedelta(days=HISTORY_DAYS - 1), night)
    return WorkspaceDays(stored, ids, {s.key: daily_evidence(stored, s) for s in SERIES})


def _watch_scopes(
    connection: Connection, days: WorkspaceDays, kept: Sequence[ScopeWatch], begins: int
) -> list[ScopeWatch]:
    """Outcome of a night for scopes whose states stand on the same night."""
    if not kept:
        return []
    night, inside = days.night, memberships([one.scope for one in kept], days.ids)
    states = _states_as_of_one_age([one.data for one in kept]) if begins else {}
    shares = learned.shares(connection, night - timedelta(days=HISTORY_DAYS))
    each_day = [days.stored.first + timedelta(days=n) for n in range(days.stored.days)]
    nights: dict[str, SeriesNight] = {}
    to_keep: dict[str, WatchState] = {}
    for series in SERIES:
        weekdays = np.ones(len(each_day))
        if series.kind is SeriesKind.RATE:
            known_shares = shares.get(series.key, {})
            weekdays = weekday_shares(known_shares, each_day, night - timedelta(days=LAG))
        evidence = pooled_evidence(days.evidence[series.key], inside, days.stored.seen, weekdays)
        start = states.get(series.key) or WatchState.empty(len(kept), len(evidence.rule.sizes))
        threshold = SHIPPED[series.kind, series.is_fall]
        to_keep[series.key], nights[series.key] = watch_through(
            series, evidence, start, threshold, begins, night
        )
    data, held_on = states_as_bytes(to_keep, SERIES), night - timedelta(days=LAG)
    return [
        ScopeWatch(one.scope, KEYS, held_on, data[at], night, _signals(nights, at, one, night))
        for at, one in enumerate(kept)
    ]


def _states_as_of_one_age(data: Sequence[bytes]) -> dict[str, WatchState]:
    """States of scopes, which have been looked at for unequal numbers of nights, counted as if for equal
    ones."""
    states_by_scope = [states_from_bytes([one], SERIES) for one in data]
    aligned = {}
    for key in KEYS:
        states_of_series = [states[key] for states in states_by_scope]
        day = max(state.day for state in states_of_series)
        aligned[key] = replace(
            states_of_series[0],
            baseline=replace(
                states_of_series[0].baseline,
                **{
                    name: np.concatenate(
                        [getattr(state.baseline, name) for state in states_of_series]
                    )
                    for name in ("x", "e", "squares", "deviation", "weeks")
                },
            ),
            evidence=np.concatenate([state.evidence for state in states_of_series], axis=1),
            climb=np.concatenate([state.climb for state in states_of_series], axis=1),
            began=np.concatenate(
                [state.began + day - state.day for state in states_of_series], axis=1
            ),
            peak=np.concatenate([state.peak for state in states_of_series]),
            over=np.concatenate([state.over + day - state.day for state in states_of_series]),
            day=day,
        )
    return aligned


def _signals(
    nights: Mapping[str, SeriesNight], at: int, before: ScopeWatch, night: date
) -> list[Values]:
    """Signals that are open, and those that have ended lately."""
    ended = [
        one
        for one in before.signals
        if one["ended_on"] and (night - one["ended_on"]).days < KEPT_DAYS
    ]
    open_ones = {one["series"]: one for one in before.signals if not one["ended_on"]}
    drifts = [signal_values(one, at, open_ones.get(key)) for key, one in nights.items()]
    return ended + [one for one in drifts if one is not None]
