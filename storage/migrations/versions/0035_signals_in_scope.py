"""Evidence and days to tell beside the scatter, and the number of open signals."""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0035"
down_revision = "0034"

SCATTER = """
drop function vigilo.scatter_in_scope(text);
-- Scatter of each workspace in the viewer's scope, read in its own context at ``level``: its series, one a
-- line, three float8 each in that order (dispersion, evidence, days that a doubling needs to be told, 0 if
-- that is not known), and since when which of them drift. The caller's context is written back.
create function vigilo.scatter_in_scope(level text)
returns table (workspace_id bigint, series text, numbers bytea, drifting jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select s.workspace_id from vigilo.executive_scope() s where s.left_out is null loop
        perform vigilo.enter(level, workspace_id);
        select told.series, told.numbers, open.drifting
        into series, numbers, drifting
        from (
            select string_agg(s.series, chr(10)) as series,
                   string_agg(float8send(s.dispersion) || float8send(s.evidence)
                              || float8send(coalesce(s.days_to_tell, 0)), '') as numbers
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
COUNT = """
-- Signals in the viewer's scope that are open on a day and neither put off nor dismissed, each workspace's
-- counted in its own context at ``level``; and those of them that the last night has told.
create function vigilo.signals_in_scope(level text, today date, out open integer, out fresh integer)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    one bigint;
    mine integer;
    new_mine integer;
    night date := (select max(d.day) from public.watch_day d);
begin
    open := 0;
    fresh := 0;
    for one in select s.workspace_id from vigilo.executive_scope() s where s.left_out is null loop
        perform vigilo.enter(level, one);
        select count(*), count(*) filter (where g.opened_on = night) into mine, new_mine
        from public.watch_signal g
        where g.workspace_id = one and g.ended_on is null and g.state <> 'dismissed'
          and (g.state <> 'snoozed' or g.until is null or g.until <= today);
        open := open + mine;
        fresh := fresh + new_mine;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""
BEFORE = """
drop function vigilo.signals_in_scope(text, date);
drop function vigilo.scatter_in_scope(text);
"""


def upgrade() -> None:
    """The functions."""
    op.get_bind().exec_driver_sql(SCATTER)
    op.get_bind().exec_driver_sql(COUNT)


def downgrade() -> None:
    """The loop as it was."""
    op.get_bind().exec_driver_sql(BEFORE)
    before = import_module("storage.migrations.versions.0028_scatter_in_one_loop")
    op.get_bind().exec_driver_sql(before.LOOP)
