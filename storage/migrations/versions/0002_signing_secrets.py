"""A token for events may carry the secret that their sender signs with, sealed."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column of signing secrets."""
    op.get_bind().exec_driver_sql("alter table api_token add column signing_secret bytea")


def downgrade() -> None:
    """Takes the secrets away."""
    op.get_bind().exec_driver_sql("alter table api_token drop column signing_secret")
