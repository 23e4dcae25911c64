"""Incidents of every cause: opened, acknowledged, resolved, learned from. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from aggregators.records.demo import Cause, Row, Rows, Team, Window, outage_day, poisson, seconds
from aggregators.vocabulary.period import completed_sprints

SPRINT_DAYS, SPRINTS, ENOUGH, RISE, MARGIN = 14, 4, 3, 1.05, 1.1
ATTEMPTS = 200


class Habit(NamedTuple):
    """A severity's share of incidents, its duration over the team's mean, minutes to acknowledge."""

    share: float
    slow: float
    minutes: float


HABITS = {
    "p1": Habit(0.07, 0.7, 3),
    "p2": Habit(0.2, 0.8, 7),
    "p3": Habit(0.45, 1.0, 20),
    "p4": Habit(0.28, 2.2, 75),
}
TITLES = (
    "Elevated error rate on the public API",
    "Slow responses in the morning peak",
    "Queue backlog after a schema change",
    "Sign-in fails for a few tenants",
    "Stale cache after failover",
    "Disk pressure on a database replica",
    "Timeouts towards an external provider",
    "Wrong totals in the monthly export",
    "Webhooks delivered twice",
    "Certificate warning on a partner host",
    "Memory grows in the worker pool",
    "Search index a day behind",
    "Nightly job did not finish",
    "Alerts from a canary in one zone",
    "Ошибка при импорте счетов",
    "🛒 button missing on small screens",
)
"""Drawn with the last two seldom: people report in their own script, and with emoji."""
WEIGHTS = (20,) * 14 + (1, 1)
OUTAGE, STUCK = "Regional network outage", "Intermittent packet loss at one site"
OUTAGE_HOUR, OUTAGE_MINUTES = 10.5, 150


@dataclass(frozen=True, slots=True)
class IncidentHabits:
    """How often a team's services fail and how it copes: incidents per working day, minutes to resolve,
    share of postmortems that get written.

    ``climb`` is the factor from one of the last four sprints' MTTR to the next. ``open_incidents`` are
    (days ago, severity) of those still unresolved.
    """

    incidents: float = 0.36
    mttr_minutes: float = 90.0
    climb: float = 0.0
    open_incidents: tuple[tuple[int, str], ...] = ()
    in_outage: bool = False
    postmortems: float = 0.88


def rows(team: Team, window: Window, rng: random.Random, causes: list[Cause]) -> Rows:
    """Incidents, those caused by deployments included.

    Drawn again until the sprints tell the team's story: exactly the climbing team's MTTR climbs,
    which chance alone would let others do too. A history too short for sprints is what it is.
    """
    habits = team.habits_of(IncidentHabits)
    is_told = completed_sprints(SPRINT_DAYS, window.last, SPRINTS)[0].start >= window.first
    for _ in range(ATTEMPTS if is_told else 1):
        incidents = _incidents(habits, window, causes, rng)
        means = _sprint_means(incidents, window)
        if _climbs(means, MARGIN) if habits.climb else not _climbs(means, 1.0):
            break
    incidents = sorted(incidents, key=lambda row: row["opened_at"])
    keys = (f"INC-{number:04d}" for number in range(1, len(incidents) + 1))
    return {
        "incident": [
            {"key": key, "identity": key, **row} for key, row in zip(keys, incidents, strict=True)
        ]
    }


def _incidents(
    habits: IncidentHabits, window: Window, causes: Iterable[Cause], rng: random.Random
) -> list[Row]:
    incidents = [
        _incident(habits, window, c.noticed_at, rng) | {"caused_by": c.key} for c in causes
    ]
    for day in window.days:
        busy = 0.35 + 0.65 * window.pace(day)
        for _ in range(poisson(rng, habits.incidents * busy)):
            incidents.append(_incident(habits, window, window.at(day, rng.uniform(0, 23.9)), rng))
    if habits.in_outage and outage_day(window) >= window.first:
        incidents.append(_outage(habits, window, rng))
    return incidents + [_still_open(habits, window, *how, rng) for how in habits.open_incidents]


def _incident(habits: IncidentHabits, window: Window, opened: datetime, rng: random.Random) -> Row:
    """An incident with what had happened to it by the end of the window."""
    severity = rng.choices(list(HABITS), [h.share for h in HABITS.values()])[0]
    minutes = _minutes(habits, window, severity, opened, rng)
    noticed = min(0.6 * minutes, HABITS[severity].minutes * rng.lognormvariate(0, 0.6))
    required = {"p2": False, "p3": True}.get(severity) if rng.random() < 0.04 else None
    resolved = opened + seconds(minutes * 60)
    published = None
    if required or (required is None and severity in ("p1", "p2")):
        written = resolved + seconds(rng.uniform(1, 6.5) * 86400)
        published = written if rng.random() < habits.postmortems else None
    return {
        "title": rng.choices(TITLES, WEIGHTS)[0],
        "severity": severity,
        "opened_at": opened,
        "acknowledged_at": _if_happened(window, opened + seconds(noticed * 60)),
        "resolved_at": _if_happened(window, resolved),
        "caused_by": None,
        "postmortem_required": required,
        "postmortem_published_at": _if_happened(window, published),
    }


def _if_happened(window: Window, instant: datetime | None) -> datetime | None:
    """None for what has not happened by the end of the last day."""
    return instant if instant is not None and instant < window.end else None


def _minutes(
    habits: IncidentHabits, window: Window, severity: str, opened: datetime, rng: random.Random
) -> float:
    """How long it takes: widely spread, but for a climbing team, which is slow in a steady way."""
    if not habits.climb:
        return habits.mttr_minutes * HABITS[severity].slow * rng.lognormvariate(-0.18, 0.6)
    newest = completed_sprints(SPRINT_DAYS, window.last, 1)[0]
    ago = max(0, (newest.end - window.day_of(opened)).days // SPRINT_DAYS)
    climbed = habits.climb ** max(0, SPRINTS - 1 - ago)
    return habits.mttr_minutes * climbed * rng.uniform(0.85, 1.15)


def _outage(habits: IncidentHabits, window: Window, rng: random.Random) -> Row:
    opened = window.at(outage_day(window), OUTAGE_HOUR + rng.uniform(0, 0.2))
    resolved = opened + seconds(OUTAGE_MINUTES * rng.uniform(0.9, 1.2) * 60)
    learned = rng.random() < habits.postmortems
    return _incident(habits, window, opened, rng) | {
        "title": OUTAGE,
        "severity": "p1",
        "acknowledged_at": opened + seconds(rng.uniform(1, 4) * 60),
        "resolved_at": resolved,
        "postmortem_required": None,
        "postmortem_published_at": resolved + timedelta(days=4) if learned else None,
    }


def _still_open(
    habits: IncidentHabits, window: Window, ago: int, severity: str, rng: random.Random
) -> Row:
    opened = window.at(window.ago(ago), rng.uniform(8, 18))
    row = _incident(habits, window, opened, rng)
    return row | {
        "title": STUCK if ago > 90 else row["title"],
        "severity": severity,
        "acknowledged_at": opened + seconds(HABITS[severity].minutes * 60),
        "resolved_at": None,
        "postmortem_required": None,
        "postmortem_published_at": None,
    }


def _sprint_means(incidents: list[Row], window: Window) -> list[float]:
    """Mean minutes to resolve in each of the last four sprints; empty when one resolved too few."""
    means = []
    for sprint in completed_sprints(SPRINT_DAYS, window.last, SPRINTS):
        minutes = [
            (row["resolved_at"] - row["opened_at"]).total_seconds() / 60
            for row in incidents
            if row["resolved_at"]
            and sprint.start <= window.day_of(row["resolved_at"]) <= sprint.end
        ]
        means.append(fmean(minutes) if len(minutes) >= ENOUGH else 0.0)
    return means if all(means) else []


def _climbs(means: list[float], margin: float) -> bool:
    """Whether each sprint's mean is above the one before by 5 % and the margin."""
    return bool(means) and all(after >= before * RISE * margin for before, after in pairwise(means))
