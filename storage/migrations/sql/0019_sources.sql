-- Sources that are pulled. Frozen: a later change is a later migration.

create table source (
    id bigint generated always as identity primary key,
    kind text not null,
    name text not null,
    home_workspace bigint references workspace (id),
    config jsonb default '{}'::jsonb not null,
    secret bytea,
    secret_hint text default '' not null,
    secret_set_at timestamptz,
    schedule_minutes integer default 15 not null,
    history_days integer default 90 not null,
    enabled boolean default true not null,
    made_by bigint not null references app_user (id),
    made_at timestamptz default now() not null,
    state text default 'new' not null
        constraint state_known check (state in ('new', 'healthy', 'waiting', 'failing')),
    error_code text default '' not null,
    message text default '' not null,
    failures integer default 0 not null,
    next_at timestamptz default now() not null,
    last_success_at timestamptz,
    lease_until timestamptz,
    attempt integer default 0 not null,
    again_from date
);
create index source_due on source (next_at) where enabled;

create table source_scope (
    source_id bigint not null references source (id) on delete cascade,
    external_id text not null,
    name text not null,
    into_workspace bigint references workspace (id),
    state text default 'new' not null
        constraint state_known check (state in ('new', 'mapped', 'ignored', 'gone')),
    matched_by text default '' not null,
    seen_at timestamptz default now() not null,
    primary key (source_id, external_id)
);

create table source_rule (
    source_id bigint not null references source (id) on delete cascade,
    position integer not null,
    pattern text not null,
    into_workspace bigint not null references workspace (id),
    primary key (source_id, position)
);

create table source_stream (
    source_id bigint not null references source (id) on delete cascade,
    scope text not null,
    stream text not null,
    cursor jsonb default '{}'::jsonb not null,
    updated_at timestamptz default now() not null,
    primary key (source_id, scope, stream)
);

create table source_item (
    source_id bigint not null references source (id) on delete cascade,
    scope text not null,
    key text not null,
    data jsonb not null,
    done boolean default false not null,
    primary key (source_id, scope, key)
);
create index source_item_open on source_item (source_id, scope) where not done;

create table source_run (
    id bigint generated always as identity primary key,
    source_id bigint not null references source (id) on delete cascade,
    state text default 'running' not null
        constraint state_known check (state in ('running', 'done', 'waiting', 'failed')),
    started_at timestamptz default now() not null,
    finished_at timestamptz,
    requests integer default 0 not null,
    read integer default 0 not null,
    written integer default 0 not null,
    unchanged integer default 0 not null,
    refused integer default 0 not null,
    uncounted jsonb default '{}'::jsonb not null,
    progress text default '' not null,
    error_code text default '' not null,
    message text default '' not null
);
create index source_run_newest on source_run (source_id, id);

-- Days of a workspace may be due before its first snapshot, and not while a source is still reading.
alter table snapshot_due add column reach boolean default false not null,
                         add column quiet_until timestamptz;

-- Whether a source may write into a workspace: its own, or, where it is the organisation's, one of which whoever
-- looks after it is platform admin now. Asked when something is mapped, and again whenever something is written.
create function vigilo.source_may_feed(of_source bigint, target bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
    select exists (
        select from public.source s join public.membership m on m.user_id = s.made_by
        join public.app_user u on u.id = s.made_by
        where s.id = of_source and m.workspace_id = target and m.revoked_at is null and u.is_active
          and (s.home_workspace = target and m.role in ('admin', 'owner', 'platform_admin')
               or s.home_workspace is null and m.role = 'platform_admin'))
$$;
revoke all on function vigilo.source_may_feed(bigint, bigint) from public;

create function vigilo.refuse_foreign_mapping() returns trigger
language plpgsql set search_path = pg_catalog, public, vigilo, pg_temp as $$
begin
    if new.into_workspace is not null and not vigilo.source_may_feed(new.source_id, new.into_workspace) then
        raise exception 'the source may not write into workspace %', new.into_workspace
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger refuse_foreign_mapping before insert or update of into_workspace on source_scope
    for each row execute function vigilo.refuse_foreign_mapping();
create trigger refuse_foreign_mapping before insert or update on source_rule
    for each row execute function vigilo.refuse_foreign_mapping();
