"""Deployments, their changes, and the incidents that bad ones are about to cause. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

from aggregators.records.demo import Cause, Row, Rows, Team, Window, poisson, seconds

FORTNIGHT, WEDNESDAY = 14, 3
"""Days of the proleptic calendar begin with a Monday, the 1st: every other Wednesday."""
STREAM = "delivery"
"""Name of its stream of random numbers."""
DRIFT_DAYS = 90
LULL = 1 / 3
SERVICES = ("api", "web", "worker", "batch")


@dataclass(frozen=True, slots=True)
class DeliveryHabits:
    """How a team delivers: deployments per working day, hours from the commit to production, most commits
    in one (0: its changes are not recorded).

    ``failure_rate`` is the share of deployments that go wrong, ``drift`` what it gains evenly over the
    last 90 days; the newest ``botched`` ones fail. ``fortnightly`` teams release every other Wednesday,
    come what may. In a ``lull`` (from so many days ago to so many) a team deploys a third as often.
    """

    deploys: float = 1.6
    fortnightly: bool = False
    botched: int = 0
    failure_rate: float = 0.06
    drift: float = 0.0
    lull: tuple[int, int] | None = None
    lead_hours: float = 20.0
    commits: int = 6


def rows(team: Team, window: Window, rng: random.Random, causes: list[Cause]) -> Rows:
    """Deployments and changes by table; adds what the bad deployments cause."""
    habits = team.habits_of(DeliveryHabits)
    deployments: list[Row] = []
    changes: list[Row] = []
    releases = list(_releases(habits, window, rng))
    bad = _bad(habits, window, releases, rng)
    for n, (day, hours) in enumerate(releases, 1):
        key, done = f"CHG-{n:05d}", window.at(day, hours)
        outcome, cause = _bad_outcome(window, key, done, rng) if n in bad else (_outcome(rng), None)
        deployment, own = _deployment(team.slug, habits, key, done, outcome, rng)
        deployments.append(deployment)
        changes += own
        if cause:
            causes.append(cause)
    return {"deployment": deployments, "deployment_change": changes}


def _releases(
    habits: DeliveryHabits, window: Window, rng: random.Random
) -> Iterator[tuple[date, float]]:
    """Day and hour of each deployment, ascending."""
    for day in window.days:
        if habits.fortnightly:
            times = int(day.toordinal() % FORTNIGHT == WEDNESDAY)
        else:
            rests = habits.lull and habits.lull[1] <= (window.last - day).days <= habits.lull[0]
            times = poisson(rng, habits.deploys * window.pace(day) * (LULL if rests else 1.0))
        yield from ((day, hours) for hours in sorted(rng.uniform(8, 18) for _ in range(times)))


def _bad(
    habits: DeliveryHabits, window: Window, releases: list[tuple[date, float]], rng: random.Random
) -> set[int]:
    """Releases, counted from 1, that go wrong: one somewhere in each that are to be expected.

    Drawn one by one, chance could hide a drift; so the failures of any stretch of days stay within
    two of the number that the team's rate predicts.
    """
    failing_ones, due = set(), 0.0
    failing = (n + rng.random() for n in count())
    threshold = next(failing)
    for n, (day, _) in enumerate(releases, 1):
        drifted = max(0.0, 1 - (window.last - day).days / DRIFT_DAYS)
        due += habits.failure_rate + habits.drift * drifted
        if due >= threshold:
            failing_ones.add(n)
            threshold = next(failing)
    return failing_ones | set(range(len(releases) - habits.botched + 1, len(releases) + 1))


def _outcome(rng: random.Random) -> str:
    return rng.choices(("successful", "successful_with_issues", "cancelled"), (92, 5, 3))[0]


def _bad_outcome(
    window: Window, key: str, done: datetime, rng: random.Random
) -> tuple[str, Cause | None]:
    """Failed or rolled back, half of them noticed as an incident; or successful at first sight,
    until an incident hours or days later names the deployment."""
    later = done + seconds(rng.uniform(4, 70) * 3600)
    if rng.random() < 0.25 and later < window.end:
        return "successful", Cause(key, later)
    outcome = "failed" if rng.random() < 0.55 else "rolled_back"
    soon = done + seconds(rng.uniform(2, 40) * 60)
    return outcome, Cause(key, soon) if rng.random() < 0.5 and soon < window.end else None


def _deployment(
    slug: str, habits: DeliveryHabits, key: str, done: datetime, outcome: str, rng: random.Random
) -> tuple[Row, list[Row]]:
    """The deployment, and its changes where the team records them: the oldest sets the pace."""
    lead = habits.lead_hours * 3600 * rng.lognormvariate(0, 0.7)
    ages = [lead * rng.uniform(0.3, 1) for _ in range(rng.randint(1, habits.commits or 1))]
    created = min(ages) * rng.uniform(0.2, 0.8) if habits.commits else lead
    deployment = {
        "key": key,
        "created_at": done - seconds(created),
        "completed_at": done,
        "environment": "production",
        "production": True,
        "outcome": outcome,
        "service": f"{slug}-{rng.choice(SERVICES)}",
    }
    changes = [
        {"deployment": key, "key": f"{rng.getrandbits(40):010x}", "committed_at": done - seconds(a)}
        for a in ages
    ]
    return deployment, changes if habits.commits else []
