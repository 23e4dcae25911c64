"""What one workspace's records say about each day: one module per domain, all of one shape.

``collect(days) -> DataFrame`` indexed by day with that domain's facts: flows of the day alone,
levels at its end, labels. ``durations(days) -> {distribution: DataFrame(day, seconds)}`` where a
domain has distributions. All read inside the job's context of that workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

DAYS = """
with days as (
    select d::date as day,
           least((d::date + 1)::timestamp at time zone :zone, cast(:now as timestamptz)) as until
    from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') d
),
edge as (
    select (cast(:first as date)::timestamp at time zone :zone) as since,
           ((cast(:last as date) + 1)::timestamp at time zone :zone) as until
)
"""
"""Each day with the instant at which it ends (excluded), in the reporting time zone; a day that is
not over ends now. And the edges of the whole range."""


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

    def query(self, sql: str, **more: Any) -> pd.DataFrame:
        """Runs ``sql`` after the DAYS preamble with :w, :zone, :first, :last, :now."""
        parameters: Mapping[str, Any] = {
            "w": self.workspace_id,
            "zone": self.time_zone,
            "first": self.first,
            "last": self.last,
            "now": self.now,
        }
        result = self.connection.execute(text(DAYS + sql), {**parameters, **more})
        return pd.DataFrame(result.fetchall(), columns=list(result.keys()))

    def by_day(self, sql: str, **more: Any) -> pd.DataFrame:
        """The same, indexed by day."""
        return self.query(sql, **more).set_index("day")

    def flows(self, sql: str, **more: Any) -> pd.DataFrame:
        """The same for counts per day: a day without a row counts 0."""
        return self.by_day(sql, **more).astype(float).reindex(self.index, fill_value=0.0)
