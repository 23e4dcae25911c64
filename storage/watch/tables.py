"""Tables of the watch: the state and the dispersion of every series, its signals, and what is learned
of the whole installation's days and thresholds."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from aggregators.records.tables import instant, metadata, one_of, tenant

GRADES = ("may_drift", "drifting")
SIGNAL_STATES = ("open", "acknowledged", "snoozed", "explained", "dismissed")

watch_state = tenant(
    "watch_state",
    Column("series", ARRAY(Text), nullable=False),
    Column("held_on", Date, nullable=False),
    Column("data", LargeBinary, nullable=False),
    instant("computed_at", nullable=False, now=True),
    Column("history_version", BigInteger, nullable=False, server_default=text("-1")),
    key=(),
)
"""State of a workspace's series as of the night ``held_on``, the last that no restatement reaches, and the
version of the history that it rests on."""

watch_series = tenant(
    "watch_series",
    Column("series", Text),
    Column("night", Date, nullable=False),
    Column("dispersion", Double, nullable=False),
    Column("evidence", Double, nullable=False),
    Column("days_to_tell", Integer),
    key=("series",),
)
"""Scatter of a series, its evidence on a night, and the days that a doubling needs to be told."""

watch_signal = tenant(
    "watch_signal",
    Column("series", Text),
    Column("opened_on", Date),
    Column("grade", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("give_or_take", Integer, nullable=False),
    Column("evidence", Double, nullable=False),
    Column("usual", Double, nullable=False),
    Column("now", Double, nullable=False),
    Column("extra", Double, nullable=False),
    Column("seen_on", Date, nullable=False),
    Column("ended_on", Date),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("until", Date),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("changed_by", Text, nullable=False, server_default=text("''")),
    instant("changed_at"),
    one_of("grade", GRADES),
    one_of("state", SIGNAL_STATES),
    key=("series", "opened_on"),
)
"""A drift: since when, how much, what 28 days of it mean (``extra`` events), and what people made of
it."""
Index("watch_signal_open", watch_signal.c.workspace_id, postgresql_where=text("ended_on is null"))

watch_day = Table(
    "watch_day",
    metadata,
    Column("series", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("share", Double, nullable=False),
)
"""How much of a usual day each day is, over the whole installation: weekdays and holidays."""

watch_threshold = Table(
    "watch_threshold",
    metadata,
    Column("series", Text, primary_key=True),
    Column("made_on", Date, nullable=False),
    Column("watch", Double, nullable=False),
    Column("drifting", Double, nullable=False),
    Column("stretch", ARRAY(Double), nullable=False),
    Column("workspaces", Integer, nullable=False),
    Column("days", Integer, nullable=False),
)
"""Thresholds and stretch of a series from the installation's own history, redrawn."""

scope_watch = Table(
    "scope_watch",
    metadata,
    Column("user_id", BigInteger, ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True),
    Column("workspaces", ARRAY(BigInteger), nullable=False),
    Column("series", ARRAY(Text), nullable=False),
    Column("held_on", Date, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("night", Date, nullable=False),
    Column("signals", JSONB, nullable=False),
)
"""State and signals of the sums over a platform admin's workspaces, which are those of the row."""

WATCH_TABLES = (watch_state, watch_series, watch_signal)
