"""Function with which the end-of-day job reads stored durations within PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0007"

SQL = Path(__file__).parent.parent / "sql" / "0009_functions.sql"


def upgrade() -> None:
    """Add the function, without any right of its own: it is given bytes and reads no table."""
    op.get_bind().exec_driver_sql(SQL.read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    """Nothing but the job uses it."""
    op.get_bind().exec_driver_sql("drop function vigilo.unpacked_days(bytea)")
