"""Marks, in each workspace, the days whose snapshots were made before durations were kept by block (0007):
without them their quantiles are empty. They are made again from the records that are there."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"

TABLES = ("workspace_usage_snapshot", "duration_block", "snapshot_due")
MARK = """
insert into snapshot_due (workspace_id, first_day)
select s.workspace_id, min(s.snapshot_date) from workspace_usage_snapshot s
where not exists (select 1 from duration_block b where b.workspace_id = s.workspace_id)
group by s.workspace_id
on conflict (workspace_id) do update
set first_day = least(snapshot_due.first_day, excluded.first_day), at_once = true
"""


def upgrade() -> None:
    """Marks; a workspace that has no duration at all is made again once and for nothing."""
    run = op.get_bind().exec_driver_sql
    for table in TABLES:
        run(f"alter table {table} no force row level security")
    run(MARK)
    for table in TABLES:
        run(f"alter table {table} force row level security")


def downgrade() -> None:
    """Leaves the marks: they cost one more computation."""
