"""Days of 23, 24.5 and 25 hours, one that begins at one in the morning, and a leap day: each record counts
on the day that the reporting zone's calendar says."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from storage.context import job_in
from tests.deep import every
from tests.world import World

CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2025, 10, 26)),
    "America/New_York": (date(2026, 3, 8), date(2025, 11, 2)),
    "America/Santiago": (date(2025, 9, 7), date(2026, 4, 5)),  # forward at midnight: no 00:00
    "Australia/Lord_Howe": (date(2025, 10, 5), date(2026, 4, 5)),  # by half an hour
    "Africa/Cairo": (date(2026, 4, 24), date(2025, 10, 31)),  # forward at midnight, back at 24:00
    "Pacific/Auckland": (date(2024, 2, 29), date(2025, 9, 28)),
}
"""Days of each zone: its changes of the clock, and a leap day."""
TOTALS = text(
    "select snapshot_date, ended_deployments_total from workspace_usage_snapshot order by snapshot_date"
)


def around(day: date) -> list[datetime]:
    """Every ten minutes of the day, the one before and the one after, wherever it is that day."""
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    return [first + timedelta(minutes=10 * n) for n in range(5 * 144)]


@pytest.mark.parametrize(
    ("zone", "day"),
    every(4, [(zone, day) for zone, days in CHANGES.items() for day in days], several=True),
)
def test_every_record_counts_on_its_day(database, settings, zone, day):
    world = World(database, settings.model_copy(update={"time_zone": zone}))
    team, instants = world.workspace("team"), around(day)
    world.add(
        team,
        "deployment",
        [
            {
                "key": f"d{n}",
                "created_at": at,
                "completed_at": at,
                "environment": "production",
                "outcome": "successful",
            }
            for n, at in enumerate(instants)
        ],
    )
    first, last = day - timedelta(days=4), day + timedelta(days=4)
    world.backfill(first, last)
    with job_in(database.job, team) as connection:
        totals = [(row[0], int(row[1])) for row in connection.execute(TOTALS)]
    days = dict(totals[:1]) | {
        now: total - before for (_, before), (now, total) in pairwise(totals)
    }
    expected = Counter(at.astimezone(ZoneInfo(zone)).date() for at in instants)
    assert {day: count for day, count in days.items() if count} == dict(expected)
    assert len(days) == 9
