"""Objectives, and the good and all events of each of their days."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Double, Index, Integer, Text, text

from aggregators.records.tables import one_of, tenant

CALENDARS = ("week", "month", "quarter", "year")
SLO_TYPES = ("availability", "latency", "error_rate", "custom")

objective = tenant(
    "objective",
    Column("key", Text),
    Column("name", Text),
    Column("type", Text, nullable=False, server_default=text("'custom'")),
    Column("target_percent", Double, nullable=False),
    Column("window_days", Integer, nullable=False, server_default=text("30")),
    Column("calendar", Text),
    Column("error_query", Text),
    Column("total_query", Text),
    one_of("type", SLO_TYPES),
    one_of("calendar", CALENDARS),
    CheckConstraint("target_percent > 0 and target_percent <= 100", name="target_percent_range"),
    CheckConstraint("window_days between 1 and 366", name="window_days_range"),
    key=("key",),
)

objective_day = tenant(
    "objective_day",
    Column("key", Text),
    Column("day", Date),
    Column("good", Double, nullable=False),
    Column("total", Double, nullable=False),
    Column("burn_1h_max", Double),
    Column("burn_6h_max", Double),
    CheckConstraint("good >= 0 and good <= total", name="good_within_total"),
    key=("key", "day"),
)
Index("objective_day_day", objective_day.c.workspace_id, objective_day.c.day)
