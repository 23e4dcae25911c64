"""An index of the statements of each delivery: its page names the records that it told."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """The index; statements of files have no delivery and cost nothing."""
    op.get_bind().exec_driver_sql(
        "create index statement_delivery on statement (workspace_id, delivery)"
        " where delivery is not null"
    )


def downgrade() -> None:
    """Without the index."""
    op.get_bind().exec_driver_sql("drop index statement_delivery")
