-- The audit: events that nobody but the owner can change or take away, each with a digest over all its fields,
-- linked into one chain. An event is written at once and linked a moment later, once its transaction is over: a
-- chain that is written with the event would have every transaction of the site wait for the one before it.

alter table audit_event drop column prev_hash;

-- Each field with its length before it, so that no two events have the same text.
create function vigilo.audit_field(value text) returns text
language sql immutable as $$ select coalesce(octet_length(value)::text || ':' || value, '-') || ',' $$;

create function vigilo.audit_digest(
    id bigint, at timestamptz, actor text, action text, subject text, details jsonb
) returns bytea
language sql stable as $$
    select sha256(convert_to(
        vigilo.audit_field(id::text)
        || vigilo.audit_field(to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || vigilo.audit_field(actor) || vigilo.audit_field(action) || vigilo.audit_field(subject)
        || vigilo.audit_field(details::text), 'UTF8'))
$$;

-- Events of before take the digest as they stand: what happened to them until now can not be known any more.
update audit_event set hash = vigilo.audit_digest(id, at, actor, action, subject, details);

create table audit_link (
    position bigint not null,
    event_id bigint not null,
    hash bytea not null,
    primary key (position),
    unique (event_id)
);
create table audit_unlinked (
    event_id bigint not null,
    primary key (event_id)
);
insert into audit_unlinked select id from audit_event;
-- The chain's end as it was on a day, signed with a key that is not in the database.
create table audit_head (
    position bigint not null,
    hash bytea not null,
    signed_at timestamptz default now() not null,
    signature bytea not null,
    primary key (position)
);

create function vigilo.note(actor text, action text, subject text, details jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    number bigint := nextval(pg_get_serial_sequence('public.audit_event', 'id'));
    instant timestamptz := clock_timestamp();
begin
    insert into public.audit_event (id, at, actor, action, subject, details, hash)
    overriding system value
    values (number, instant, actor, action, subject, details,
            vigilo.audit_digest(number, instant, actor, action, subject, details));
    insert into public.audit_unlinked values (number);
    return number;
end $$;

-- The web role's way: the actor is whoever has proved who they are in this transaction.
create function vigilo.note_own(action text, subject text, details jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare actor text;
begin
    select u.email into actor from public.app_user u where u.id = vigilo.viewer();
    if actor is null then
        raise exception 'nobody has proved who they are' using errcode = 'insufficient_privilege';
    end if;
    return vigilo.note(actor, action, subject, details);
end $$;

-- Appends to the chain whatever was committed since; how many. One at a time; whoever comes meanwhile leaves.
create function vigilo.link_audit() returns bigint
language plpgsql security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    e record;
    place bigint;
    former bytea;
    linked bigint := 0;
begin
    if not pg_try_advisory_xact_lock(1098211433) then return 0; end if;
    select l.position, l.hash into place, former
    from public.audit_link l order by l.position desc limit 1;
    for e in select a.id, a.hash from public.audit_unlinked u
             join public.audit_event a on a.id = u.event_id order by a.id loop
        place := coalesce(place, 0) + 1;
        former := sha256(coalesce(former, ''::bytea) || int8send(place) || int8send(e.id) || e.hash);
        insert into public.audit_link values (place, e.id, former);
        delete from public.audit_unlinked where event_id = e.id;
        linked := linked + 1;
    end loop;
    return linked;
end $$;

revoke all on function vigilo.note(text, text, text, jsonb), vigilo.note_own(text, text, jsonb),
    vigilo.link_audit() from public;
