"""Deployments to production and elsewhere, and the changes that they brought."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Text, text

from aggregators.records.tables import instant, one_of, settled_column, tenant

OUTCOMES = ("successful", "successful_with_issues", "failed", "rolled_back", "cancelled")


def mapped_environment() -> Column:
    """Meaning of the environment's name: roll-backs undo deployments of the same meaning."""
    default = text("'production'")
    return Column("mapped_environment", Text, nullable=False, server_default=default)


deployment = tenant(
    "deployment",
    Column("key", Text),
    instant("created_at"),
    instant("completed_at", nullable=False),
    Column("environment", Text, nullable=False, server_default=text("'production'")),
    Column("outcome", Text, nullable=False),
    Column("service", Text),
    mapped_environment(),
    Column("production", Boolean, nullable=False, server_default=text("false")),
    Column("left_out", Text),
    Column("merged_into", Text),
    Column("part_of", Text),
    settled_column(instant("rolled_back_at")),
    one_of("outcome", OUTCOMES),
    CheckConstraint("created_at <= completed_at", name="lead_time_not_negative"),
    key=("key",),
)
Index("deployment_completed", deployment.c.workspace_id, deployment.c.completed_at)
Index(
    "deployment_rolled_back",
    deployment.c.workspace_id,
    deployment.c.rolled_back_at,
    postgresql_where=text("rolled_back_at is not null"),
)

Index(
    "deployment_part_of",
    deployment.c.workspace_id,
    deployment.c.part_of,
    postgresql_where=text("part_of is not null"),
)
"""A deployment that is the same as another is merged into that one; it is part of the last of such a
chain."""

deployment_change = tenant(
    "deployment_change",
    Column("deployment", Text),
    Column("key", Text),
    instant("committed_at", nullable=False),
    key=("deployment", "key"),
)
Index("deployment_change_key", deployment_change.c.workspace_id, deployment_change.c.key)

roll_back = tenant(
    "roll_back",
    Column("key", Text),
    instant("rolled_back_at", nullable=False),
    Column("environment", Text, nullable=False, server_default=text("'production'")),
    Column("service", Text, nullable=False, server_default=text("''")),
    mapped_environment(),
    key=("key",),
)
"""Explicit roll-backs: each undoes a deployment and is none."""
