"""Queries of the domains' ``counts``, run on their own over the days of a workspace, for live figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from aggregators.chosen.counting import CountingRules
from aggregators.vocabulary.clock import CLOCK, EVERY_DAY


@dataclass(frozen=True, slots=True)
class RecordDays:
    """The days to collect, in a workspace, on a connection in its context."""

    connection: Connection
    workspace_id: int
    first: date
    last: date
    rules: CountingRules
    now: datetime | None = None

    @property
    def index(self) -> pd.Index:
        """Every day of the range."""
        return pd.Index(pd.date_range(self.first, self.last).date, name="day")

    def query(self, sql: str) -> pd.DataFrame:
        """Runs a collector's query, with the days before it."""
        statement = f"with {EVERY_DAY}, {CLOCK}, found as ({sql}) select * from found"
        parameters: Mapping[str, Any] = {
            "w": self.workspace_id,
            "first": self.first,
            "last": self.last,
            "now": self.now,
            **self.rules.parameters,
        }
        result = self.connection.execute(text(statement), parameters)
        return pd.DataFrame(result.fetchall(), columns=list(result.keys()))

    def facts(self, queries: Iterable[str]) -> pd.DataFrame:
        """Rows of several queries, by day; nothing where a query has no row of a day."""
        frames = [self.query(sql).set_index("day") for sql in queries]
        return pd.concat([frame.reindex(self.index) for frame in frames], axis=1)
