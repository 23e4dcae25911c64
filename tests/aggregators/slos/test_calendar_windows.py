"""Calendar windows: the budget of a week, month, quarter or year begins anew on its first day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.chosen.counting import CountingRules
from aggregators.slos.records import OBJECTIVES
from reading.record_days import RecordDays
from storage.context import job_in
from tests.deep import examples
from tests.plain.records import Records
from tests.plain.snapshot import standing
from tests.world import World

CALENDARS = ("week", "month", "quarter", "year")
SPANS = [
    # a day, the calendar, the first day of its window, the window's days
    (date(2028, 2, 29), "month", date(2028, 2, 1), 29),
    (date(2027, 2, 28), "month", date(2027, 2, 1), 28),
    (date(2028, 2, 29), "quarter", date(2028, 1, 1), 91),
    (date(2028, 12, 31), "year", date(2028, 1, 1), 366),
    (date(2027, 1, 1), "year", date(2027, 1, 1), 365),
    (date(2027, 1, 3), "week", date(2026, 12, 28), 7),
    (date(2027, 1, 4), "week", date(2027, 1, 4), 7),
    (date(2026, 12, 31), "quarter", date(2026, 10, 1), 92),
    (date(2026, 11, 1), "month", date(2026, 11, 1), 30),
]


def stood(world: World, team: int, first: date, last: date, zone: str = "UTC"):
    """Objectives on each of the days."""
    with job_in(world.database.job, team) as connection:
        return RecordDays(connection, team, first, last, CountingRules(zone)).query(OBJECTIVES)


def objective(calendar: str | None, key: str = "o", target: float = 99.0) -> dict:
    return {"key": key, "target_percent": target, "window_days": 30, "calendar": calendar}


def events(day: date, bad: float, key: str = "o", total: float = 1_000.0) -> dict:
    return {"key": key, "day": day, "good": total - bad, "total": total, "burn_1h_max": None}


@pytest.mark.parametrize(("day", "calendar", "first", "length"), SPANS)
def test_a_window_begins_on_its_first_day(database, settings, day, calendar, first, length):
    """A bad day before it spends nothing of it; on its first day it does."""
    world = World(database, settings)
    team = world.workspace("team")
    world.add(team, "objective", [objective(calendar)])
    before = events(first - timedelta(days=1), 500)
    spent = [events(each, 1) for each in sorted({first, day})]
    world.add(team, "objective_day", [before, *spent])
    row = stood(world, team, day, day).iloc[0]
    assert row["window_total"] == 1_000 * len(spent)
    assert row["window_days"] == length
    assert row["remaining"] == pytest.approx(0.9)


@examples(quick=40, deep=2_000)
@given(
    calendars=st.lists(st.sampled_from([*CALENDARS, None]), min_size=1, max_size=4),
    start=st.integers(0, 2_200).map(lambda n: date(2023, 12, 1) + timedelta(days=n)),
    told=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 3), st.sampled_from([0, 0, 1, 20, 1_000])),
        max_size=60,
    ),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
)
def test_budgets_of_random_days_are_those_of_the_slow_computation(
    server, settings, calendars, start, told, zone
):
    world = World(server, settings)
    team = world.workspace(f"t-{datetime.now().timestamp():.6f}".replace(".", "-"))
    objectives = [objective(calendar, f"o{n}") for n, calendar in enumerate(calendars)]
    days = {
        (f"o{n}", start + timedelta(days=offset)): events(
            start + timedelta(days=offset), bad, f"o{n}"
        )
        for offset, n, bad in told
        if n < len(objectives)
    }
    world.add(team, "objective", objectives)
    world.add(team, "objective_day", days.values())
    first, last = start + timedelta(days=380), start + timedelta(days=500)
    rows = {(r.key, r.day): r for r in stood(world, team, first, last, zone).itertuples()}
    records = Records(objective=objectives, objective_day=list(days.values()))
    for each in objectives:
        for offset in (0, 1, 30, 31, 60, 119, 120):
            day = first + timedelta(days=offset)
            slow, row = standing(records, each, day), rows[each["key"], day]
            assert row.there == slow.there
            if slow.there:
                remaining = np.nan if row.remaining is None else row.remaining
                known = np.nan if slow.remaining is None else slow.remaining
                assert remaining == pytest.approx(known, rel=1e-9, abs=1e-9, nan_ok=True), (
                    each,
                    day,
                )
