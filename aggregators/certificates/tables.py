"""Certificates, by the places that served them."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Text, text

from aggregators.records.tables import instant, tenant

certificate = tenant(
    "certificate",
    Column("fingerprint", Text),
    Column("host", Text, server_default=text("''")),
    Column("port", Integer, server_default=text("0")),
    Column("subject", Text),
    Column("issuer", Text),
    Column("names", Text),
    Column("key_usage", Text),
    instant("not_before"),
    instant("not_after"),
    instant("revoked_at"),
    instant("superseded_at"),
    instant("first_seen"),
    instant("last_seen"),
    key=("fingerprint", "host", "port"),
)
