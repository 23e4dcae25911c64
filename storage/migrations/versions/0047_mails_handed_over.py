"""Notes of a mail how often it was handed over to the server without an answer."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """The column."""
    op.get_bind().exec_driver_sql(
        "alter table mail_outbox add column handed_over integer not null default 0"
    )


def downgrade() -> None:
    """Takes it away: a mail of which nobody knows whether it arrived goes until it is taken."""
    op.get_bind().exec_driver_sql("alter table mail_outbox drop column handed_over")
