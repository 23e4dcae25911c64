"""Vendors, and the reviews of them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, SmallInteger, Text, text

from aggregators.records.tables import one_of, tenant

VENDOR_STATUSES = ("prospective", "active", "suspended", "terminated")

vendor = tenant(
    "vendor",
    Column("key", Text),
    Column("name", Text, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("added_on", Date),
    one_of("status", VENDOR_STATUSES),
    CheckConstraint("tier between 1 and 4", name="tier_range"),
    key=("key",),
)

vendor_review = tenant(
    "vendor_review",
    Column("vendor", Text),
    Column("completed_on", Date),
    Column("next_due_on", Date),
    CheckConstraint("completed_on <= next_due_on", name="next_due_after_completed"),
    key=("vendor", "completed_on"),
)
