"""The nightly watch: every testable series of every workspace, from snapshot rows alone.

What is restated is restated within 28 days, so the state that is kept is that of 28 nights ago, and those
nights are gone through again. Where there is no state, or a day was changed that it rests on, all of
it is built anew from the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection

from aggregators.signal.exposure import usual_counts
from aggregators.signal.rules import KEEP, LAG, LEARNING_DAYS, SHIPPED, SeriesKind
from aggregators.signal.series import TestableSeries
from aggregators.signal.watch import DailyEvidence, WatchState
from reading.signals.drift_signal import SeriesNight, signal_values, watch_through
from reading.signals.histories import (
    HISTORY_DAYS,
    LEAD_DAYS,
    SERIES,
    StoredDays,
    daily_evidence,
    shares_of,
    stored_days,
)
from reading.signals.kept import states_as_bytes, states_from_bytes
from reading.signals.whole import watching
from storage.context import active_workspaces
from storage.database import Database
from storage.watch import learned, store
from storage.watch.store import KeptWatch, WatchedNight

KEYS = tuple(series.key for series in SERIES)


@dataclass(frozen=True, slots=True)
class NightOutcome:
    """Outcome of a night: workspaces and series looked at, signals that are open, and new ones."""

    workspaces: int
    series: int
    open_signals: int
    new_signals: int
    rebuilt: bool


def run(database: Database, night: date) -> NightOutcome:
    """Watches the night of a snapshot day that has been made; again it says the same. The shares of a
    usual day settle over 28 days, as figures do."""
    with database.job.begin() as connection:
        ids = [id for id, _ in active_workspaces(connection)]
        if not ids:
            return NightOutcome(0, 0, 0, 0, False)
        kept = store.kept_states(connection, ids)
        held_on = night - timedelta(days=LAG)
        continues = len({one.held_on for one in kept.values()}) == 1 and all(
            _goes_on(one, held_on) for one in kept.values()
        )
        return _watch_series(connection, ids, kept, night, continues=continues)


def _goes_on(kept: KeptWatch, held_on: date) -> bool:
    return kept.series == KEYS and kept.held_on in (held_on, held_on - timedelta(days=1))


def _watch_series(
    connection: Connection,
    ids: Sequence[int],
    kept: Mapping[int, KeptWatch],
    night: date,
    *,
    continues: bool,
) -> NightOutcome:
    held_on = night - timedelta(days=LAG)
    begun_on = min(k.held_on or held_on for k in kept.values()) if continues else None
    first = (
        begun_on + timedelta(days=1 - LEAD_DAYS)
        if begun_on
        else night - timedelta(days=HISTORY_DAYS - 1)
    )
    stored = stored_days(connection, ids, first, night)
    states = states_from_bytes([kept[one].data for one in ids], SERIES) if continues else {}
    limits, shares = learned.thresholds(connection), learned.shares(connection, first)
    nights: dict[str, SeriesNight] = {}
    to_keep: dict[str, WatchState] = {}
    begins = LEAD_DAYS if continues else 0
    for series in SERIES:
        known_shares = shares.get(series.key, {})
        evidence = _evidence(connection, stored, series, known_shares, is_new=not continues)
        own_threshold = limits.get(series.key)
        threshold = (
            own_threshold.thresholds if own_threshold else SHIPPED[series.kind, series.is_fall]
        )
        start = states.get(series.key) or WatchState.empty(len(ids), len(evidence.rule.sizes))
        to_keep[series.key], nights[series.key] = watch_through(
            series, evidence, start, threshold, begins, night
        )
    outcome = _to_be_written(stored, ids, kept, states_as_bytes(to_keep, SERIES), nights)
    store.keep(connection, outcome)
    evidence_by_series = {key: one.evidence for key, one in nights.items()}
    watching.run(connection, stored, ids, evidence_by_series, begun_on)
    open_now = [s for one in outcome.kept.values() for s in one.signals if s["ended_on"] is None]
    fresh = sum(s["opened_on"] == night for s in open_now)
    return NightOutcome(len(ids), len(SERIES), len(open_now), fresh, not continues)


def _to_be_written(
    stored: StoredDays,
    ids: Sequence[int],
    kept: Mapping[int, KeptWatch],
    data: Sequence[bytes],
    nights: Mapping[str, SeriesNight],
) -> WatchedNight:
    """Everything to be written: what can not be read neither begins nor ceases to drift."""
    readable = [at for at, one in enumerate(ids) if one not in stored.unreadable]
    outcomes = {
        ids[at]: _kept_watch(kept[ids[at]], at, data[at], nights, stored.last) for at in readable
    }
    dispersions, evidences, nights_to_tell = (
        np.stack(columns, axis=1)[readable].ravel().tolist()
        for columns in zip(
            *((one.usual.dispersion, one.total, one.days_to_tell) for one in nights.values()),
            strict=True,
        )
    )
    return WatchedNight(stored.last, KEYS, outcomes, dispersions, evidences, nights_to_tell)


def _evidence(
    connection: Connection,
    stored: StoredDays,
    series: TestableSeries,
    kept_shares: Mapping[date, float],
    *,
    is_new: bool,
) -> DailyEvidence:
    """Evidence of a series; of a rate also the share of each day, noted where it is not beyond change
    yet."""
    if series.kind is not SeriesKind.RATE:
        return daily_evidence(stored, series)
    counts, seen = stored.flow(series.facts[0]), stored.seen
    means = usual_counts(counts, seen, KEEP, LAG, LEARNING_DAYS)
    day_shares = shares_of(stored, series, means)
    days = [stored.first + timedelta(days=n) for n in range(stored.days)]
    final = stored.last - timedelta(days=LAG)
    shares = np.array(
        [
            day_shares[n] if is_new or day > final or day not in kept_shares else kept_shares[day]
            for n, day in enumerate(days)
        ]
    )
    fresh = {
        day: float(share)
        for day, share in zip(days, shares, strict=True)
        if kept_shares.get(day) != share
    }
    learned.keep_shares(connection, series.key, fresh)
    return daily_evidence(stored, series, shares)


def _kept_watch(
    before: KeptWatch, at: int, data: bytes, nights: Mapping[str, SeriesNight], night: date
) -> KeptWatch:
    """State of a workspace to be written, and its signals."""
    open_ones = {signal["series"]: signal for signal in before.signals}
    signals = [
        values
        for key, one in nights.items()
        if (key in open_ones or one.is_crossed[at])
        and (values := signal_values(one, at, open_ones.get(key))) is not None
    ]
    return KeptWatch(before.version, KEYS, night - timedelta(days=LAG), data, signals)
