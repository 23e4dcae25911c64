"""Tables of sources. The web role reads and writes none of them: pages ask as the job, after the rights."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from aggregators.records.tables import instant, metadata, one_of

SOURCE_STATES = ("new", "healthy", "waiting", "failing")
SCOPE_STATES = ("new", "mapped", "ignored", "gone")
CHOSEN_BY = ("", "seen", "hand")
PULL_STATES = ("running", "done", "waiting", "failed")
EMPTY_OBJECT = text("'{}'::jsonb")

HISTORY_DAYS = 90
"""Days of history that a source is read back, where nobody says otherwise."""
SILENT_TURNS, SILENT_MINUTES = 3, 5
IS_SILENT = f"""coalesce(last_success_at, made_at)
    < now() - make_interval(mins => {SILENT_TURNS} * schedule_minutes + {SILENT_MINUTES})"""
"""Turns without a good sync, and minutes beyond them, after which a source is silent whatever it says of
itself; and the condition in SQL."""
source = Table(
    "source",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("home_workspace", BigInteger, ForeignKey("workspace.id")),
    Column("config", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("secret", LargeBinary),
    Column("secret_hint", Text, nullable=False, server_default=text("''")),
    instant("secret_set_at"),
    Column("schedule_minutes", Integer, nullable=False, server_default=text("15")),
    Column("history_days", Integer, nullable=False, server_default=text(str(HISTORY_DAYS))),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("made_by", BigInteger, ForeignKey("app_user.id"), nullable=False),
    instant("made_at", nullable=False, now=True),
    Column("state", Text, nullable=False, server_default=text("'new'")),
    Column("error_code", Text, nullable=False, server_default=text("''")),
    Column("message", Text, nullable=False, server_default=text("''")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    instant("next_at", nullable=False, now=True),
    instant("last_success_at"),
    instant("lease_until"),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("again_from", Date),
    one_of("state", SOURCE_STATES),
)
"""A connection. ``home_workspace`` is NULL where it is the organisation's; ``attempt`` fences a run that
has lost its lease; ``again_from`` is a day from which everything is to be read once more."""
Index("source_due", source.c.next_at, postgresql_where=text("enabled"))

source_scope = Table(
    "source_scope",
    metadata,
    Column("source_id", BigInteger, ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("into_workspace", BigInteger, ForeignKey("workspace.id")),
    Column("state", Text, nullable=False, server_default=text("'new'")),
    Column("matched_by", Text, nullable=False, server_default=text("''")),
    instant("seen_at", nullable=False, now=True),
    Column("counts", Text, nullable=False, server_default=text("''")),
    Column("counts_named", Text, nullable=False, server_default=text("''")),
    Column("counts_by", Text, nullable=False, server_default=text("''")),
    Column("counts_seen", JSONB),
    Column("counts_done", Text, nullable=False, server_default=text("''")),
    one_of("state", SCOPE_STATES),
    one_of("counts_by", CHOSEN_BY),
)
"""A part of a source that feeds one workspace: a repository, a project, a service. ``counts`` is what its
deployments are, chosen by what was ``seen`` or by hand; ``counts_done`` is what counts of it by now."""

source_rule = Table(
    "source_rule",
    metadata,
    Column("source_id", BigInteger, ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("pattern", Text, nullable=False),
    Column("into_workspace", BigInteger, ForeignKey("workspace.id"), nullable=False),
)
"""Patterns by which scopes are mapped, in order: the first that matches counts."""

source_stream = Table(
    "source_stream",
    metadata,
    Column("source_id", BigInteger, ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("cursor", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    instant("updated_at", nullable=False, now=True),
)
"""How far a stream of a scope has been read, written with what was read."""

source_item = Table(
    "source_item",
    metadata,
    Column("source_id", BigInteger, ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("data", JSONB, nullable=False),
    Column("done", Boolean, nullable=False, server_default=text("false")),
)
"""Things of the sender that later requests need: deployments between which changes are compared, incidents
that are still open."""
Index(
    "source_item_open",
    source_item.c.source_id,
    source_item.c.scope,
    postgresql_where=text("not done"),
)

source_run = Table(
    "source_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source_id", BigInteger, ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False, server_default=text("'running'")),
    instant("started_at", nullable=False, now=True),
    instant("finished_at"),
    Column("requests", Integer, nullable=False, server_default=text("0")),
    Column("read", Integer, nullable=False, server_default=text("0")),
    Column("written", Integer, nullable=False, server_default=text("0")),
    Column("unchanged", Integer, nullable=False, server_default=text("0")),
    Column("refused", Integer, nullable=False, server_default=text("0")),
    Column("uncounted", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("progress", Text, nullable=False, server_default=text("''")),
    Column("error_code", Text, nullable=False, server_default=text("''")),
    Column("message", Text, nullable=False, server_default=text("''")),
    one_of("state", PULL_STATES),
)
"""Runs: read = written + unchanged + refused; ``uncounted`` are records in no figure, by reason."""
Index("source_run_newest", source_run.c.source_id, source_run.c.id)
