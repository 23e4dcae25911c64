"""Range that a backfill was asked for, kept so that a night can finish one that was broken off; and an
error of the server, not of a workspace, ends the reading."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

SQL = Path(__file__).parent.parent / "sql" / "0010_functions.sql"


def upgrade() -> None:
    """Two columns, and the function in place of the one of before."""
    op.add_column("snapshot_run", sa.Column("range_first", sa.Date()))
    op.add_column("snapshot_run", sa.Column("hidden_from", sa.Date()))
    op.get_bind().exec_driver_sql(SQL.read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    """Not offered: days that are hidden would show."""
    raise RuntimeError("There is no way back: restore a backup.")
