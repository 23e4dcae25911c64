"""Digest of what a run computes with, so that one which was broken off goes on only where that is the
same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A column."""
    op.add_column("snapshot_run", sa.Column("made_with", sa.Text()))


def downgrade() -> None:
    """Takes it away."""
    op.drop_column("snapshot_run", "made_with")
