-- The rows of one workspace that a dashboard needs, read in its own context at ``level``, whatever the
-- caller's, which is written back: of each day asked for, the last usage snapshot on or before it, with its
-- day; the compliance of those same days, by framework; the durations of the blocks; and the names as they
-- stand on ``named_on``, one of the days. Days are int4 before each row's packed numbers, from 2000-01-01.
-- A workspace whose rows can not be read has only ``failed``; the end of the subtransaction then restores
-- the context. One function, and no loop around it: a set of a thousand workspaces would be held as a whole
-- before the first byte of its 40 MB is sent, and each call within a call copies a workspace's part again.
create or replace function vigilo.rows_in_context(
    level text, workspace bigint, days date[], named_on date, first_block int, last_block int,
    out failed text, out usage bytea, out frameworks text[], out compliance bytea[], out blocks bytea,
    out lead_time bytea, out recovery_time bytea, out ack_time bytea, out resolve_time bytea,
    out usage_names jsonb, out compliance_names jsonb
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    held date[];
    filled date[];
    named date := named_on;
begin
    perform vigilo.enter(level, workspace);
    select string_agg(int4send(u.snapshot_date - date '2000-01-01') || u.packed, ''
                      order by u.snapshot_date),
           array_agg(u.snapshot_date order by u.snapshot_date),
           (array_agg(jsonb_build_array(
               u.oldest_open_incident, u.fastest_burn_objective, u.burn_1h_objective,
               u.budget_seconds_left_objective, u.budget_remaining_objective,
               u.longest_overdue_vendor, u.next_review_vendor)) filter (where u.snapshot_date = named_on))[1]
    into usage, held, usage_names
    from public.workspace_usage_snapshot u
    where u.workspace_id = workspace and u.snapshot_date = any(days);
    if coalesce(cardinality(held), 0) < cardinality(days) then
        -- A day without a row stands for the last one before it.
        select array_agg(distinct b.snapshot_date) into filled
        from unnest(days) as d(day)
        cross join lateral (
            select u.snapshot_date from public.workspace_usage_snapshot u
            where u.workspace_id = workspace and u.snapshot_date < d.day
            order by u.snapshot_date desc limit 1
        ) b
        where d.day <> all(coalesce(held, '{}')) and b.snapshot_date <> all(coalesce(held, '{}'));
        if filled is not null then
            select coalesce(usage, '') || string_agg(
                       int4send(u.snapshot_date - date '2000-01-01') || u.packed, ''
                       order by u.snapshot_date)
            into usage
            from public.workspace_usage_snapshot u
            where u.workspace_id = workspace and u.snapshot_date = any(filled);
            held := coalesce(held, '{}') || filled;
        end if;
        select max(d) into named from unnest(held) as d where d <= named_on;
        if named <> named_on then
            select jsonb_build_array(
                u.oldest_open_incident, u.fastest_burn_objective, u.burn_1h_objective,
                u.budget_seconds_left_objective, u.budget_remaining_objective,
                u.longest_overdue_vendor, u.next_review_vendor)
            into usage_names
            from public.workspace_usage_snapshot u
            where u.workspace_id = workspace and u.snapshot_date = named;
        end if;
    end if;
    if usage is not null then
        select array_agg(f.framework), array_agg(f.rows), jsonb_object_agg(f.framework, f.names)
        into frameworks, compliance, compliance_names
        from (
            select c.framework,
                   string_agg(int4send(c.snapshot_date - date '2000-01-01') || c.packed, '') as rows,
                   (array_agg(jsonb_build_array(c.lapse_control, c.lapsed_control))
                       filter (where c.snapshot_date = named))[1] as names
            from public.compliance_snapshot_history c
            where c.workspace_id = workspace and c.snapshot_date = any(held)
            group by c.framework
        ) f;
        select string_agg(int4send(b.block) || int4send(coalesce(octet_length(b.lead_time), 0))
                          || int4send(coalesce(octet_length(b.recovery_time), 0))
                          || int4send(coalesce(octet_length(b.ack_time), 0))
                          || int4send(coalesce(octet_length(b.resolve_time), 0)), '' order by b.block),
               string_agg(b.lead_time, '' order by b.block),
               string_agg(b.recovery_time, '' order by b.block),
               string_agg(b.ack_time, '' order by b.block),
               string_agg(b.resolve_time, '' order by b.block)
        into blocks, lead_time, recovery_time, ack_time, resolve_time
        from public.duration_block b
        where b.workspace_id = workspace and b.block between first_block and last_block;
    end if;
    perform vigilo.enter(level_before, workspace_before);
exception
when others then
    -- A standby that had to catch up, a deadlock, a server without memory or disk: no workspace is broken.
    if left(sqlstate, 2) in ('40', '53', '57', '58') then
        raise;
    end if;
    failed := sqlerrm;
end $$;
