-- Loops over the viewer's scope pass over a workspace whose node does not answer: its rows are told as not
-- read by the loop over the snapshots, and the others are read. Anything else that goes wrong is raised.

create or replace function vigilo.settings_in_scope(level text)
returns table (workspace_id bigint, settings jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select vigilo.scope_with_settings() loop
        begin
            perform vigilo.enter(level, workspace_id);
            select jsonb_agg(to_jsonb(c) - 'workspace_id') into settings
            from public.workspace_setting c where c.workspace_id = settings_in_scope.workspace_id;
        exception when connection_exception then
            continue;
        end;
        if settings is not null then
            return next;
        end if;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

create or replace function vigilo.annotations_in_scope(level text, first_of_all date, last_of_all date)
returns table (workspace_id bigint, annotations jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select vigilo.scope_with_annotations() loop
        begin
            perform vigilo.enter(level, workspace_id);
            select jsonb_agg(to_jsonb(a) - 'workspace_id') into annotations
            from public.annotation a
            where a.workspace_id = annotations_in_scope.workspace_id and a.withdrawn_at is null
              and a.last_day >= first_of_all and a.first_day <= last_of_all;
        exception when connection_exception then
            continue;
        end;
        if annotations is not null then
            return next;
        end if;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

create or replace function vigilo.scatter_in_scope(level text)
returns table (workspace_id bigint, series text, numbers bytea, drifting jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select s.workspace_id from vigilo.executive_scope() s where s.left_out is null loop
        begin
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
        exception when connection_exception then
            continue;
        end;
        if series is not null or drifting is not null then
            return next;
        end if;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

create or replace function vigilo.signals_in_scope(
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
        begin
            perform vigilo.enter(level, one);
            select count(*), coalesce(jsonb_agg(to_jsonb(g)) filter (where g.opened_on = night), '[]')
            into mine, told
            from public.watch_signal g
            where g.workspace_id = one and g.ended_on is null and g.state <> 'dismissed'
              and (g.state <> 'snoozed' or g.until is null or g.until <= today);
        exception when connection_exception then
            continue;
        end;
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
end $$;

create or replace function vigilo.executive_days_seen(first_day date, last_day date)
returns table (day date)
language plpgsql as $$
declare
    w record;
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for w in select s.workspace_id from vigilo.executive_scope() s where s.left_out is null loop
        begin
            perform vigilo.enter('rollup', w.workspace_id);
            return query select s.snapshot_date from public.workspace_usage_snapshot s
                where s.workspace_id = w.workspace_id
                  and s.snapshot_date between first_day and last_day;
        exception when connection_exception then
            continue;
        end;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
