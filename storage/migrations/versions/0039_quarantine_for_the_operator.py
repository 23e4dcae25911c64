"""How much lies in quarantine over all workspaces, for the operator's metrics."""

from __future__ import annotations

from alembic import context, op

revision = "0039"
down_revision = "0038"

COUNT = """
create function vigilo.quarantined(out workspaces bigint, out parts bigint, out oldest timestamptz)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    one bigint;
    here bigint;
    since timestamptz;
begin
    workspaces := 0;
    parts := 0;
    for one in select w.id from public.workspace w where w.is_active order by w.id loop
        perform vigilo.enter('job', one);
        select count(*), min(q.at) into here, since from public.quarantine q where q.workspace_id = one;
        parts := parts + here;
        workspaces := workspaces + (here > 0)::int;
        oldest := least(oldest, since);
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$
"""
NAME = "vigilo.quarantined()"


def upgrade() -> None:
    """The function, in each workspace's own context: whoever calls it sees only what the job role sees."""
    run = op.get_bind().exec_driver_sql
    run(COUNT)
    run(f"revoke execute on function {NAME} from public")
    run(f"grant execute on function {NAME} to {context.config.attributes['job']}")


def downgrade() -> None:
    """Takes it away: nothing is kept in it."""
    op.get_bind().exec_driver_sql(f"drop function {NAME}")
