"""Figures of an export, kept so that a later one of the same days can tell what was restated since."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column and the index that finds the export before."""
    run = op.get_bind().exec_driver_sql
    run("alter table export_job add column figures jsonb")
    run("create index export_job_told on export_job (finished_at) where figures is not null")


def downgrade() -> None:
    """Takes it away."""
    run = op.get_bind().exec_driver_sql
    run("drop index export_job_told")
    run("alter table export_job drop column figures")
