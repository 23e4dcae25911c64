"""Days that records came late for wait for the night; those that people have changed do not."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Whether marked days are to be made at once."""
    op.get_bind().exec_driver_sql(
        "alter table snapshot_due add column at_once boolean default true not null"
    )


def downgrade() -> None:
    """Takes it away: everything is made at once."""
    op.get_bind().exec_driver_sql("alter table snapshot_due drop column at_once")
