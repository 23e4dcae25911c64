"""Records are folds of statements: where statements, deliveries and meanings of words stand, and what the
fold says of a record beside its file's columns. A record of before becomes a statement when another one is
told of it (``ingest.statements``)."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import WORKSPACE, tenancy
from storage.roles import DEFINER

revision = "0014"
down_revision = "0013"

SQL = Path(__file__).parent.parent / "sql"
TABLES = ("statement", "delivery", "quarantine", "word_meaning", "roll_back", "asset_retirement",
          "snapshot_due")  # fmt: skip
ALTERED = ("deployment", "incident", "control_result")
"""Tables whose rows are changed, which forced row-level security would hide from their owner."""

LOOKED_UP = {
    "delivery": "workspaces_with_deliveries",
    "snapshot_due": "workspaces_with_snapshots_due",
}
"""Tables that the job looks into across workspaces, each through a function alone."""


def upgrade() -> None:
    """Tables and columns."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    for table in ALTERED:
        run(f"alter table {table} no force row level security")
    run((SQL / "0014_statements.sql").read_text(encoding="utf-8"))
    for table in ALTERED:
        run(f"alter table {table} force row level security")
    for table in TABLES:
        run(";".join(tenancy(table, WORKSPACE, web, job, distributed=distributed)))
    run(f"grant create on schema vigilo to {DEFINER}")
    for table, function in LOOKED_UP.items():
        run(f"""
            grant select on {table} to {DEFINER};
            create policy definer_read on {table} for select to {DEFINER} using (true);
            alter function vigilo.{function}() owner to {DEFINER};
            grant execute on function vigilo.{function}() to {job};
        """)
    run(f"revoke create on schema vigilo from {DEFINER}")
    run(f"grant select on organisation_meaning to {web}, {job}")
    run(f"grant insert, update, delete on organisation_meaning to {job}")


def run(statements: str) -> None:
    """Runs statements as they are."""
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    """Not offered: what was told in several words would be lost."""
    raise RuntimeError("There is no way back: restore a backup.")
