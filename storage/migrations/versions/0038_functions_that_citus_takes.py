"""Functions that Citus takes, too: a workspace's last snapshot is noted in PL/pgSQL (Citus plans no
function of SQL with a parameter over a distributed table), the watch is kept without a clock."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"

NOTE = """
create or replace function vigilo.note_snapshot(workspace bigint) returns void
language plpgsql as $$
declare
    newest record;
begin
    select s.snapshot_date, s.computed_at into newest
    from public.workspace_usage_snapshot s
    where s.workspace_id = workspace order by s.snapshot_date desc limit 1;
    -- Also where nothing was seen: whoever may not note is refused, not told nothing.
    update public.workspace w
    set snapshot_version = w.snapshot_version + 1,
        snapshot_day = newest.snapshot_date, snapshot_at = newest.computed_at
    where w.id = workspace and newest.snapshot_date is not null;
end $$
"""

KEEP = """
create or replace function vigilo.keep_watch(nights jsonb)
returns void
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    night jsonb;
    one bigint;
begin
    for night in select jsonb_array_elements(nights) loop
        one := (night->>'workspace_id')::bigint;
        perform vigilo.enter('job', one);
        insert into public.watch_state (workspace_id, series, held_on, data, computed_at)
        select one, array(select jsonb_array_elements_text(night->'keys')),
               (night->>'held_on')::date, decode(night->>'data', 'base64'), now()
        on conflict (workspace_id) do update set series = excluded.series,
            held_on = excluded.held_on, data = excluded.data, computed_at = excluded.computed_at;
        insert into public.watch_series
        select one, r.series, r.night, r.dispersion, r.evidence, r.days_to_tell
        from jsonb_populate_recordset(null::public.watch_series, night->'series') r
        on conflict (workspace_id, series) do update set night = excluded.night,
            dispersion = excluded.dispersion, evidence = excluded.evidence,
            days_to_tell = excluded.days_to_tell;
        insert into public.watch_signal (workspace_id, series, opened_on, grade, since, give_or_take,
                                         evidence, usual, now, extra, seen_on, ended_on)
        select one, r.series, r.opened_on, r.grade, r.since, r.give_or_take, r.evidence, r.usual, r.now,
               r.extra, r.seen_on, r.ended_on
        from jsonb_populate_recordset(null::public.watch_signal, night->'signals') r
        on conflict (workspace_id, series, opened_on) do update set grade = excluded.grade,
            since = excluded.since, give_or_take = excluded.give_or_take,
            evidence = excluded.evidence, usual = excluded.usual, now = excluded.now,
            extra = excluded.extra, seen_on = excluded.seen_on, ended_on = excluded.ended_on;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$
"""


def upgrade() -> None:
    """Writes them again."""
    for function in (NOTE, KEEP):
        op.get_bind().exec_driver_sql(function.replace("%", "%%"))


def downgrade() -> None:
    """Leaves them: they do the same."""
