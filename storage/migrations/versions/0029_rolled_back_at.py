"""When each deployment was rolled back, kept with it: worked out as records are told, no more at each
look."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"

MATCHED = """
alter table deployment no force row level security;
alter table roll_back no force row level security;
alter table deployment add column rolled_back_at timestamptz;
with steps as (
    select d.workspace_id, coalesce(d.service, '') as service, d.environment, d.completed_at as at, d.key,
           1 as step
    from deployment d
    where d.production and d.left_out is null and d.outcome <> 'cancelled'
    union all
    select r.workspace_id, r.service, r.environment, r.rolled_back_at, r.key, -1 from roll_back r
),
undone as (
    select workspace_id, key, taken_down_at as at
    from (
        select workspace_id, key, step, lead(at) over (
            partition by workspace_id, service, environment, level order by at, step, key
        ) as taken_down_at
        from (
            select s.*, sum(step) over (
                partition by workspace_id, service, environment order by at, step, key
            ) + (step = -1)::int as level
            from steps s
        ) levels
    ) matched
    where step = 1 and taken_down_at is not null
)
update deployment d set rolled_back_at = u.at
from undone u where d.workspace_id = u.workspace_id and d.key = u.key;
create index deployment_rolled_back on deployment (workspace_id, rolled_back_at)
    where rolled_back_at is not null;
alter table deployment force row level security;
alter table roll_back force row level security;
"""


def upgrade() -> None:
    """The column, filled for the roll-backs that are known. Each undoes the newest deployment of its
    service and environment that was complete before it and is not undone yet, as brackets match."""
    op.get_bind().exec_driver_sql(MATCHED)


def downgrade() -> None:
    """Takes it away; a release of before works it out at each look."""
    op.get_bind().exec_driver_sql("alter table deployment drop column rolled_back_at")
