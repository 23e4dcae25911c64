-- Notes of people on days: of the organisation, or of a workspace, perhaps on one domain or measure. One that
-- was withdrawn stays, for whoever asks what was shown.

create table organisation_annotation (
    id uuid primary key,
    about text default '' not null,
    first_day date not null,
    last_day date not null,
    text text not null,
    made_by text not null,
    made_at timestamptz default now() not null,
    edited_at timestamptz,
    withdrawn_at timestamptz
);

create table annotation (
    workspace_id bigint not null references workspace (id),
    id uuid not null,
    about text default '' not null,
    first_day date not null,
    last_day date not null,
    text text not null,
    made_by text not null,
    made_at timestamptz default now() not null,
    edited_at timestamptz,
    withdrawn_at timestamptz,
    primary key (workspace_id, id)
);
create index annotation_days on annotation (workspace_id, last_day);

alter table workspace add column has_annotations boolean default false not null;

-- Commentary of a person on pages of the pack: of what they export themselves (no subscription), or of a pack
-- that comes by itself.
create table commentary (
    user_id bigint not null references app_user (id),
    subscription_id bigint default 0 not null,
    page text not null,
    text text not null,
    written_at timestamptz default now() not null,
    primary key (user_id, subscription_id, page)
);

-- Workspaces in the viewer's scope that have any annotation.
create function vigilo.scope_with_annotations() returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
    select s.workspace_id from vigilo.executive_scope() s
    join public.workspace w on w.id = s.workspace_id
    where s.left_out is null and w.has_annotations
$$;

-- Annotations within days of the workspaces in the viewer's scope, each read in its own context at ``level``.
-- The caller's context is written back.
create function vigilo.annotations_in_scope(level text, first_of_all date, last_of_all date)
returns table (workspace_id bigint, annotations jsonb)
language plpgsql as $$
declare
    level_before text := vigilo.setting('vigilo.level');
    workspace_before bigint := vigilo.setting_id('vigilo.workspace_id');
begin
    for workspace_id in select vigilo.scope_with_annotations() loop
        perform vigilo.enter(level, workspace_id);
        select jsonb_agg(to_jsonb(a) - 'workspace_id') into annotations
        from public.annotation a
        where a.workspace_id = annotations_in_scope.workspace_id and a.withdrawn_at is null
          and a.last_day >= first_of_all and a.first_day <= last_of_all;
        if annotations is not null then
            return next;
        end if;
    end loop;
    perform vigilo.enter(level_before, workspace_before);
end $$;

revoke all on function vigilo.scope_with_annotations() from public;
