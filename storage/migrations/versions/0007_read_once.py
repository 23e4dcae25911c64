"""Snapshots that are read once, whatever the period: numbers packed in each row, trailing quantiles in
it, durations by block, and what the last snapshot of a workspace is beside the workspace."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import ROLLUP, tenancy
from storage.roles import DEFINER

revision = "0007"
down_revision = "0006"

SQL = Path(__file__).parent.parent / "sql"
GONE = (
    "executive_state()",
    "executive_usage(date[])",
    "executive_compliance(date[])",
    "executive_days_seen(date, date)",
    "executive_scope()",
    "usage_on(bigint, date[])",
    "compliance_on(bigint, date[])",
)
DEFINER_FUNCTIONS = ("executive_scope()",)


def upgrade() -> None:
    """Tables, then functions. Distributions of earlier snapshots come back with a backfill."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    for function in GONE:
        run(f"drop function vigilo.{function}")
    run(_sql("0007_tables.sql"))
    run(";".join(tenancy("duration_block", ROLLUP, web, job, distributed=distributed)))
    run(f"grant select on snapshot_run to {web}, {job}")
    run(f"grant insert, update on snapshot_run to {job}")
    run(_sql("0007_functions.sql"))
    run(f"grant create on schema vigilo to {DEFINER}")
    for function in DEFINER_FUNCTIONS:
        run(f"alter function vigilo.{function} owner to {DEFINER}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def _sql(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8").replace("%", "%%")


def downgrade() -> None:
    """Not offered: the running distributions of before are gone."""
    raise RuntimeError("There is no way back: restore a backup.")
