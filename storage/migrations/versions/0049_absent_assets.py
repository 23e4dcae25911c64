"""Assets that a list of all there is lacks, as it follows from the lists and the results.

What lists have retired before was told as retirements, and stands as that.
"""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import WORKSPACE, tenancy

revision = "0049"
down_revision = "0048"

TABLE = """
create table asset_absence (
    workspace_id bigint not null references workspace (id),
    asset text not null,
    framework text not null,
    retired_at timestamptz not null,
    primary key (workspace_id, asset, framework, retired_at)
);
"""


def upgrade() -> None:
    """The table; it fills with the first list."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    policies = tenancy("asset_absence", WORKSPACE, web, job, distributed=distributed)
    op.get_bind().exec_driver_sql(TABLE + ";".join(policies))


def downgrade() -> None:
    """Takes it away; the assets that lists lack are there again until they are unseen for long enough."""
    op.get_bind().exec_driver_sql("drop table asset_absence")
