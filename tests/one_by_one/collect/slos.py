"""Objectives: budget over each one's own window, and burn over the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd

from tests.one_by_one import budget
from tests.one_by_one.budget import Array
from tests.one_by_one.collect import Days

OBJECTIVES = (
    "select key, target_percent, window_days from objective where workspace_id = :w order by key"
)
FIRST_DAYS = "select key, min(day) as day from objective_day where workspace_id = :w group by key"
EVENTS = """
select key, day, good, total, burn_1h_max from objective_day
where workspace_id = :w and day between :since and :last
"""


def collect(days: Days) -> pd.DataFrame:
    """Objectives by state at the end of each day, the fastest burn and the lowest budget."""
    objectives = days.query(OBJECTIVES)
    if objectives.empty:
        return pd.DataFrame({"objectives": 0.0}, index=days.index)
    keys = list(objectives["key"])
    window = objectives["window_days"].to_numpy(int)
    target = objectives["target_percent"].to_numpy(float) / 100
    since = days.first - timedelta(days=int(window.max()))
    events = days.query(EVENTS, since=since)
    calendar = pd.Index(pd.date_range(since, days.last).date, name="day")

    def table(column: str) -> Array:
        wide = events.pivot(index="day", columns="key", values=column)
        return np.asarray(wide.reindex(index=calendar, columns=keys), float)

    exists = _exists(days, keys)
    total, good = np.nan_to_num(table("total")), np.nan_to_num(table("good"))
    rows = slice(len(calendar) - len(days.index), None)
    window_total, window_bad = _over(total, window)[rows], _over(total - good, window)[rows]
    # A budget spent to the last event is spent, not overspent: the twelfth digit is arithmetic.
    remaining = np.round(budget.budget_remaining(window_bad, window_total, target), 12)
    burn = budget.burn_rate((total - good)[rows], total[rows], target)
    left = budget.seconds_left(remaining, burn, window)
    facts = _states(days, exists, remaining)
    for name, values, pick in (
        ("fastest_burn", burn, np.nanargmax),
        ("burn_1h", table("burn_1h_max")[rows], np.nanargmax),
        ("budget_seconds_left", left, np.nanargmin),
        ("budget_remaining", remaining, np.nanargmin),
    ):
        facts[name], facts[f"{name}_objective"] = _extreme(values, keys, pick)
    return facts


def _exists(days: Days, keys: list[str]) -> Array:
    """Whether each objective (column) was there on each day: from its first day of events on.
    One that never had an event is there, without traffic."""
    first = days.query(FIRST_DAYS).set_index("key")["day"].reindex(keys)
    return np.array([[pd.isna(f) or f <= day for f in first] for day in days.index])


def _over(values: Array, window: Array) -> Array:
    """Sums over each column's own trailing window of days."""
    running = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    end = np.arange(1, len(running))[:, None]
    start = np.maximum(end - window[None, :], 0)
    return np.asarray(running[1:] - np.take_along_axis(running, start, axis=0), float)


def _states(days: Days, exists: Array, remaining: Array) -> pd.DataFrame:
    known = exists & ~np.isnan(remaining)
    in_budget = known & (np.nan_to_num(remaining, neginf=-1.0) >= 0)
    counts = {
        "objectives": exists,
        "objectives_with_data": known,
        "objectives_in_budget": in_budget,
        "objectives_exhausted": known & ~in_budget,
        "objectives_no_traffic": exists & ~known,
    }
    return pd.DataFrame({k: v.sum(axis=1).astype(float) for k, v in counts.items()}, days.index)


def _extreme(
    values: Array, keys: list[str], pick: Callable[[Array], np.intp]
) -> tuple[list[float], list[str | None]]:
    """Per row the extreme value and the objective that holds it; None where there is none."""
    found: list[float] = []
    names: list[str | None] = []
    for row in values:
        at = None if np.isnan(row).all() else int(pick(row))
        found.append(np.nan if at is None else float(row[at]))
        names.append(None if at is None else keys[at])
    return found, names
