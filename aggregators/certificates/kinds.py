"""Certificates, as ``records import`` takes them."""

from __future__ import annotations

from aggregators.certificates import tables
from aggregators.records.kinds import EVER, Field, Order, RecordKind, must
from aggregators.vocabulary import fields
from aggregators.vocabulary.fields import TITLE

CERTIFICATES = RecordKind(
    "certificates",
    tables.certificate,
    ("fingerprint", "host", "port"),
    (
        Field("host", fields.lower_text(253), default=""),
        Field("port", fields.whole_number(0, 65535), default=0),
        must("fingerprint", fields.fingerprint),
        Field("subject", fields.title()),
        Field("issuer", fields.title()),
        Field("names", fields.names()),
        Field("key_usage", fields.text(TITLE)),
        must("not_before", fields.any_instant),
        must("not_after", fields.any_instant),
        Field("revoked_at", fields.instant),
        Field("superseded_at", fields.instant),
        Field("first_seen", fields.instant),
        Field("last_seen", fields.instant),
    ),
    since=f"coalesce({{r}}.first_seen, {{r}}.not_before, '{EVER}')",
    orders=(Order("not_before", "not_after"), Order("first_seen", "last_seen")),
)

KINDS = (CERTIFICATES,)
