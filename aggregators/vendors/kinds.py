"""Vendors and reviews, as ``records import`` takes them."""

from __future__ import annotations

from aggregators.records.kinds import EVER, Field, Link, RecordKind, must
from aggregators.vendors import fold, tables
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import KEY, NAME

VENDORS = RecordKind(
    "vendors",
    tables.vendor,
    ("key",),
    (
        must("key", fields.text(KEY)),
        must("name", fields.title(NAME)),
        must("tier", fields.whole_number(1, 4)),
        Field("status", fields.one_of(tables.VENDOR_STATUSES), default="active"),
        Field("added_on", fields.day),
    ),
    fold=fold.VENDOR,
    since=f"coalesce(cast({{r}}.added_on as timestamptz), '{EVER}')",
)

VENDOR_REVIEWS = RecordKind(
    "vendor-reviews",
    tables.vendor_review,
    ("vendor", "completed_on"),
    (
        must("vendor", fields.text(KEY)),
        must("completed_on", fields.day),
        Field("next_due_on", fields.day),
    ),
    links=(Link("vendor", "key", "vendor"),),
    fold=fold.REVIEW,
    since="cast({r}.completed_on as timestamptz)",
)

KINDS = (
    VENDORS,
    VENDOR_REVIEWS,
)
