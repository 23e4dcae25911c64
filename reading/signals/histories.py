"""Daily evidence of every watched series from stored snapshot rows, as arrays of workspaces by days."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from sqlalchemy import Connection

from aggregators.catalogue import DOMAINS
from aggregators.pooling.snapshot_rows import Events, SnapshotRows, number_of
from aggregators.signal.exposure import day_profile
from aggregators.signal.rules import LAG, SeriesKind
from aggregators.signal.series import TestableSeries, watched_series
from aggregators.signal.watch import DailyEvidence
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.sketch import LOGS, ZERO_BUCKET
from reading import decoding
from storage.executive import encoded_rows
from storage.watch import rows as watched_rows

log = logging.getLogger("vigilo.watch")

HISTORY_DAYS = 400
"""Days that a state is built from where there is none."""
NEVER_BEGUN = 10**6
"""Day of the first snapshot of a workspace that has none."""
LEAD_DAYS = LAG + 7
"""Days before a night that its evidence reads."""
SERIES = tuple(w.series for w in watched_series(DOMAINS))
DISTRIBUTIONS = frozenset(s.facts[0] for s in SERIES if s.kind is SeriesKind.DURATION)
TOTALS = frozenset(
    f"{fact}_total" for s in SERIES if s.kind is not SeriesKind.DURATION for fact in s.facts
)


@dataclass(frozen=True)
class StoredDays:
    """Days ``first`` to ``last`` of some workspaces as their snapshots keep them."""

    rows: SnapshotRows
    events: Mapping[str, Events]
    workspaces: int
    first: date
    last: date
    begins: np.ndarray | None = None
    """Day of each workspace's first snapshot, from ``first`` on; ``NEVER_BEGUN`` where there is none."""
    unreadable: frozenset[int] = frozenset()
    """Ids of the workspaces whose rows can not be read."""

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    @cached_property
    def _column_of_row(self) -> np.ndarray:
        """Place of each row's day, counted from the day before the first; what is older stands there."""
        return np.asarray(np.clip(self.rows.day - (number_of(self.first) - 1), 0, self.days))

    @cached_property
    def seen(self) -> Array:
        """1 where a workspace has a snapshot of the day [workspace, day]."""
        seen = np.zeros((self.workspaces, self.days + 1))
        inside = self.rows.day >= number_of(self.first)
        seen[self.rows.scope[inside], self._column_of_row[inside]] = 1.0
        return seen[:, 1:]

    @cached_property
    def _flows(self) -> dict[str, Array]:
        return {}

    def flow(self, fact: str) -> Array:
        """Amount that a flow added on each day [workspace, day]: differences of running totals, 0
        without a row."""
        if fact not in self._flows:
            self._flows[fact] = self._flow(fact)
        return self._flows[fact]

    def _flow(self, fact: str) -> Array:
        totals = np.full((self.workspaces, self.days + 1), np.nan)
        column = self.rows.column(f"{fact}_total")[:-1]
        totals[self.rows.scope, self._column_of_row] = column
        totals[:, 0] = np.nan_to_num(totals[:, 0])
        known = np.where(np.isnan(totals), 0, np.arange(self.days + 1))
        filled = np.take_along_axis(totals, np.maximum.accumulate(known, axis=1), axis=1)
        return np.maximum(np.diff(filled, axis=1), 0.0)

    def durations(self, name: str) -> tuple[Array, Array, Array]:
        """How many durations each day has, the sum of their logs and of the squared logs."""
        events = self.events[name]
        day = events.day.astype(np.int64) - number_of(self.first)
        inside = (day >= 0) & (day < self.days)
        cell = events.scope[inside].astype(np.int64) * self.days + day[inside]
        logs = LOGS[events.bucket[inside] - ZERO_BUCKET]
        count, size = events.count[inside].astype(float), self.workspaces * self.days
        shape = (self.workspaces, self.days)
        n, first, second = (
            np.asarray(np.bincount(cell, count * logs**power, size).reshape(shape), float)
            for power in (0, 1, 2)
        )
        return n, first, second


def daily_evidence(
    stored: StoredDays, series: TestableSeries, shares: Array | None = None
) -> DailyEvidence:
    """Evidence of a series; ``shares`` [day] are of a usual day, for a rate."""
    if series.kind is SeriesKind.DURATION:
        n, logs, squares = stored.durations(series.facts[0])
        return DailyEvidence(series.kind, False, logs, n, squares, begins=stored.begins)
    nothing = np.zeros((stored.workspaces, stored.days))
    if series.kind is SeriesKind.RATE:
        exposure = stored.seen if shares is None else stored.seen * shares[None, :]
        counts = stored.flow(series.facts[0])
        return DailyEvidence(
            series.kind, series.is_fall, counts, exposure, nothing, begins=stored.begins
        )
    part_key, whole_key = series.key.split("/")
    part, whole = (_summed_flows(stored, key.split("+")) for key in (part_key, whole_key))
    worse = whole - part if series.is_complement else part
    events = np.minimum(worse, whole)
    return DailyEvidence(series.kind, False, events, whole, nothing, begins=stored.begins)


def _summed_flows(stored: StoredDays, facts: Sequence[str]) -> Array:
    return np.asarray(sum((stored.flow(fact) for fact in facts), np.zeros(1)))


def shares_of(stored: StoredDays, series: TestableSeries, means: Array) -> Array:
    """Share of a usual day that each day is [day], from the usual counts [workspace, day]."""
    return day_profile(stored.flow(series.facts[0]), stored.seen, means)


def stored_days(connection: Connection, ids: Sequence[int], first: date, last: date) -> StoredDays:
    """Snapshot rows of workspaces from the day before ``first`` on; one that can not be read is empty."""
    read = watched_rows.read(connection, ids, (first, last), TOTALS, DISTRIBUTIONS)
    unreadable = read.failed | decoding.broken_durations(read.rows)
    for workspace, why in unreadable.items():
        log.error("the watch can not read workspace %s: %s", workspace, why)
    ordered = [
        encoded_rows.no_rows(rows.workspace_id) if rows.workspace_id in unreadable else rows
        for rows in read.rows
    ]
    rows, events = decoding.usage_rows(ordered, read.layout, last)
    begins = [(day - first).days if day else NEVER_BEGUN for day in read.begun]
    return StoredDays(rows, events, len(ids), first, last, np.array(begins), frozenset(unreadable))
