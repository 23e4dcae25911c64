-- The rows of every domain with groups, as the caller's context shows them: the reader's function knows one
-- relation, and a new domain adds a branch to it.
create view vigilo.group_snapshots with (security_invoker = true) as
select workspace_id, 'compliance_snapshot_history'::text as history, framework as group_key, snapshot_date,
       packed, labels
from public.compliance_snapshot_history;

-- The rows of one workspace that a dashboard needs, read in its own context at ``level``, whatever the
-- caller's, which is written back: of each day asked for, the last usage snapshot on or before it, with its
-- day; the groups' rows of those same days, by history and group; the durations of the blocks, by
-- distribution and group; and the labels as they stand on ``named_on``, one of the days. Days are int4
-- before each row's packed numbers, from 2000-01-01; before each block's entries stand its number and their
-- bytes. No domain is named here: what the numbers are says the comment of each packed column.
-- A workspace whose rows can not be read has only ``failed``; the end of the subtransaction then restores
-- the context. One function, and no loop around it: a set of a thousand workspaces would be held as a whole
-- before the first byte of its 40 MB is sent, and each call within a call copies a workspace's part again.
drop function vigilo.rows_in_context(text, bigint, date[], date, int, int);
create function vigilo.rows_in_context(
    level text, workspace bigint, days date[], named_on date, first_block int, last_block int,
    out failed text, out usage bytea, out labels jsonb,
    out histories text[], out history_groups text[], out history_rows bytea[], out history_labels jsonb,
    out distributions text[], out duration_groups text[], out blocks bytea[], out entries bytea[]
)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
    snapshot_days date[];
    filled date[];
    named date := named_on;
begin
    perform vigilo.enter(level, workspace);
    select string_agg(int4send(u.snapshot_date - date '2000-01-01') || u.packed, ''
                      order by u.snapshot_date),
           array_agg(u.snapshot_date order by u.snapshot_date),
           (array_agg(u.labels) filter (where u.snapshot_date = named_on))[1]
    into usage, snapshot_days, labels
    from public.workspace_usage_snapshot u
    where u.workspace_id = workspace and u.snapshot_date = any(days);
    if coalesce(cardinality(snapshot_days), 0) < cardinality(days) then
        -- A day without a row stands for the last one before it.
        select array_agg(distinct b.snapshot_date) into filled
        from unnest(days) as d(day)
        cross join lateral (
            select u.snapshot_date from public.workspace_usage_snapshot u
            where u.workspace_id = workspace and u.snapshot_date < d.day
            order by u.snapshot_date desc limit 1
        ) b
        where d.day <> all(coalesce(snapshot_days, '{}'))
          and b.snapshot_date <> all(coalesce(snapshot_days, '{}'));
        if filled is not null then
            select coalesce(usage, '') || string_agg(
                       int4send(u.snapshot_date - date '2000-01-01') || u.packed, ''
                       order by u.snapshot_date)
            into usage
            from public.workspace_usage_snapshot u
            where u.workspace_id = workspace and u.snapshot_date = any(filled);
            snapshot_days := coalesce(snapshot_days, '{}') || filled;
        end if;
        select max(d) into named from unnest(snapshot_days) as d where d <= named_on;
        if named <> named_on then
            select u.labels into labels
            from public.workspace_usage_snapshot u
            where u.workspace_id = workspace and u.snapshot_date = named;
        end if;
    end if;
    if usage is not null then
        select array_agg(g.history), array_agg(g.group_key), array_agg(g.rows), jsonb_agg(g.labels)
        into histories, history_groups, history_rows, history_labels
        from (
            select s.history, s.group_key,
                   string_agg(int4send(s.snapshot_date - date '2000-01-01') || s.packed, '') as rows,
                   (array_agg(s.labels) filter (where s.snapshot_date = named))[1] as labels
            from vigilo.group_snapshots s
            where s.workspace_id = workspace and s.snapshot_date = any(snapshot_days)
            group by s.history, s.group_key
        ) g;
        select array_agg(d.distribution), array_agg(d.group_key), array_agg(d.blocks), array_agg(d.entries)
        into distributions, duration_groups, blocks, entries
        from (
            select b.distribution, b.group_key,
                   string_agg(int4send(b.block) || int4send(octet_length(b.data)), '' order by b.block)
                   as blocks,
                   string_agg(b.data, '' order by b.block) as entries
            from public.duration_block b
            where b.workspace_id = workspace and b.block between first_block and last_block
            group by b.distribution, b.group_key
        ) d;
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
