"""Snapshots are published for all workspaces at once: what a run has computed waits beside the tables that
readers see."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import WORKSPACE, tenancy

revision = "0011"
down_revision = "0010"

SQL = Path(__file__).parent.parent / "sql" / "0011_staged.sql"
STAGED = (
    "staged_usage_snapshot",
    "staged_compliance_history",
    "staged_duration_block",
    "staged_workspace",
)


def upgrade() -> None:
    """Tables of the job's role alone, under the policies of every tenant table."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(SQL.read_text(encoding="utf-8").replace("%", "%%"))
    for table in STAGED:
        run(";".join(tenancy(table, WORKSPACE, web, job, distributed=distributed)))
        run(f"revoke all on {table} from {web}")


def downgrade() -> None:
    """Not offered: a run that was broken off would show."""
    raise RuntimeError("There is no way back: restore a backup.")
