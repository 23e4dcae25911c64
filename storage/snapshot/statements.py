"""The end-of-day job's statements: all days of one workspace at once, inside PostgreSQL.

They are put together from the domains' own queries, so a live figure and a stored one can not differ by
their definition. ``STAGE`` computes, beside what readers see; ``PUBLISH`` moves the result to where they
do. Each is prepared once a connection, with ``sql.PARAMETERS`` for its arguments.
"""

from __future__ import annotations

from storage.snapshot.columns import HISTORY_COLUMNS
from storage.snapshot.durations import publish_durations, stage_durations
from storage.snapshot.history_rows import publish_history, stage_history
from storage.snapshot.sql import ASKED, PreparedStatement
from storage.snapshot.tables import STAGED_TABLES, staged_workspace
from storage.snapshot.usage_rows import publish_usage, stage_usage

STAGE = (
    *(
        PreparedStatement(f"delete from {table.name} where workspace_id = :w")
        for table in STAGED_TABLES
    ),
    PreparedStatement(stage_durations()),
    PreparedStatement(stage_usage()),
    *(PreparedStatement(stage_history(columns)) for columns in HISTORY_COLUMNS.values()),
    PreparedStatement(
        f"with {ASKED} insert into {staged_workspace.name} (workspace_id, since, days)"
        " select :w, :since, array_agg(day) from asked returning cardinality(days)"
    ),
)
"""In this order: the rows read the durations as they will be. The last one says how many days."""
PUBLISH = (
    PreparedStatement(publish_durations()),
    PreparedStatement(publish_usage()),
    *(PreparedStatement(publish_history(columns)) for columns in HISTORY_COLUMNS.values()),
    PreparedStatement("select vigilo.note_snapshot(:w)"),
    PreparedStatement(f"delete from {staged_workspace.name} where workspace_id = :w returning 1"),
)
"""The last but one notes beside the workspace its last snapshot, and whether its history has changed, which
the staged days tell."""
