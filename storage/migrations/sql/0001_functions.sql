-- The context: who is asking (vigilo.user_id), which workspace (vigilo.workspace_id), at which level
-- (vigilo.level: rollup, workspace, job). Always transaction-local. What they may see is looked up
-- here, in the database, and nowhere else.

create function vigilo.setting(name text) returns text
language sql stable as $$ select nullif(current_setting(name, true), '') $$;

-- Whole numbers only: a malformed setting reads as no setting, so it opens nothing.
create function vigilo.setting_id(name text) returns bigint
language plpgsql stable as $$
declare given text := current_setting(name, true);
begin
    if given is null or given !~ '^[0-9]{1,18}$' then return null; end if;
    return given::bigint;
end $$;

-- Writes the context. SET LOCAL by EXECUTE, not set_config(): Citus hands only the former on.
create function vigilo.enter(level text, workspace_id bigint) returns void
language plpgsql as $$
begin
    execute format('set local vigilo.level = %L', coalesce(level, ''));
    execute format('set local vigilo.workspace_id = %L', coalesce(workspace_id::text, ''));
end $$;

create function vigilo.identify(user_id bigint) returns void
language plpgsql as $$
begin
    execute format('set local vigilo.user_id = %L', coalesce(user_id::text, ''));
end $$;

-- The workspace whose rows a table of the level ``needed`` shows now, or null: the one named in the
-- context, when the user's membership, as it stands in this statement's snapshot, allows it.
-- plpgsql, not sql: an SQL function was planned anew for each call (7.9 s against 0.1 s).
create function vigilo.readable_workspace(needed text) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    asked bigint := vigilo.setting_id('vigilo.workspace_id');
    asker bigint := vigilo.setting_id('vigilo.user_id');
    level text := vigilo.setting('vigilo.level');
    found bigint;
begin
    if asked is null or asker is null or level is null then return null; end if;
    if level = 'rollup' and needed = 'rollup' then
        select w.id into found
        from public.membership m
        join public.app_user u on u.id = m.user_id
        join public.workspace w on w.id = m.workspace_id
        cross join public.installation i
        where m.workspace_id = asked and m.user_id = asker and m.revoked_at is null
          and m.role = 'platform_admin' and u.is_active and w.is_active
          and (not i.strict_residency or w.region = u.home_region);
        return found;
    elsif level = 'workspace' then
        select w.id into found
        from public.membership m
        join public.app_user u on u.id = m.user_id
        join public.workspace w on w.id = m.workspace_id
        where m.workspace_id = asked and m.user_id = asker and m.revoked_at is null
          and u.is_active and w.is_active;
        return found;
    end if;
    return null;
end $$;

-- The nightly job and the importers: the one workspace named in their context.
create function vigilo.job_workspace() returns bigint
language plpgsql stable as $$
begin
    if vigilo.setting('vigilo.level') is distinct from 'job' then return null; end if;
    return vigilo.setting_id('vigilo.workspace_id');
end $$;

-- Every workspace where the user holds platform_admin, and why one is left out of the rollup.
create function vigilo.executive_scope()
returns table (workspace_id bigint, slug text, name text, region text, accent text, left_out text)
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare asker bigint := vigilo.setting_id('vigilo.user_id');
begin
    return query
    select w.id, w.slug, w.name, w.region, w.accent,
           case when not w.is_active then 'inactive'
                when i.strict_residency and w.region is distinct from u.home_region
                    then 'other_region'
                when i.strict_residency and w.region is null then 'other_region'
           end
    from public.membership m
    join public.app_user u on u.id = m.user_id
    join public.workspace w on w.id = m.workspace_id
    cross join public.installation i
    where m.user_id = asker and m.revoked_at is null and m.role = 'platform_admin' and u.is_active
    order by w.name, w.slug;
end $$;

-- The user's own memberships in active workspaces.
create function vigilo.my_workspaces()
returns table (workspace_id bigint, slug text, name text, region text, accent text, role text)
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare asker bigint := vigilo.setting_id('vigilo.user_id');
begin
    return query
    select w.id, w.slug, w.name, w.region, w.accent, m.role
    from public.membership m
    join public.app_user u on u.id = m.user_id
    join public.workspace w on w.id = m.workspace_id
    where m.user_id = asker and m.revoked_at is null and u.is_active and w.is_active
    order by w.name, w.slug;
end $$;

-- The last snapshot day of each workspace in scope, each read in its own context. On
-- return the context is written back; on an exception the (sub)transaction's end does it.
create function vigilo.executive_state()
returns table (workspace_id bigint, slug text, name text, region text, accent text, left_out text,
               last_day date, computed_at timestamptz, version_at timestamptz, failed text)
language plpgsql as $$
declare
    w record;
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for w in select * from vigilo.executive_scope() loop
        workspace_id := w.workspace_id; slug := w.slug; name := w.name; region := w.region;
        accent := w.accent; left_out := w.left_out;
        last_day := null; computed_at := null; version_at := null; failed := null;
        if w.left_out is null then
            begin
                perform vigilo.enter('rollup', w.workspace_id);
                select s.snapshot_date, s.computed_at
                into last_day, computed_at
                from public.workspace_usage_snapshot s
                where s.workspace_id = w.workspace_id
                order by s.snapshot_date desc limit 1;
                select max(s.computed_at) into version_at
                from public.workspace_usage_snapshot s where s.workspace_id = w.workspace_id;
            exception when others then
                failed := sqlerrm;
            end;
        end if;
        return next;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

-- For each day asked for, one workspace's last usage snapshot on or before it, as the caller's context
-- shows it.
create function vigilo.usage_on(workspace bigint, days date[])
returns table (asked_day date, snapshot public.workspace_usage_snapshot)
language sql stable as $$
    select d.day, s.u
    from unnest(days) as d(day)
    cross join lateral (
        select u from public.workspace_usage_snapshot u
        where u.workspace_id = workspace and u.snapshot_date <= d.day
        order by u.snapshot_date desc limit 1
    ) s
$$;

-- The same for the compliance history: on each day asked for, the rows of the last snapshot.
create function vigilo.compliance_on(workspace bigint, days date[])
returns table (asked_day date, snapshot public.compliance_snapshot_history)
language sql stable as $$
    select d.day, s
    from unnest(days) as d(day)
    cross join lateral (
        select max(c.snapshot_date) as day from public.compliance_snapshot_history c
        where c.workspace_id = workspace and c.snapshot_date <= d.day
    ) last
    join public.compliance_snapshot_history s
      on s.workspace_id = workspace and s.snapshot_date = last.day
$$;

-- For each day asked for, the last usage snapshot on or before it, of every workspace in scope,
-- each read in its own context. A workspace whose rows can not be read yields one row with
-- only ``failed``.
create function vigilo.executive_usage(days date[])
returns table (asked_workspace bigint, asked_day date, failed text,
               snapshot public.workspace_usage_snapshot)
language plpgsql as $$
declare
    w record;
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for w in select * from vigilo.executive_scope() s where s.left_out is null loop
        begin
            perform vigilo.enter('rollup', w.workspace_id);
            return query select w.workspace_id, o.asked_day, null::text, o.snapshot
                from vigilo.usage_on(w.workspace_id, days) o;
        exception when others then
            asked_workspace := w.workspace_id; asked_day := null; failed := sqlerrm; snapshot := null;
            return next;
        end;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

-- The same for the compliance history.
create function vigilo.executive_compliance(days date[])
returns table (asked_workspace bigint, asked_day date, failed text,
               snapshot public.compliance_snapshot_history)
language plpgsql as $$
declare
    w record;
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for w in select * from vigilo.executive_scope() s where s.left_out is null loop
        begin
            perform vigilo.enter('rollup', w.workspace_id);
            return query select w.workspace_id, o.asked_day, null::text, o.snapshot
                from vigilo.compliance_on(w.workspace_id, days) o;
        exception when others then
            asked_workspace := w.workspace_id; asked_day := null; failed := sqlerrm; snapshot := null;
            return next;
        end;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

-- The days of a span on which any workspace in scope has a snapshot.
create function vigilo.executive_days_seen(first_day date, last_day date)
returns table (day date)
language plpgsql as $$
declare
    w record;
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for w in select * from vigilo.executive_scope() s where s.left_out is null loop
        perform vigilo.enter('rollup', w.workspace_id);
        return query select s.snapshot_date from public.workspace_usage_snapshot s
            where s.workspace_id = w.workspace_id
              and s.snapshot_date between first_day and last_day;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;
