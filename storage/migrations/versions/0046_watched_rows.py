"""Rows of the watch, read and written alone: the watched numbers of a day and the watched durations of all
workspaces in one pass that enters the context of each; what a night tells as arrays; and a number beside
each workspace that changes with its history, so that none is read through to see whether it did."""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0046"
down_revision = "0045"

COLUMNS = """
alter table workspace add column history_version bigint not null default 0;
alter table watch_state add column history_version bigint not null default -1;
"""

NOTE = """
-- Notes a workspace's last snapshot beside it, and that days of its history have changed where one of those
-- that are staged is older than the 28 that every night computes anew.
create or replace function vigilo.note_snapshot(workspace bigint) returns void
language plpgsql as $$
declare
    newest record;
    first_staged date;
begin
    select s.snapshot_date, s.computed_at into newest
    from public.workspace_usage_snapshot s
    where s.workspace_id = workspace order by s.snapshot_date desc limit 1;
    select min(d.day) into first_staged
    from public.staged_workspace s cross join lateral unnest(s.days) as d(day)
    where s.workspace_id = workspace;
    -- Also where nothing was seen: whoever may not note is refused, not told nothing.
    update public.workspace w
    set snapshot_version = w.snapshot_version + 1,
        history_version = w.history_version
            + coalesce(first_staged <= newest.snapshot_date - 28, true)::int,
        snapshot_day = newest.snapshot_date, snapshot_at = newest.computed_at
    where w.id = workspace and newest.snapshot_date is not null;
end $$
"""

ROWS = """
-- Watched numbers of each workspace's days from the last one before ``first_day`` up to ``last_day``, in
-- its own context as the job: an int4 day since 2000-01-01 and ``width`` bytes of the packed numbers from
-- ``first_byte`` on; the day of its first snapshot, counted alike; and the durations of the blocks, of the
-- distributions asked for. A workspace that can not be read has only ``failed``. The caller's context is
-- written back.
create function vigilo.watched_rows(
    workspaces bigint[], first_day date, last_day date, first_byte int, width int,
    watched text[], first_block int, last_block int
)
returns table (
    workspace_id bigint, failed text, begun int, usage bytea,
    distributions text[], blocks bytea[], entries bytea[]
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    one bigint;
    before date;
begin
    foreach one in array workspaces loop
        workspace_id := one;
        failed := null; begun := null; usage := null;
        distributions := null; blocks := null; entries := null;
        begin
            perform vigilo.enter('job', one);
            select min(u.snapshot_date) - date '2000-01-01' into begun
            from public.workspace_usage_snapshot u where u.workspace_id = one;
            select max(u.snapshot_date) into before
            from public.workspace_usage_snapshot u
            where u.workspace_id = one and u.snapshot_date < first_day;
            select string_agg(int4send(u.snapshot_date - date '2000-01-01')
                              || substring(u.packed from first_byte for width), '')
            into usage
            from public.workspace_usage_snapshot u
            where u.workspace_id = one and u.snapshot_date >= coalesce(before, first_day)
              and u.snapshot_date <= last_day;
            select array_agg(d.distribution), array_agg(d.blocks), array_agg(d.entries)
            into distributions, blocks, entries
            from (
                select b.distribution,
                       string_agg(int4send(b.block) || int4send(octet_length(b.data)), '' order by b.block)
                       as blocks,
                       string_agg(b.data, '' order by b.block) as entries
                from public.duration_block b
                where b.workspace_id = one and b.distribution = any(watched) and b.group_key = ''
                  and b.block between first_block and last_block
                group by b.distribution
            ) d;
        exception
        when others then
            -- A deadlock, a server without memory or disk: no workspace is broken.
            if left(sqlstate, 2) in ('40', '53', '57', '58') then
                raise;
            end if;
            usage := null; distributions := null; blocks := null; entries := null;
            failed := sqlerrm;
        end;
        return next;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""


KEPT = """
-- State and open signals of each workspace, read in its own context as the job, and the version of its
-- history. No state where that has changed since it was made, so that it is built anew.
create function vigilo.watch_kept(workspaces bigint[])
returns table (
    workspace_id bigint, version bigint, series text[], held_on date, data bytea, signals jsonb
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    one bigint;
begin
    foreach one in array workspaces loop
        perform vigilo.enter('job', one);
        workspace_id := one; series := null; held_on := null; data := null; signals := null;
        select w.history_version into version from public.workspace w where w.id = one;
        select s.series, s.held_on, s.data into series, held_on, data
        from public.watch_state s
        where s.workspace_id = one and s.history_version = version;
        select jsonb_agg(to_jsonb(g)) into signals from public.watch_signal g
        where g.workspace_id = one and g.ended_on is null;
        return next;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""

KEEP = """
-- What a night has told, each workspace's written in its own context as the job: its state as of the night
-- ``held`` and the version of the history that it rests on; of each of its series, which are ``keys`` in
-- this order, scatter, evidence and the days to tell a doubling, 0 where they are not known; its signals.
create function vigilo.keep_watched(
    workspaces bigint[], versions bigint[], keys text[], night_of date, held date, states bytea[],
    dispersions float8[], evidences float8[], soon int[], signals jsonb
)
returns void language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    width int := cardinality(keys);
    begun int := 0;
    place int := 0;
    one bigint;
begin
    foreach one in array workspaces loop
        place := place + 1;
        perform vigilo.enter('job', one);
        insert into public.watch_state (workspace_id, series, held_on, data, computed_at, history_version)
        values (one, keys, held, states[place], now(), versions[place])
        on conflict (workspace_id) do update set series = excluded.series,
            held_on = excluded.held_on, data = excluded.data, computed_at = excluded.computed_at,
            history_version = excluded.history_version;
        insert into public.watch_series (workspace_id, series, night, dispersion, evidence, days_to_tell)
        select one, r.series, night_of, r.dispersion, r.evidence, nullif(r.days, 0)
        from unnest(keys, dispersions[begun + 1:begun + width], evidences[begun + 1:begun + width],
                    soon[begun + 1:begun + width]) as r(series, dispersion, evidence, days)
        on conflict (workspace_id, series) do update set night = excluded.night,
            dispersion = excluded.dispersion, evidence = excluded.evidence,
            days_to_tell = excluded.days_to_tell;
        if signals ? one::text then
            insert into public.watch_signal (workspace_id, series, opened_on, grade, since, give_or_take,
                                             evidence, usual, now, extra, seen_on, ended_on)
            select one, r.series, r.opened_on, r.grade, r.since, r.give_or_take, r.evidence, r.usual,
                   r.now, r.extra, r.seen_on, r.ended_on
            from jsonb_populate_recordset(null::public.watch_signal, signals->one::text) r
            on conflict (workspace_id, series, opened_on) do update set grade = excluded.grade,
                since = excluded.since, give_or_take = excluded.give_or_take,
                evidence = excluded.evidence, usual = excluded.usual, now = excluded.now,
                extra = excluded.extra, seen_on = excluded.seen_on, ended_on = excluded.ended_on;
        end if;
        begun := begun + width;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
"""


def upgrade() -> None:
    """Columns and functions; each state is built anew once."""
    run = op.get_bind().exec_driver_sql
    run(COLUMNS)
    run("drop function vigilo.watch_kept(bigint[])")
    run("drop function vigilo.keep_watch(jsonb)")
    for function in (NOTE, ROWS, KEPT, KEEP):
        run(function.replace("%", "%%"))


def downgrade() -> None:
    """The former functions."""
    run = op.get_bind().exec_driver_sql
    run("drop function vigilo.watched_rows(bigint[], date, date, int, int, text[], int, int)")
    run("drop function vigilo.watch_kept(bigint[])")
    run(
        "drop function vigilo.keep_watched(bigint[], bigint[], text[], date, date, bytea[], float8[],"
        " float8[], int[], jsonb)"
    )
    watch, former = (
        import_module(f"storage.migrations.versions.{name}")
        for name in ("0021_watch", "0038_functions_that_citus_takes")
    )
    for function in (watch.KEPT, former.NOTE, former.KEEP):
        run(function.replace("%", "%%"))
    run("alter table watch_state drop column history_version")
    run("alter table workspace drop column history_version")
