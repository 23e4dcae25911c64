"""Demo organisation as a domain's generator is told of it: a team, its days, what others caused. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Rows by table."""

WEEKDAYS = (1.0, 1.15, 1.2, 1.1, 0.65, 0.06, 0.04)
"""How busy Monday to Sunday are: few deploy on a Friday afternoon, hardly anybody at the weekend."""
FROZEN, SUMMER, GROWTH = 0.12, 0.8, 0.35
OUTAGE_DAYS_AGO, TUESDAY = 45, 1
Habits = TypeVar("Habits")


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace of the organisation, as its story has it.

    ``retired`` and ``missing_days`` are days before the last one: since when it is given up, and those
    without a snapshot. ``habits`` is all that its story says of what the domains record, by the names of
    the fields of their own habits.
    """

    slug: str
    name: str
    accent: str
    region: str
    is_active: bool = True
    retired: int = 0
    missing_days: tuple[int, ...] = ()
    habits: Mapping[str, Any] = field(default_factory=dict)

    def habits_of(self, kind: type[Habits]) -> Habits:
        """Habits of the kind that a domain declares as a dataclass; its defaults where the story is
        silent."""
        names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
        return kind(**{name: value for name, value in self.habits.items() if name in names})


@dataclass(frozen=True, slots=True)
class Cause:
    """A record that causes something in a domain told later, and when somebody notices."""

    key: str
    noticed_at: datetime


@dataclass(frozen=True)
class Window:
    """The days ``first`` to ``last``, both included, in the reporting zone."""

    first: date
    last: date
    zone: ZoneInfo

    @cached_property
    def days(self) -> list[date]:
        """Every day, ascending."""
        return [self.first + timedelta(days=i) for i in range((self.last - self.first).days + 1)]

    @cached_property
    def end(self) -> datetime:
        """The instant at which the last day is over: nothing later is known yet."""
        return self.at(self.last + timedelta(days=1), 0)

    def at(self, day: date, hours: float) -> datetime:
        """The instant, UTC to the second, that a clock on the wall shows ``hours`` after midnight."""
        wall = datetime(day.year, day.month, day.day) + timedelta(seconds=round(hours * 3600))
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def day_of(self, instant: datetime) -> date:
        """The day that an instant belongs to in the reporting zone."""
        return instant.astimezone(self.zone).date()

    def ago(self, days: int) -> date:
        """The day that many before the last one."""
        return self.last - timedelta(days=days)

    def pace(self, day: date) -> float:
        """How busy a day is, about 1 on a working day at the end: weekends, the summer and the
        year-end freeze are quiet, and the organisation grows."""
        grown = 1 - GROWTH * (self.last - day).days / 365
        season = FROZEN if is_frozen(day) else SUMMER if day.month == 8 else 1.0
        return max(0.3, grown) * WEEKDAYS[day.weekday()] * season


def is_frozen(day: date) -> bool:
    """Whether nobody changes production without need: from 20 December to 2 January."""
    return (day.month, day.day) >= (12, 20) or (day.month, day.day) <= (1, 2)


def poisson(rng: random.Random, mean: float) -> int:
    """How many of something happen that happens ``mean`` times on average."""
    limit, product, n = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        n += 1
    return n


def seconds(amount: float) -> timedelta:
    """A duration in whole seconds."""
    return timedelta(seconds=round(amount))


def outage_day(window: Window) -> date:
    """Tuesday, six to seven weeks ago, on which the network failed for several teams."""
    day = window.ago(OUTAGE_DAYS_AGO)
    return day - timedelta(days=(day.weekday() - TUESDAY) % 7)
