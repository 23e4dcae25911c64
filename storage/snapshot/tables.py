"""The snapshot tables, and what a run stages for them, as SQLAlchemy Core: derived from the domains."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Date,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from aggregators.records.tables import instant, tenant
from storage.snapshot.columns import (
    HISTORY_COLUMNS,
    USAGE_COLUMNS,
    SnapshotColumns,
    packed_expression,
)
from storage.tables import metadata


def _measured_columns(columns: SnapshotColumns) -> list[Column]:
    """Columns that the domains have a table hold. A total may be unknown: that of a domain that came later,
    in the rows of before."""
    totals = [
        Column(name, Integer, nullable=False) if name == "days_total" else Column(name, Double)
        for name in columns.totals
    ]
    return [
        *totals,
        *(Column(name, Double) for name in columns.levels),
        *(Column(name, BigInteger) for name in columns.counters),
        *(Column(name, Double) for name in columns.quantiles),
        Column("labels", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
        Column("packed", LargeBinary, Computed(packed_expression(columns.packed), persisted=True)),
    ]


def _history(columns: SnapshotColumns) -> Table:
    """The history of a domain with groups."""
    assert columns.group is not None
    table = tenant(
        columns.table,
        Column(columns.group, Text),
        Column("snapshot_date", Date),
        instant("computed_at", nullable=False),
        *_measured_columns(columns),
        key=(columns.group, "snapshot_date"),
    )
    name = columns.table.removesuffix("_history")
    Index(f"{name}_day", table.c.workspace_id, table.c.snapshot_date)
    return table


def _staged_table(name: str, like: Table) -> Table:
    """An unlogged table like another, without what is generated there: what a run computes waits there
    until it is published."""
    copied = [
        Column(c.name, c.type, nullable=c.nullable)
        for c in like.columns
        if c.name != "workspace_id" and c.computed is None
    ]
    key = tuple(c.name for c in like.primary_key.columns if c.name != "workspace_id")
    return tenant(name, *copied, key=key, prefixes=("UNLOGGED",))


usage_snapshot = tenant(
    USAGE_COLUMNS.table,
    Column("snapshot_date", Date),
    instant("computed_at", nullable=False),
    instant("changed_at", nullable=False),
    *_measured_columns(USAGE_COLUMNS),
    key=("snapshot_date",),
)
histories = {table: _history(columns) for table, columns in HISTORY_COLUMNS.items()}
"""The history of each domain with groups, by its name."""

duration_block = tenant(
    "duration_block",
    Column("distribution", Text),
    Column("group_key", Text),
    Column("block", Integer),
    Column("data", LargeBinary, nullable=False),
    key=("distribution", "group_key", "block"),
)
"""The durations of one distribution over ``sketch.BLOCK_DAYS`` days, as ``sketch.packed_days`` writes them,
of a group ('' in a domain without groups). Only days with a snapshot are in it."""

staged_usage = _staged_table("staged_usage_snapshot", usage_snapshot)
staged_histories = {
    name: _staged_table(f"staged_{name.replace('_snapshot_', '_')}", table)
    for name, table in histories.items()
}
staged_block = _staged_table("staged_duration_block", duration_block)
staged_workspace = tenant(
    "staged_workspace",
    instant("since", nullable=False),
    Column("days", ARRAY(Date), nullable=False),
    key=(),
    prefixes=("UNLOGGED",),
)
"""A workspace that is through: for the run that started at ``since``, with these days."""

snapshot_run = Table(
    "snapshot_run",
    metadata,
    Column("day", Date, primary_key=True),
    instant("started_at", nullable=False, now=True),
    instant("finished_at"),
    Column("range_first", Date),
    Column("made_with", Text),
)
"""A run over all workspaces: a night, or a backfill of the days from ``range_first`` on. It is under way,
or was broken off, where it has not finished since it started; and goes on only with what it was made with
until then: the same statements and settings."""

preset_rows = tenant(
    "preset_rows",
    Column("preset", Integer),
    Column("asked", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    key=("preset",),
)
"""Rows of a workspace that the dashboard of a preset reads, as one value: what was ``asked``, and of which
``version`` of its snapshots. A copy that the next night makes anew; compressed by the program, a sixth of
what the server would send."""

SNAPSHOT_TABLES = (usage_snapshot, *histories.values(), duration_block)
STAGED_TABLES = (staged_workspace, staged_usage, *staged_histories.values(), staged_block)
"""Cleared in this order: the first one's row is what a run that publishes holds on to."""
TENANT_TABLES = tuple(table for table in metadata.sorted_tables if "workspace_id" in table.c)
"""Every table whose rows belong to a workspace."""
