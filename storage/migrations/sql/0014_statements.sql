-- Statements and what they come from. Frozen: a later change is a later migration.

create table statement (
    workspace_id bigint not null references workspace (id),
    kind text not null,
    identity text not null,
    digest bytea not null,
    source text not null,
    manner smallint not null,
    assertions jsonb not null,
    at timestamptz,
    sequence bigint default 0 not null,
    received_at timestamptz not null,
    delivery uuid,
    primary key (workspace_id, kind, identity, digest)
);
create index statement_merged on statement (workspace_id, (assertions ->> 'merged_into')) where assertions ? 'merged_into';

create table delivery (
    workspace_id bigint not null references workspace (id),
    id uuid not null,
    format text not null,
    source text default '' not null,
    content_type text default '' not null,
    content bytea,
    state text default 'waiting' not null
        constraint state_known check (state in ('waiting', 'folded', 'quarantined', 'dropped')),
    outcome jsonb default '{}'::jsonb not null,
    received_at timestamptz not null,
    folded_at timestamptz,
    primary key (workspace_id, id)
);
create index delivery_waiting on delivery (workspace_id, received_at) where state = 'waiting';
create index delivery_received on delivery (workspace_id, received_at);

create table quarantine (
    workspace_id bigint not null references workspace (id),
    id uuid not null,
    delivery uuid not null,
    format text not null,
    kind text default '' not null,
    pointer text default '' not null,
    field text default '' not null,
    reason text not null,
    record text default '' not null,
    at timestamptz not null,
    primary key (workspace_id, id)
);
create index quarantine_delivery on quarantine (workspace_id, delivery);

create table word_meaning (
    workspace_id bigint not null references workspace (id),
    about text not null,
    word text not null,
    meaning text not null,
    set_at timestamptz default now() not null,
    set_by text default '' not null,
    primary key (workspace_id, about, word)
);

create table snapshot_due (
    workspace_id bigint primary key references workspace (id),
    first_day date not null,
    marked_at timestamptz default now() not null
);

create table organisation_meaning (
    about text not null,
    word text not null,
    meaning text not null,
    set_at timestamptz default now() not null,
    set_by text default '' not null,
    primary key (about, word)
);

alter table deployment
    add column production boolean default false not null,
    add column left_out text;
update deployment set production = true where environment = 'production';
create index deployment_change_key on deployment_change (workspace_id, key);

create table roll_back (
    workspace_id bigint not null references workspace (id),
    key text not null,
    rolled_back_at timestamptz not null,
    environment text default 'production' not null,
    service text default '' not null,
    primary key (workspace_id, key)
);

alter table incident
    add column identity text default '' not null,
    add column left_out text,
    add column merged_into text,
    add column reopened integer default 0 not null,
    add column is_over boolean default false not null;
update incident set identity = key;
create index incident_identity on incident (workspace_id, identity);

alter table control_result add column asset text default '' not null;
alter table control_result drop constraint control_result_pkey;
alter table control_result add primary key (workspace_id, framework, control, asset, assessed_at);

create table asset_retirement (
    workspace_id bigint not null references workspace (id),
    asset text not null,
    framework text default '' not null,
    retired_at timestamptz not null,
    primary key (workspace_id, asset, framework)
);

alter table objective
    add column calendar text constraint calendar_known check (calendar in ('week', 'month', 'quarter', 'year'));

alter table certificate add column names text, add column key_usage text;

-- Workspaces in which a delivery waits: the job looks here before it enters them one by one.
create function vigilo.workspaces_with_deliveries() returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
    select distinct workspace_id from public.delivery where state = 'waiting' order by 1
$$;
revoke all on function vigilo.workspaces_with_deliveries() from public;

-- Workspaces of which snapshots are due, for the same job.
create function vigilo.workspaces_with_snapshots_due() returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
    select d.workspace_id from public.snapshot_due d
    join public.workspace w on w.id = d.workspace_id where w.is_active order by 1
$$;
revoke all on function vigilo.workspaces_with_snapshots_due() from public;
