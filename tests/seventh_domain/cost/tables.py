"""Requests to spend money."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Double, Text

from aggregators.records.tables import instant, tenant

spending = tenant(
    "spending",
    Column("key", Text),
    Column("cost_centre", Text, nullable=False),
    instant("requested_at", nullable=False),
    instant("approved_at"),
    Column("amount", Double, nullable=False),
    Column("budget", Double, nullable=False),
    CheckConstraint("requested_at <= approved_at", name="approved_after_requested"),
    key=("key",),
)
