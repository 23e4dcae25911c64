"""The watch: states, series and signals of every workspace, days and thresholds of the installation."""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import ROLLUP, tenancy

revision = "0021"
down_revision = "0020"

TABLES = """
create table watch_state (
    workspace_id bigint not null references workspace (id) primary key,
    series text[] not null,
    held_on date not null,
    data bytea not null,
    computed_at timestamptz not null default now()
);
create table watch_series (
    workspace_id bigint not null references workspace (id),
    series text not null,
    night date not null,
    dispersion double precision not null,
    evidence double precision not null,
    days_to_tell integer,
    primary key (workspace_id, series)
);
create table watch_signal (
    workspace_id bigint not null references workspace (id),
    series text not null,
    opened_on date not null,
    grade text not null constraint grade_known check (grade in ('may_drift', 'drifting')),
    since date not null,
    give_or_take integer not null,
    evidence double precision not null,
    usual double precision not null,
    now double precision not null,
    extra double precision not null,
    seen_on date not null,
    ended_on date,
    state text not null default 'open' constraint state_known check (
        state in ('open', 'acknowledged', 'snoozed', 'explained', 'dismissed')),
    until date,
    note text not null default '',
    changed_by text not null default '',
    changed_at timestamptz,
    primary key (workspace_id, series, opened_on)
);
create index watch_signal_open on watch_signal (workspace_id) where ended_on is null;
create table watch_day (
    series text not null,
    day date not null,
    share double precision not null,
    primary key (series, day)
);
create table watch_threshold (
    series text not null primary key,
    made_on date not null,
    watch double precision not null,
    drifting double precision not null,
    stretch double precision[] not null,
    workspaces integer not null,
    days integer not null
);
"""
TENANT = ("watch_state", "watch_series", "watch_signal")
WHOLE = ("watch_day", "watch_threshold")
READ = """
-- Series and signals of one workspace in its own context at ``level``, whatever the caller's, which is
-- written back: signals that are open, or ended after ``ended_after``.
create function vigilo.watched_in_context(
    level text, workspace bigint, ended_after date,
    out series text[], out dispersions float8[], out days_to_tell int[], out signals jsonb
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    perform vigilo.enter(level, workspace);
    select array_agg(s.series), array_agg(s.dispersion), array_agg(s.days_to_tell)
    into series, dispersions, days_to_tell
    from public.watch_series s where s.workspace_id = workspace;
    select jsonb_agg(to_jsonb(g) - 'workspace_id') into signals
    from public.watch_signal g
    where g.workspace_id = workspace and (g.ended_on is null or g.ended_on > ended_after);
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""

KEPT = """
-- State and open signals of each workspace, read in its own context as the job. No state where a day was
-- changed that it rests on, so that it is built anew.
create function vigilo.watch_kept(workspaces bigint[])
returns table (workspace_id bigint, series text[], held_on date, data bytea, signals jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    one bigint;
begin
    foreach one in array workspaces loop
        perform vigilo.enter('job', one);
        workspace_id := one; series := null; held_on := null; data := null; signals := null;
        select s.series, s.held_on, s.data into series, held_on, data
        from public.watch_state s
        where s.workspace_id = one and not exists (
            select from public.workspace_usage_snapshot u where u.workspace_id = one
            and u.snapshot_date <= s.held_on and u.computed_at > s.computed_at);
        select jsonb_agg(to_jsonb(g)) into signals from public.watch_signal g
        where g.workspace_id = one and g.ended_on is null;
        return next;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
-- What a night has told, each workspace's written in its own context as the job.
create function vigilo.keep_watch(nights jsonb) returns void
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
        insert into public.watch_state (workspace_id, series, held_on, data)
        select one, array(select jsonb_array_elements_text(night->'keys')),
               (night->>'held_on')::date, decode(night->>'data', 'base64')
        on conflict (workspace_id) do update set series = excluded.series,
            held_on = excluded.held_on, data = excluded.data, computed_at = now();
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
end $$;
"""


def upgrade() -> None:
    """Tables, their policies, and the function that reads them."""
    run = op.get_bind().exec_driver_sql
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run(TABLES)
    for table in TENANT:
        run(";".join(tenancy(table, ROLLUP, web, job, distributed=distributed)))
    for table in WHOLE:
        run(f"grant select on {table} to {web}")
        run(f"grant select, insert, update, delete on {table} to {job}")
    run(READ)
    run(KEPT)


def downgrade() -> None:
    """Takes the watch away; it learns anew from the snapshots."""
    run = op.get_bind().exec_driver_sql
    run("drop function vigilo.watched_in_context(text, bigint, date)")
    run("drop function vigilo.watch_kept(bigint[])")
    run("drop function vigilo.keep_watch(jsonb)")
    for table in (*TENANT, *WHOLE):
        run(f"drop table {table}")
