"""Annotations of days, and commentary on pages of the pack."""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

from storage.migrations.policies import ROLLUP, tenancy
from storage.roles import DEFINER

revision = "0037"
down_revision = "0036"

SQL = Path(__file__).parent.parent / "sql" / "0037_annotations.sql"


def upgrade() -> None:
    """Tables and the functions that read them in scope."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(SQL.read_text(encoding="utf-8").replace("%", "%%"))
    run(";".join(tenancy("annotation", ROLLUP, web, job, distributed=distributed)))
    run(f"revoke delete on annotation from {job}")
    run(f"grant select on organisation_annotation to {web}, {job}")
    run(f"grant insert, update on organisation_annotation to {job}")
    run(f"grant select, insert, update, delete on commentary to {job}")
    run(f"grant create on schema vigilo to {DEFINER}")
    run(f"alter function vigilo.scope_with_annotations() owner to {DEFINER}")
    run(f"grant execute on function vigilo.scope_with_annotations() to {web}")
    run(f"revoke create on schema vigilo from {DEFINER}")


def downgrade() -> None:
    """Not offered: what people wrote would be lost."""
    raise RuntimeError("There is no way back: restore a backup.")
