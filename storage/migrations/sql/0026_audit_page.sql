-- Events of the audit for the page that shows them, and no others: a platform admin reads those of the
-- workspaces that they are platform admin of, and their own; one of every active workspace reads them all.

create index audit_event_at on audit_event (at);

-- Workspace that an event is of, by its slug; null where it is the whole organisation's or a person's. The
-- subject of a sign-in is whatever somebody typed, so only actions whose subject we write are looked at.
create function vigilo.audit_workspace(action text, subject text, details jsonb) returns text
language sql immutable as $$
    select case
        when split_part(action, '.', 1) in
            ('member', 'mapping', 'record', 'records', 'delivery', 'quarantine', 'framework', 'evidence', 'import')
            then nullif(split_part(subject, '/', 1), '*')
        when split_part(action, '.', 1) in ('signal', 'access') then details ->> 'workspace'
    end
$$;

-- The newest events of the last days first, at most ``most`` of them before event ``former``; a null asks for everything.
create function vigilo.audit_seen(
    person text, kind text, workspace text, days integer, former bigint, most integer
) returns table (id bigint, at timestamptz, actor text, action text, subject text, details jsonb)
language plpgsql stable security definer set search_path = pg_catalog, public, vigilo, pg_temp as $$
declare
    asker bigint := vigilo.viewer();
    mine text;
    slugs text[];
    is_all boolean;
begin
    select u.email, array_agg(w.slug) into mine, slugs
    from public.app_user u
    join public.membership m on m.user_id = u.id and m.revoked_at is null and m.role = 'platform_admin'
    join public.workspace w on w.id = m.workspace_id and w.is_active
    where u.id = asker and u.is_active
    group by u.email;
    if mine is null then
        raise exception 'the audit is for platform admins' using errcode = 'insufficient_privilege';
    end if;
    select not exists (
        select from public.workspace w where w.is_active and w.slug <> all (slugs)
    ) into is_all;
    return query
    select e.id, e.at, e.actor, e.action, e.subject, e.details
    from public.audit_event e
    where (is_all or e.actor = mine
           or vigilo.audit_workspace(e.action, e.subject, e.details) = any (slugs))
      and (person is null or position(lower(person) in lower(e.actor)) > 0)
      and (kind is null or split_part(e.action, '.', 1) = kind)
      and (audit_seen.workspace is null
           or vigilo.audit_workspace(e.action, e.subject, e.details) = audit_seen.workspace)
      and e.at >= now() - make_interval(days => days)
      and (former is null or e.id < former)
    order by e.id desc
    limit least(most, 5000);
end $$;

revoke all on function vigilo.audit_workspace(text, text, jsonb),
    vigilo.audit_seen(text, text, text, integer, bigint, integer) from public;
