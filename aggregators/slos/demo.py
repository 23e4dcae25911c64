"""Objectives, and the good and total events of each of their days. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from aggregators.records.demo import Cause, Row, Rows, Team, Window, outage_day

STREAM = "objectives"
"""Name of its stream of random numbers."""
WINDOW_DAYS = 30


class Promise(NamedTuple):
    """Promise to customers: a name, a type, a target in percent."""

    name: str
    type: str
    target: float


KINDS = (
    Promise("API availability", "availability", 99.9),
    Promise("Responses within 300 ms", "latency", 99.0),
    Promise("Writes without error", "error_rate", 99.5),
    Promise("Sign-in succeeds", "availability", 99.8),
    Promise("Data fresh within 15 min", "custom", 98.0),
    Promise("Webhooks delivered within 1 min", "latency", 97.5),
    Promise("Pages drawn within 2 s", "latency", 95.0),
)
CALM, BAD_DAY, BAD_SHARE, APART = (0.05, 0.45), (3.0, 6.0), 0.025, 14
OUTAGE_BURN, SPENT_BURN, SPENT_NOW = 11.0, (2.4, 3.4), (7.5, 9.0)
SPENT_DAYS, SILENT_DAYS = 17, 45


@dataclass(frozen=True, slots=True)
class ObjectiveHabits:
    """How many objectives a team has, and whether one's budget is spent or has no traffic."""

    objectives: int = 5
    is_exhausted: bool = False
    is_silent: bool = False
    in_outage: bool = False


def rows(team: Team, window: Window, rng: random.Random, _causes: list[Cause]) -> Rows:
    """Objectives and their days by table."""
    habits = team.habits_of(ObjectiveHabits)
    objectives: list[Row] = []
    days: list[Row] = []
    for n, kind in enumerate(KINDS[: habits.objectives]):
        key = f"SLO-{n + 1:03d}"
        objectives.append(
            {
                "key": key,
                "name": kind.name,
                "type": kind.type,
                "target_percent": kind.target,
                "window_days": WINDOW_DAYS,
            }
        )
        burns = _burns(habits, window, n, rng)
        volume = 10 ** rng.uniform(4.7, 6.2)
        days += [_day(key, kind, day, _traffic(window, day, volume, rng), burn, rng)
                 for day, burn in burns.items()]  # fmt: skip
    return {"objective": objectives, "objective_day": days}


def _burns(
    habits: ObjectiveHabits, window: Window, n: int, rng: random.Random
) -> Mapping[date, float | None]:
    """How fast each day burns the budget of the n-th objective; None on a day without traffic.

    Bad days lie a fortnight apart, so that calm ones leave the budget unspent; the first
    objective carries the team's story, the last is the silent one.
    """
    burns: dict[date, float | None] = {}
    calm_since = APART
    for day in window.days:
        ago = (window.last - day).days
        is_bad = calm_since >= APART and rng.random() < BAD_SHARE and ago > 2
        calm_since = 0 if is_bad else calm_since + 1
        burn: float | None = rng.uniform(*(BAD_DAY if is_bad else CALM))
        if n == 0 and habits.in_outage and day == outage_day(window):
            burn = OUTAGE_BURN
        if n == 0 and habits.is_exhausted and ago < SPENT_DAYS:
            burn = rng.uniform(*(SPENT_NOW if ago < 2 else SPENT_BURN))
        if habits.is_silent and n == habits.objectives - 1 and ago < SILENT_DAYS:
            burn = None
        burns[day] = burn
    return burns


def _traffic(window: Window, day: date, volume: float, rng: random.Random) -> int:
    """Events of the day: customers are there at weekends too, though fewer."""
    return round(volume * (0.55 + 0.45 * min(1.2, window.pace(day))) * rng.uniform(0.93, 1.07))


def _day(
    key: str, kind: Promise, day: date, traffic: int, burn: float | None, rng: random.Random
) -> Row:
    """A day's events; its worst hours burn at least as fast as the whole day, and as all-bad at most."""
    allowed = 1 - kind.target / 100
    total = 0 if burn is None else traffic
    bad = min(total, round(total * allowed * (burn or 0.0)))
    whole = bad / total / allowed if total else 0.0
    worst_6h = min(whole * rng.uniform(1.15, 1.9), 1 / allowed)
    worst_1h = min(worst_6h * rng.uniform(1.2, 2.4), 1 / allowed)
    return {
        "key": key,
        "day": day,
        "good": total - bad,
        "total": total,
        "burn_1h_max": _rounded_up(worst_1h) if total else None,
        "burn_6h_max": _rounded_up(worst_6h) if total else None,
    }


def _rounded_up(burn: float) -> float:
    """To the next hundredth, so that rounding never puts an hour below its day."""
    return math.ceil(burn * 100) / 100
