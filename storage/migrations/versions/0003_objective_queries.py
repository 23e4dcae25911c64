"""An objective may carry the queries that count its events."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two columns."""
    op.get_bind().exec_driver_sql(
        "alter table objective add column error_query text, add column total_query text"
    )


def downgrade() -> None:
    """Takes the queries away."""
    op.get_bind().exec_driver_sql(
        "alter table objective drop column error_query, drop column total_query"
    )
