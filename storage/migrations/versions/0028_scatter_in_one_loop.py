"""Scatter of all workspaces in scope in one loop, which enters each one's context: what the tests of a
change on the dashboard read."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"

LOOP = """
-- Scatter of each workspace in the viewer's scope, read in its own context at ``level``: its series, one a
-- line, their dispersions as float8 in that order, and since when which of them drift. The caller's context
-- is written back.
create function vigilo.scatter_in_scope(level text)
returns table (workspace_id bigint, series text, dispersions bytea, drifting jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select s.workspace_id from vigilo.executive_scope() s where s.left_out is null loop
        perform vigilo.enter(level, workspace_id);
        select told.series, told.dispersions, open.drifting
        into series, dispersions, drifting
        from (
            select string_agg(s.series, chr(10)) as series,
                   string_agg(float8send(s.dispersion), '') as dispersions
            from public.watch_series s where s.workspace_id = scatter_in_scope.workspace_id
        ) told
        cross join (
            select jsonb_object_agg(g.series, g.since order by g.opened_on) as drifting
            from public.watch_signal g
            where g.workspace_id = scatter_in_scope.workspace_id and g.ended_on is null
              and g.grade = 'drifting' and g.state <> 'dismissed'
        ) open;
        if series is not null or drifting is not null then
            return next;
        end if;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""


def upgrade() -> None:
    """The loop."""
    op.get_bind().exec_driver_sql(LOOP)


def downgrade() -> None:
    """Takes it away."""
    op.get_bind().exec_driver_sql("drop function vigilo.scatter_in_scope(text)")
