"""Loops over a scope pass over workspaces whose node is away."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0045"
down_revision = "0044"

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0045_node_away.sql"


def upgrade() -> None:
    """Writes the functions again."""
    op.get_bind().exec_driver_sql(FUNCTIONS.read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    """Leaves them: where every node is there they do the same."""
