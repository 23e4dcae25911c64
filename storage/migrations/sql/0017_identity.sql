-- Who asks is proved, not stated. A credential (the id of a session, a bearer token, a ticket) is kept as
-- its SHA-256, the verifier, which the web role can not read. The caller names it by a hash of the verifier
-- and answers a challenge that only this transaction has, so neither an injected statement nor somebody who
-- reads the statements of others can become another person: what they see is worth nothing elsewhere.

-- The key of the seals, made here and readable by the functions' owner alone.
create table sealing_key (
    single boolean default true not null,
    key bytea not null,
    primary key (single),
    constraint sealing_key_single check (single)
);
insert into sealing_key (key)
select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- Short-lived proofs that the job role gives to work done on somebody's behalf: exports, commands.
create table viewer_ticket (
    id_hash bytea not null,
    user_id bigint not null references app_user (id),
    expires_at timestamptz not null,
    primary key (id_hash)
);
create index viewer_ticket_expiry on viewer_ticket (expires_at);

create unique index web_session_handle on web_session (sha256(id_hash));
create unique index api_token_handle on api_token (sha256(token_hash));
create unique index viewer_ticket_handle on viewer_ticket (sha256(id_hash));

-- Sessions that stand, with the person who is signed in. Who is alive is said here and nowhere else.
create view vigilo.live_session with (security_invoker) as
select s.id_hash, s.user_id, s.data, s.seen_at, u.email, u.name
from public.web_session s
left join public.app_user u on u.id = s.user_id and u.is_active and u.password_changed_at <= s.created_at
where s.expires_at > now() and s.seen_at > now() - interval '12 hours'
  and (s.user_id is null or u.id is not null);

-- Bearer tokens that stand, with their holder.
create view vigilo.live_token with (security_invoker) as
select t.token_hash, t.user_id, t.scopes, t.signing_secret, t.id, u.email, u.name
from public.api_token t
join public.app_user u on u.id = t.user_id and u.is_active
where t.revoked_at is null and (t.expires_at is null or t.expires_at > now());

-- Tickets that stand.
create view vigilo.live_ticket with (security_invoker) as
select k.id_hash, k.user_id
from public.viewer_ticket k
join public.app_user u on u.id = k.user_id and u.is_active
where k.expires_at > now();

-- The challenge: the server process and the start of its transaction, which never come together again.
create function vigilo.challenge() returns bytea
language sql stable as $$ select int4send(pg_backend_pid()) || timestamptz_send(transaction_timestamp()) $$;

-- What a seal holds for: this transaction. With Citus it is what the coordinator has handed on
-- (storage.distributed), for a node has a process and a transaction of its own.
create function vigilo.mark() returns bytea
language sql stable as $$ select vigilo.challenge() $$;

-- The answer to it of whoever has the key: a keyed hash, twice, so that nothing can be appended.
create function vigilo.answer(key bytea, message bytea) returns bytea
language sql immutable as $$ select sha256(key || sha256(key || message)) $$;

-- The seal of a person in this transaction.
create function vigilo.seal_of(key bytea, person bigint) returns text
language sql stable as $$
    select encode(vigilo.answer(key, int8send(person) || vigilo.mark()), 'hex')
$$;

-- Puts the person whom a credential proves into the context, and returns them; null, and nobody, otherwise.
drop function vigilo.identify(bigint);
create function vigilo.identify(kind text, handle bytea, answer bytea) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    verifier bytea;
    person bigint;
begin
    if kind = 'session' then
        select s.id_hash, s.user_id into verifier, person
        from vigilo.live_session s where sha256(s.id_hash) = handle;
    elsif kind = 'token' then
        select t.token_hash, t.user_id into verifier, person
        from vigilo.live_token t where sha256(t.token_hash) = handle and 'executive:read' = any(t.scopes);
    elsif kind = 'ticket' then
        select k.id_hash, k.user_id into verifier, person
        from vigilo.live_ticket k where sha256(k.id_hash) = handle;
    end if;
    if person is null or answer is distinct from vigilo.answer(verifier, vigilo.challenge()) then
        person := null;
    end if;
    execute format('set local vigilo.user_id = %L', coalesce(person::text, ''));
    execute format('set local vigilo.moment = %L', encode(vigilo.challenge(), 'hex'));
    execute format('set local vigilo.seal = %L',
                   coalesce((select vigilo.seal_of(k.key, person) from public.sealing_key k), ''));
    return person;
end $$;

-- The person in the context, where the seal is theirs. The setting itself can be written by anyone.
create function vigilo.viewer() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare asker bigint := vigilo.setting_id('vigilo.user_id');
begin
    if asker is null then return null; end if;
    perform from public.sealing_key k where vigilo.seal_of(k.key, asker) = vigilo.setting('vigilo.seal');
    return case when found then asker end;
end $$;

create or replace function vigilo.readable_workspace(needed text) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    asked bigint := vigilo.setting_id('vigilo.workspace_id');
    asker bigint := vigilo.setting_id('vigilo.user_id');
    level text := vigilo.setting('vigilo.level');
    seal text := vigilo.setting('vigilo.seal');
    found bigint;
begin
    if asked is null or asker is null or level is null or seal is null then return null; end if;
    if level = 'rollup' and needed = 'rollup' then
        select w.id into found
        from public.membership m
        join public.app_user u on u.id = m.user_id
        join public.workspace w on w.id = m.workspace_id
        cross join public.installation i
        cross join public.sealing_key k
        where m.workspace_id = asked and m.user_id = asker and m.revoked_at is null
          and m.role = 'platform_admin' and u.is_active and w.is_active
          and seal = vigilo.seal_of(k.key, asker)
          and (not i.strict_residency or w.region = u.home_region);
        return found;
    elsif level = 'workspace' then
        select w.id into found
        from public.membership m
        join public.app_user u on u.id = m.user_id
        join public.workspace w on w.id = m.workspace_id
        cross join public.sealing_key k
        where m.workspace_id = asked and m.user_id = asker and m.revoked_at is null
          and seal = vigilo.seal_of(k.key, asker)
          and u.is_active and w.is_active;
        return found;
    end if;
    return null;
end $$;

create or replace function vigilo.executive_scope()
returns table (workspace_id bigint, slug text, name text, region text, accent text, left_out text,
               last_day date, computed_at timestamptz, version bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare asker bigint := vigilo.viewer();
begin
    return query
    select w.id, w.slug, w.name, w.region, w.accent,
           case when not w.is_active then 'inactive'
                when i.strict_residency and w.region is distinct from u.home_region
                    then 'other_region'
                when i.strict_residency and w.region is null then 'other_region'
           end,
           w.snapshot_day, w.snapshot_at, w.snapshot_version
    from public.membership m
    join public.app_user u on u.id = m.user_id
    join public.workspace w on w.id = m.workspace_id
    cross join public.installation i
    where m.user_id = asker and m.revoked_at is null and m.role = 'platform_admin' and u.is_active
    order by w.name, w.slug;
end $$;

create or replace function vigilo.my_workspaces()
returns table (workspace_id bigint, slug text, name text, region text, accent text, role text)
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare asker bigint := vigilo.viewer();
begin
    return query
    select w.id, w.slug, w.name, w.region, w.accent, m.role
    from public.membership m
    join public.app_user u on u.id = m.user_id
    join public.workspace w on w.id = m.workspace_id
    where m.user_id = asker and m.revoked_at is null and u.is_active and w.is_active
    order by w.name, w.slug;
end $$;

revoke all on function vigilo.identify(text, bytea, bytea), vigilo.viewer(), vigilo.readable_workspace(text),
    vigilo.executive_scope(), vigilo.my_workspaces() from public;
