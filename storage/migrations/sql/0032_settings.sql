-- Settings that the organisation and its workspaces choose: appended to, never changed, so that what held on a
-- day can be told for ever.

create table organisation_setting (
    name text not null,
    revision integer not null,
    value jsonb,
    since date not null,
    set_by text not null,
    set_at timestamptz default now() not null,
    primary key (name, revision)
);

create table workspace_setting (
    workspace_id bigint not null references workspace (id),
    name text not null,
    revision integer not null,
    value jsonb,
    since date not null,
    set_by text not null,
    set_at timestamptz default now() not null,
    primary key (workspace_id, name, revision)
);

-- Counts the changes of all settings: with it what was computed under the former ones is recognised.
alter table installation add column settings_version bigint default 0 not null;
alter table workspace add column has_settings boolean default false not null;

-- Adds a change, the organisation's where no workspace is named, and returns its revision. The one door:
-- whoever calls it is in the job context of that workspace.
create function vigilo.set_setting(workspace bigint, setting text, chosen jsonb, first_day date, person text)
returns integer
language plpgsql as $$
declare made integer;
begin
    update public.installation set settings_version = settings_version + 1;
    if workspace is null then
        insert into public.organisation_setting (name, revision, value, since, set_by)
        select setting, coalesce(max(o.revision), 0) + 1, chosen, first_day, person
        from public.organisation_setting o where o.name = setting
        returning revision into made;
    else
        insert into public.workspace_setting (workspace_id, name, revision, value, since, set_by)
        select workspace, setting, coalesce(max(o.revision), 0) + 1, chosen, first_day, person
        from public.workspace_setting o where o.workspace_id = workspace and o.name = setting
        returning revision into made;
        update public.workspace w set has_settings = true where w.id = workspace and not w.has_settings;
    end if;
    return made;
end $$;

-- Workspaces in the viewer's scope that have chosen anything.
create function vigilo.scope_with_settings() returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
    select s.workspace_id from vigilo.executive_scope() s
    join public.workspace w on w.id = s.workspace_id
    where s.left_out is null and w.has_settings
$$;

-- Settings of the workspaces in the viewer's scope, each read in its own context at ``level``. The caller's
-- context is written back.
create function vigilo.settings_in_scope(level text)
returns table (workspace_id bigint, settings jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select vigilo.scope_with_settings() loop
        perform vigilo.enter(level, workspace_id);
        select jsonb_agg(to_jsonb(c) - 'workspace_id') into settings
        from public.workspace_setting c where c.workspace_id = settings_in_scope.workspace_id;
        if settings is not null then
            return next;
        end if;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

-- Workspace that an event is of: that of a setting stands in its details.
create or replace function vigilo.audit_workspace(action text, subject text, details jsonb) returns text
language sql immutable as $$
    select case
        when split_part(action, '.', 1) in
            ('member', 'mapping', 'record', 'records', 'delivery', 'quarantine', 'framework', 'evidence', 'import')
            then nullif(split_part(subject, '/', 1), '*')
        when split_part(action, '.', 1) in ('signal', 'access', 'setting', 'annotation')
            then details ->> 'workspace'
    end
$$;

revoke all on function vigilo.set_setting(bigint, text, jsonb, date, text), vigilo.scope_with_settings()
from public;
