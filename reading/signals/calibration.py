"""Thresholds from the installation's own history, once a month: its days redrawn are stable by
construction."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from aggregators.signal.exposure import usual_counts
from aggregators.signal.placebo import WARM_UP, own_threshold, placebo
from aggregators.signal.rules import (
    KEEP,
    LAG,
    LEARNING_DAYS,
    NIGHTLY_BUDGETS,
    QUARTER_DAYS,
    SHIPPED,
    SeriesKind,
    Thresholds,
)
from aggregators.signal.stretch import PERIODS, own_stretch
from aggregators.signal.watch import DailyEvidence
from reading.signals.histories import (
    HISTORY_DAYS,
    SERIES,
    StoredDays,
    daily_evidence,
    shares_of,
    stored_days,
)
from storage.context import active_workspaces
from storage.database import Database
from storage.watch import learned
from storage.watch.learned import OwnThreshold

EVERY_DAYS = 28
LEAST_DAYS = 180
"""Days of history below which nothing is redrawn."""
WEIGHT = 10.0
"""Expected false flags by which a threshold is drawn to the shipped one: with few workspaces a redrawn
history has none, and says nothing."""


def is_due(database: Database, day: date) -> bool:
    """Whether the thresholds are a month old, or were never made though there is a history."""
    with database.job.connect() as connection:
        made = learned.thresholds(connection)
    oldest = min((own.made_on for own in made.values()), default=None)
    return oldest is None or (day - oldest).days >= EVERY_DAYS


def run(database: Database, day: date) -> dict[str, OwnThreshold]:
    """Makes the thresholds of every series from the days up to one; none where there is too little
    history."""
    with database.job.begin() as connection:
        ids = [id for id, _ in active_workspaces(connection)]
        if not ids:
            return {}
        first = day - timedelta(days=HISTORY_DAYS - 1)
        stored = stored_days(connection, ids, first, day)
        made = {
            series.key: own
            for number, series in enumerate(SERIES)
            if (own := _own_threshold(stored, number, day)) is not None
        }
        for series, own in made.items():
            learned.keep_threshold(connection, series, own)
        return made


def _own_threshold(stored: StoredDays, number: int, day: date) -> OwnThreshold | None:
    series = SERIES[number]
    shares = None
    if series.kind is SeriesKind.RATE:
        counts, seen = stored.flow(series.facts[0]), stored.seen
        means = usual_counts(counts, seen, KEEP, LAG, LEARNING_DAYS)
        shares = shares_of(stored, series, means)
    evidence = daily_evidence(stored, series, shares)
    known_days = _known_days(stored)
    evidence = evidence.of(np.flatnonzero(stored.seen.any(axis=1))).on(known_days)
    if len(known_days) < LEAST_DAYS or not len(evidence.x):
        return None
    stretch = own_stretch(evidence)
    return OwnThreshold(
        _thresholds(evidence, number),
        tuple(stretch[known_days] for known_days in PERIODS),
        day,
        len(evidence.x),
        len(known_days),
    )


def _known_days(stored: StoredDays) -> np.ndarray:
    """Places of the days from the first on which any workspace was seen."""
    seen = np.flatnonzero(stored.seen.any(axis=0))
    return np.arange(seen[0], stored.days) if len(seen) else np.empty(0, int)


def _thresholds(evidence: DailyEvidence, seed: int) -> Thresholds:
    """Thresholds of both grades, drawn to the shipped ones by how few false flags the redrawn nights
    expect."""
    shipped = SHIPPED[evidence.kind, evidence.is_fall]
    redrawn = placebo(evidence, seed)
    nights = sum(max(e.shape[1] - WARM_UP, 0) * len(e) for e in redrawn)
    if nights == 0:
        return shipped
    drawn = []
    for budget, usual in zip(NIGHTLY_BUDGETS, (shipped.watch, shipped.drifting), strict=True):
        own = own_threshold(evidence, redrawn, budget)
        expected = nights / QUARTER_DAYS / 1000 * budget
        drawn.append((expected * own + WEIGHT * usual) / (expected + WEIGHT))
    return Thresholds(drawn[0], max(drawn))
