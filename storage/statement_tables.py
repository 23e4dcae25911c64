"""Tables of what came in: deliveries as they came, what could not be read of them, statements, and the
meanings of senders' words."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from aggregators.records.tables import instant, metadata, one_of, tenant

statement = tenant(
    "statement",
    Column("kind", Text),
    Column("identity", Text),
    Column("digest", LargeBinary),
    Column("source", Text, nullable=False),
    Column("manner", SmallInteger, nullable=False),
    Column("assertions", JSONB, nullable=False),
    instant("at"),
    Column("sequence", BigInteger, nullable=False, server_default=text("0")),
    instant("received_at", nullable=False),
    Column("delivery", Uuid),
    key=("kind", "identity", "digest"),
)
"""Everything that was ever told of a record: the record is the fold of it. Kinds that begin with ``list:``
are lists of all there is (``ingest.lists.whole_lists``)."""
Index(
    "statement_merged",
    statement.c.workspace_id,
    text("(assertions ->> 'merged_into')"),
    postgresql_where=text("assertions ? 'merged_into'"),
)
Index(
    "statement_delivery",
    statement.c.workspace_id,
    statement.c.delivery,
    postgresql_where=text("delivery is not null"),
)

mention = tenant(
    "mention",
    Column("kind", Text),
    Column("value", Text),
    Column("identity", Text),
    Column("is_own", Boolean),
    key=("kind", "value", "identity", "is_own"),
)
"""Way back from a key or an address to the records of which statements mention it, where a rule of the
workspace links by such a mention; and from an address to the record whose ``own`` it is."""
Index("mention_identity", mention.c.workspace_id, mention.c.kind, mention.c.identity)

deliveries = tenant(
    "delivery",
    Column("id", Uuid),
    Column("format", Text, nullable=False),
    Column("source", Text, nullable=False, server_default=text("''")),
    Column("content_type", Text, nullable=False, server_default=text("''")),
    Column("content", LargeBinary),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("outcome", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    instant("received_at", nullable=False),
    instant("folded_at"),
    one_of("state", ("waiting", "folded", "quarantined", "dropped")),
    key=("id",),
)
"""Deliveries: whatever came by a signed door, kept before it is understood."""
Index(
    "delivery_waiting",
    deliveries.c.workspace_id,
    deliveries.c.received_at,
    postgresql_where=text("state = 'waiting'"),
)
Index("delivery_received", deliveries.c.workspace_id, deliveries.c.received_at)

quarantine = tenant(
    "quarantine",
    Column("id", Uuid),
    Column("delivery", Uuid, nullable=False),
    Column("format", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("''")),
    Column("pointer", Text, nullable=False, server_default=text("''")),
    Column("field", Text, nullable=False, server_default=text("''")),
    Column("reason", Text, nullable=False),
    Column("record", Text, nullable=False, server_default=text("''")),
    instant("at", nullable=False),
    key=("id",),
)
"""Parts of deliveries that could not be read, and why."""
Index("quarantine_delivery", quarantine.c.workspace_id, quarantine.c.delivery)

word_meaning = tenant(
    "word_meaning",
    Column("about", Text),
    Column("word", Text),
    Column("meaning", Text, nullable=False),
    instant("set_at", nullable=False, now=True),
    Column("set_by", Text, nullable=False, server_default=text("''")),
    key=("about", "word"),
)
"""Meanings that a workspace gives its senders' words: environments, severities, heartbeats."""

snapshot_due = tenant(
    "snapshot_due",
    Column("first_day", Date, nullable=False),
    instant("marked_at", nullable=False, now=True),
    Column("at_once", Boolean, nullable=False, server_default=text("true")),
    Column("reach", Boolean, nullable=False, server_default=text("false")),
    instant("quiet_until"),
    key=(),
)
"""Days of a workspace, from the first on, whose records have changed since their snapshots were made:
``at_once`` where people changed them or a source reads them, else the next night makes them again. Where it
is to ``reach`` back, days before the first snapshot are made too; not before ``quiet_until``, while more is
still being read."""

organisation_meaning = Table(
    "organisation_meaning",
    metadata,
    Column("about", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("meaning", Text, nullable=False),
    instant("set_at", nullable=False, now=True),
    Column("set_by", Text, nullable=False, server_default=text("''")),
)
"""Meanings for every workspace that does not say otherwise."""
