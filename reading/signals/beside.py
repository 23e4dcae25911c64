"""Companions of a drift: other measures and deployments of the workspace that moved with it, services by
their part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import text

from aggregators.companions import companions
from aggregators.dora.by_service import QUERY
from aggregators.pooling.dashboard import Dashboard
from aggregators.pooling.figures import Figure
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.measure import DAYS_SEEN, FactsByName
from aggregators.vocabulary.period import Ask
from reading.signals.open_signals import DriftSignal
from reading.workspace_page import open_workspace
from settings import Settings
from storage.bounds.statement import limited_statements
from storage.chosen import store
from storage.database import Database
from storage.viewer import Viewer

COUNTED = ("ended_deployments", "failed_deployments", "successful_deployments")
LEAST_DAYS, MOST_DAYS = 28, 90
"""Days before a drift, at the least, that its services are compared with; and days of it, at the most, that
are."""
SECONDS = 2.0
ADVICE = "The deployments of these days are too many to be told by service."


def moved_with(signal: DriftSignal, dashboard: Dashboard) -> list[Figure]:
    """Other watched measures that moved with a drift over the dashboard's period."""
    return companions(dashboard, signal.workspace.slug, signal.series)


@dataclass(frozen=True, slots=True)
class ServicePart:
    """Part of a service in what changed since a drift began, in the measure's unit, and its events of so
    many before and since; '' is what names no service."""

    service: str
    part: float
    now: tuple[float, float]
    before: tuple[float, float]


def is_by_service(signal: DriftSignal) -> bool:
    """Whether what drifts is counted from deployments, which name their service."""
    return set(signal.watched.series.facts) <= set(COUNTED)


def services_of(
    database: Database, viewer: Viewer, signal: DriftSignal, settings: Settings
) -> list[ServicePart]:
    """Services by their part in a drift of what is counted from deployments, the largest for the worse
    first: the days since it began against as many before, 28 at the least. Read in the workspace's own
    context. Raises NotAMember, TooCostly."""
    now = min((signal.seen_on - signal.since).days + 1, MOST_DAYS)
    since = signal.seen_on - timedelta(days=now - 1)
    days = now, max(now, LEAST_DAYS)
    first = since - timedelta(days=days[1])
    ask = Ask(None, first, signal.seen_on)
    with open_workspace(database, viewer, signal.workspace.slug, ask, settings) as workspace:
        values = {
            "w": workspace.membership.workspace_id,
            "first": first,
            "last": signal.seen_on,
            "since": since,
            **store.rules(workspace.connection, settings).parameters,
        }
        with limited_statements(workspace.connection, SECONDS, ADVICE):
            outcome = workspace.connection.execute(text(QUERY), values)
            rows = [dict(row) for row in outcome.mappings()]
    return _parts(signal, rows, days)


def _parts(
    signal: DriftSignal, rows: Sequence[Mapping[str, Any]], days: tuple[int, int]
) -> list[ServicePart]:
    """Parts of the services that have any; none where one side has no deployment at all."""
    names = sorted({row["service"] for row in rows})
    now, before = (
        _facts(names, rows, seen, is_now=is_now)
        for seen, is_now in zip(days, (True, False), strict=True)
    )
    if not (now["ended_deployments"].sum() and before["ended_deployments"].sum()):
        return []
    measure = signal.watched.measure
    total = measure.effects(now, before, days).total.tolist()
    columns_of_services = zip(
        names,
        total,
        _events_and_exposure(signal, now),
        _events_and_exposure(signal, before),
        strict=True,
    )
    parts = [ServicePart(*service_row) for service_row in columns_of_services if service_row[1]]
    return sorted(parts, key=lambda one: (-measure.badness(one.part), one.service))


def _facts(
    names: Sequence[str], rows: Sequence[Mapping[str, Any]], days: int, *, is_now: bool
) -> dict[str, Array]:
    """Facts of one side, a service an element."""
    side = {row["service"]: row for row in rows if row["is_now"] == is_now}
    facts = {
        fact: np.array([side[name][fact] if name in side else 0 for name in names], float)
        for fact in COUNTED
    }
    return facts | {DAYS_SEEN: np.full(len(names), float(days))}


def _events_and_exposure(signal: DriftSignal, facts: FactsByName) -> list[tuple[float, float]]:
    """Events of each service and what they are of: attempts of a ratio, else days."""
    names = signal.watched.series.facts
    whole = names[-1] if len(names) > 1 else DAYS_SEEN
    return list(zip(facts[names[0]].tolist(), facts[whole].tolist(), strict=True))
