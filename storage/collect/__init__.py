"""What one workspace's records say about each day: one module per domain, all of one shape.

``FACTS`` are queries with a row per day: flows of the day alone, levels at its end, labels;
``DURATIONS`` queries with a row per duration (day, seconds), by distribution. The end-of-day job
makes one statement of them all; ``collect`` and ``durations`` run them on their own, for live figures.

A level over 800 days is never counted day by day: each record is a span of days, found by bisection
in the array of the days' ends, and the spans are summed up once (0.18 s a workspace against 0.65 s).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

CLOCK = """
days as (
    select day, least((day + 1)::timestamp at time zone :zone, cast(:now as timestamptz)) as until,
           row_number() over (order by day)::int as n
    from asked
),
clock as (select array_agg(until order by n) as untils, count(*)::int as length from days),
edge as (
    select (cast(:first as date)::timestamp at time zone :zone) as since,
           ((cast(:last as date) + 1)::timestamp at time zone :zone) as until
)
"""
"""Each day of ``asked``, counted by ``n`` from 1, with the instant at which it ends (excluded), in the
reporting time zone; a day that is not over ends now. And the edges of the whole range."""

EVERY_DAY = """
asked as (
    select d::date as day
    from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') d
)
"""


def after(instant: str) -> str:
    """SQL: the first ``n`` whose day ends after an instant; one beyond the last day when none does."""
    return f"(width_bucket({instant}, clock.untils) + 1)"


def reached(instant: str) -> str:
    """SQL: the first ``n`` whose day ends at an instant or after it."""
    return f"(width_bucket({instant} - interval '1 microsecond', clock.untils) + 1)"


@dataclass(frozen=True, slots=True)
class Days:
    """The days to collect, in one workspace, on a connection in its job context."""

    connection: Connection
    workspace_id: int
    first: date
    last: date
    time_zone: str
    review_days: tuple[int, int, int, int] = (365, 365, 730, 730)
    now: datetime | None = None

    @property
    def index(self) -> pd.Index:
        """Every day of the range."""
        return pd.Index(pd.date_range(self.first, self.last).date, name="day")

    def query(self, sql: str) -> pd.DataFrame:
        """Runs a collector's query, with the days before it."""
        whole = f"with {EVERY_DAY}, {CLOCK}, found as ({sql}) select * from found"
        parameters: Mapping[str, Any] = {
            "w": self.workspace_id,
            "zone": self.time_zone,
            "first": self.first,
            "last": self.last,
            "now": self.now,
            "cadence": list(self.review_days),
        }
        result = self.connection.execute(text(whole), parameters)
        return pd.DataFrame(result.fetchall(), columns=list(result.keys()))

    def facts(self, queries: Iterable[str]) -> pd.DataFrame:
        """What several queries say, by day; nothing where a query has no row of a day."""
        found = [self.query(sql).set_index("day") for sql in queries]
        return pd.concat([frame.reindex(self.index) for frame in found], axis=1)
