"""Controls of frameworks that were set up in a workspace, before anything is told of them."""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import WORKSPACE, tenancy

revision = "0023"
down_revision = "0022"

TABLE = """
create table framework_control (
    workspace_id bigint not null references workspace (id),
    framework text not null,
    control text not null,
    title text default '' not null,
    set_up_at timestamptz not null,
    primary key (workspace_id, framework, control)
)
"""


def upgrade() -> None:
    """The table, under the policies of its neighbours."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(TABLE)
    run(";".join(tenancy("framework_control", WORKSPACE, web, job, distributed=distributed)))


def downgrade() -> None:
    """Takes the table away."""
    op.get_bind().exec_driver_sql("drop table framework_control")
