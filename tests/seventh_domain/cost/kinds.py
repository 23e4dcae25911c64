"""Spending, as ``records import`` takes it."""

from __future__ import annotations

from aggregators.cost import tables

from aggregators.records.kinds import Field, Order, RecordKind, must
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import KEY, NAME

SPENDING = RecordKind(
    "spending",
    tables.spending,
    ("key",),
    (
        must("key", fields.text(KEY)),
        must("cost_centre", fields.text(NAME)),
        must("requested_at", fields.instant),
        Field("approved_at", fields.instant),
        must("amount", fields.number(least=0)),
        must("budget", fields.number(least=0)),
    ),
    orders=(Order("requested_at", "approved_at"),),
)

KINDS = (SPENDING,)
