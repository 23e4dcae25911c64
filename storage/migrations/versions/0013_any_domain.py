"""Snapshot tables with room for any domain: labels by name, durations by row, the order of packed numbers
beside them, and one relation of all histories with groups."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import ROLLUP, WORKSPACE, tenancy

revision = "0013"
down_revision = "0012"

SQL = Path(__file__).parent.parent / "sql"
STAGED = ("staged_usage_snapshot", "staged_compliance_history", "staged_duration_block")


def upgrade() -> None:
    """Tables, then what reads them."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(_sql("0013_tables.sql"))
    run(";".join(tenancy("duration_block", ROLLUP, web, job, distributed=distributed)))
    for table in STAGED:
        run(";".join(tenancy(table, WORKSPACE, web, job, distributed=distributed)))
        run(f"revoke all on {table} from {web}")
    run(_sql("0013_functions.sql"))
    run(f"grant select on vigilo.group_snapshots to {web}, {job}")


def _sql(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8").replace("%", "%%")


def downgrade() -> None:
    """Not offered: what later domains have stored would be lost."""
    raise RuntimeError("There is no way back: restore a backup.")
