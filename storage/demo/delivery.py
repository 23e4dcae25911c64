"""Deployments, their changes, and the incidents that bad ones are about to cause. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

from storage.demo.stories import DRIFT_DAYS, Team
from storage.demo.window import Row, Rows, Window, poisson, seconds

FORTNIGHT, WEDNESDAY = 14, 3
"""Days of the proleptic calendar begin with a Monday, the 1st: every other Wednesday."""
SERVICES = ("api", "web", "worker", "batch")


@dataclass(frozen=True, slots=True)
class Cause:
    """A deployment that causes an incident, and when somebody notices."""

    deployment: str
    noticed_at: datetime


def rows(team: Team, window: Window, rng: random.Random) -> tuple[Rows, list[Cause]]:
    """Deployments and changes by table, and what the bad deployments cause."""
    deployments: list[Row] = []
    changes: list[Row] = []
    causes: list[Cause] = []
    releases = list(_releases(team, window, rng))
    bad = _bad(team, window, releases, rng)
    for n, (day, hours) in enumerate(releases, 1):
        key, done = f"CHG-{n:05d}", window.at(day, hours)
        outcome, cause = _bad_outcome(window, key, done, rng) if n in bad else (_outcome(rng), None)
        deployment, own = _deployment(team, key, done, outcome, rng)
        deployments.append(deployment)
        changes += own
        if cause:
            causes.append(cause)
    return {"deployment": deployments, "deployment_change": changes}, causes


def _releases(team: Team, window: Window, rng: random.Random) -> Iterator[tuple[date, float]]:
    """Day and hour of each deployment, ascending."""
    for day in window.days:
        if team.fortnightly:
            times = int(day.toordinal() % FORTNIGHT == WEDNESDAY)
        else:
            times = poisson(rng, team.deploys * window.pace(day))
        yield from ((day, hours) for hours in sorted(rng.uniform(8, 18) for _ in range(times)))


def _bad(
    team: Team, window: Window, releases: list[tuple[date, float]], rng: random.Random
) -> set[int]:
    """Which releases, counted from 1, go wrong: one somewhere in each that are to be expected.

    Drawn one by one, chance could hide a drift; so the failures of any stretch of days stay within
    two of the number that the team's rate predicts.
    """
    found, due = set(), 0.0
    failing = (n + rng.random() for n in count())
    threshold = next(failing)
    for n, (day, _) in enumerate(releases, 1):
        drifted = max(0.0, 1 - (window.last - day).days / DRIFT_DAYS)
        due += team.failure_rate + team.drift * drifted
        if due >= threshold:
            found.add(n)
            threshold = next(failing)
    return found | set(range(len(releases) - team.botched + 1, len(releases) + 1))


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
    team: Team, key: str, done: datetime, outcome: str, rng: random.Random
) -> tuple[Row, list[Row]]:
    """The deployment, and its changes where the team records them: the oldest sets the pace."""
    lead = team.lead_hours * 3600 * rng.lognormvariate(0, 0.7)
    ages = [lead * rng.uniform(0.3, 1) for _ in range(rng.randint(1, team.commits or 1))]
    created = min(ages) * rng.uniform(0.2, 0.8) if team.commits else lead
    deployment = {
        "key": key,
        "created_at": done - seconds(created),
        "completed_at": done,
        "environment": "production",
        "outcome": outcome,
        "service": f"{team.slug}-{rng.choice(SERVICES)}",
    }
    changes = [
        {"deployment": key, "key": f"{rng.getrandbits(40):010x}", "committed_at": done - seconds(a)}
        for a in ages
    ]
    return deployment, changes if team.commits else []
