"""Spending that is believable. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aggregators.records.demo import Cause, Row, Rows, Team, Window, poisson, seconds

CENTRES = ("cloud", "licences", "travel")


@dataclass(frozen=True, slots=True)
class CostHabits:
    """Requests per working day, and what is spent of each budget on average."""

    requests: float = 0.4
    frugal: float = 0.85


def rows(team: Team, window: Window, rng: random.Random, _causes: list[Cause]) -> Rows:
    """Requests by table."""
    habits = team.habits_of(CostHabits)
    made: list[Row] = []
    for day in window.days:
        for _ in range(poisson(rng, habits.requests * window.pace(day))):
            requested = window.at(day, rng.uniform(8, 18))
            approved = requested + seconds(rng.uniform(1, 200) * 3600)
            budget = round(rng.uniform(50, 900), 2)
            made.append(
                {
                    "key": f"REQ-{len(made) + 1:04d}",
                    "cost_centre": rng.choice(CENTRES),
                    "requested_at": requested,
                    "approved_at": approved if approved < window.end else None,
                    "amount": round(budget * rng.uniform(0.5, 1.5) * habits.frugal, 2),
                    "budget": budget,
                }
            )
    return {"spending": made}
