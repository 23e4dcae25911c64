"""The surest of the signals that the last night has told, beside their number."""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0044"
down_revision = "0043"

BEFORE = "drop function vigilo.signals_in_scope(text, date)"
COUNT = """
-- Signals in the viewer's scope that are open on a day and neither put off nor dismissed, each workspace's
-- read in its own context at ``level``; the last night, the number of those that it has told, and the
-- ``most`` surest of them.
create function vigilo.signals_in_scope(
    level text, today date, most integer,
    out open integer, out fresh integer, out night date, out newest jsonb
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    one bigint;
    mine integer;
    told jsonb;
begin
    open := 0;
    newest := '[]';
    night := (select max(d.day) from public.watch_day d);
    for one in select s.workspace_id from vigilo.executive_scope() s where s.left_out is null loop
        perform vigilo.enter(level, one);
        select count(*), coalesce(jsonb_agg(to_jsonb(g)) filter (where g.opened_on = night), '[]')
        into mine, told
        from public.watch_signal g
        where g.workspace_id = one and g.ended_on is null and g.state <> 'dismissed'
          and (g.state <> 'snoozed' or g.until is null or g.until <= today);
        open := open + mine;
        newest := newest || told;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
    fresh := jsonb_array_length(newest);
    newest := (
        select coalesce(jsonb_agg(one_of.value order by one_of.n), '[]') from (
            select each.value, row_number() over (
                order by (each.value->>'evidence')::float8 desc, each.value->>'series',
                         (each.value->>'workspace_id')::bigint
            ) as n
            from jsonb_array_elements(newest) each
        ) one_of
        where one_of.n <= most
    );
end $$
"""


def upgrade() -> None:
    """The function with what it tells of the newest."""
    op.get_bind().exec_driver_sql(BEFORE)
    op.get_bind().exec_driver_sql(COUNT)


def downgrade() -> None:
    """Back to the function that counts alone."""
    op.get_bind().exec_driver_sql("drop function vigilo.signals_in_scope(text, date, integer)")
    before = import_module("storage.migrations.versions.0035_signals_in_scope")
    op.get_bind().exec_driver_sql(before.COUNT)
