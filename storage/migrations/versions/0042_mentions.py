"""Records that are the same as another by a rule of the workspace: the way back from what is mentioned."""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import WORKSPACE, tenancy

revision = "0042"
down_revision = "0041"

TABLE = """
create table mention (
    workspace_id bigint not null references workspace (id),
    kind text not null,
    value text not null,
    identity text not null,
    is_own boolean not null,
    primary key (workspace_id, kind, value, identity, is_own)
);
create index mention_identity on mention (workspace_id, kind, identity);
alter table deployment add column merged_into text, add column part_of text;
create index deployment_part_of on deployment (workspace_id, part_of) where part_of is not null;
"""


def upgrade() -> None:
    """The table; it fills with the first rule."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    policies = tenancy("mention", WORKSPACE, web, job, distributed=distributed)
    op.get_bind().exec_driver_sql(TABLE + ";".join(policies))


def downgrade() -> None:
    """Takes it away; what was linked counts apart again when it is next told of."""
    op.get_bind().exec_driver_sql(
        "drop table mention; alter table deployment drop column merged_into, drop column part_of"
    )
