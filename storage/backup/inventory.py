"""Contents of a database as a mapping that two databases can be compared by: rows, snapshots, policies,
owners, rights, functions and roles. Read by a role that row-level security does not bind."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from storage.schema import quote_name

Inventory = dict[str, dict[str, str]]
"""Kind, then name, to a value; all text, so that it survives JSON."""

OURS = "n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'"
TABLES = f"""
select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence = 'p' and {OURS} order by 1
"""
POLICIES = """
select format('%s.%s', tablename, policyname),
       format('%s %s to %s using %s check %s', permissive, cmd, roles, qual, with_check)
from pg_policies order by 1
"""
SECURITY = f"""
select c.relname, format('enabled %s, forced %s', c.relrowsecurity, c.relforcerowsecurity)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and {OURS} order by 1
"""
OWNERS = f"""
select format('relation %s.%s', n.nspname, c.relname), pg_get_userbyid(c.relowner)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'S', 'v') and {OURS}
union all
select format('function %s.%s(%s)', n.nspname, p.proname,
              pg_get_function_identity_arguments(p.oid)), pg_get_userbyid(p.proowner)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OURS}
union all
select format('schema %s', n.nspname), pg_get_userbyid(n.nspowner) from pg_namespace n
where {OURS} and n.nspname <> 'public'
order by 1
"""
RIGHTS = f"""
with objects(name, kind, owner, acl) as (
    select format('relation %s.%s', n.nspname, c.relname),
           (case c.relkind when 'S' then 's' else 'r' end)::"char", c.relowner, c.relacl
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'S', 'v') and {OURS}
    union all
    select format('function %s.%s(%s)', n.nspname, p.proname,
              pg_get_function_identity_arguments(p.oid)), 'f', p.proowner, p.proacl
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OURS}
    union all
    select format('schema %s', n.nspname), 'n', n.nspowner, n.nspacl from pg_namespace n where {OURS}
    union all
    select format('column %s.%s.%s', n.nspname, c.relname, a.attname), 'c', c.relowner, a.attacl
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attacl is not null and {OURS}
)
select name, coalesce(string_agg(format('%s:%s', case grantee when 0 then 'public' else
       pg_get_userbyid(grantee) end, privilege_type), ' ' order by
       privilege_type, grantee::regrole::text), '')
from objects left join lateral aclexplode(coalesce(acl, acldefault(kind, owner))) on true
group by name order by name
"""
FUNCTIONS = f"""
select format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
       format('definer %s, %s, %s', p.prosecdef, p.proconfig, md5(p.prosrc))
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OURS} order by 1
"""
ROLES = """
with ours as (
    select distinct refobjid as oid from pg_shdepend
    where refclassid = 'pg_authid'::regclass
      and dbid = (select oid from pg_database where datname = current_database())
    union select datdba from pg_database where datname = current_database()
)
select r.rolname, concat_ws(' ',
       case when r.rolcanlogin then 'login' else 'nologin' end,
       case when r.rolbypassrls then 'bypassrls' else 'nobypassrls' end,
       case when r.rolcreaterole then 'createrole' else 'nocreaterole' end,
       case when r.rolcreatedb then 'createdb' else 'nocreatedb' end,
       case when r.rolsuper then 'superuser' else 'nosuperuser' end)
from pg_roles r join ours using (oid) where r.oid >= 16384 order by 1
"""
BECOMES = """
pg_has_role({member}, {role}, case when current_setting('server_version_num')::int >= 160000
                                   then 'SET' else 'MEMBER' end)
"""
"""Whether a role may act as another. Since 16 whoever made a role is its member, without that right."""
MEMBERSHIPS = f"""
select distinct format('%I in %I', m.rolname, r.rolname), 'yes' from pg_auth_members a
join pg_roles m on m.oid = a.member join pg_roles r on r.oid = a.roleid
where m.rolname = any(:names) and r.rolname = any(:names)
      and {BECOMES.format(member="m.oid", role="r.oid")} order by 1
"""
PER_WORKSPACE = """
select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relname = any(:names) and c.relkind in ('r', 'p') order by 1
"""
DIGESTS = """
select workspace_id::text, format('%s rows %s', count(*),
       encode(sha256(string_agg(sha256(convert_to(t::text, 'UTF8')), ''::bytea order by t::text)), 'hex'))
from {table} t group by 1 order by 1
"""


def take_inventory(connection: Connection, snapshot_tables: tuple[str, ...]) -> Inventory:
    """The inventory of the database, within the caller's transaction. Raises sqlalchemy errors."""
    connection.execute(text("set local datestyle = 'ISO'; set local timezone = 'UTC'"))
    connection.execute(text("set local row_security = off; set local bytea_output = 'hex'"))
    roles = _pairs(connection, ROLES)
    return {
        "rows": _counts(connection),
        "snapshots": _digests(connection, snapshot_tables),
        "policies": _pairs(connection, POLICIES),
        "row-level security": _pairs(connection, SECURITY),
        "owners": _pairs(connection, OWNERS),
        "rights": _pairs(connection, RIGHTS),
        "functions": _pairs(connection, FUNCTIONS),
        "roles": roles,
        "memberships": _pairs(connection, MEMBERSHIPS, names=list(roles)),
    }


def differences(before: Mapping[str, Mapping[str, str]], now: Inventory) -> list[str]:
    """A sentence about each thing that is not as it was."""
    sentences = []
    for kind, things in before.items():
        present = now.get(kind, {})
        for name in sorted(things.keys() | present.keys()):
            was, is_now = things.get(name, "not there"), present.get(name, "not there")
            if was != is_now:
                sentences.append(f"{kind} of {name}: {is_now}, was {was}")
    return sentences


def _pairs(connection: Connection, query: str, **values: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in connection.execute(text(query), values)}


def _counts(connection: Connection) -> dict[str, str]:
    tables = connection.execute(text(TABLES)).scalars().all()
    return {
        table: str(connection.execute(text(f"select count(*) from {table}")).scalar_one())
        for table in tables
    }


def _digests(connection: Connection, names: tuple[str, ...]) -> dict[str, str]:
    """A digest of all snapshots of a workspace in each table of them."""
    tables = connection.execute(text(PER_WORKSPACE), {"names": list(names)}).scalars().all()
    return {
        f"workspace {workspace} in {table}": digest
        for table in tables
        for workspace, digest in connection.execute(text(DIGESTS.format(table=table)))
    }


def is_bound(connection: Connection) -> bool:
    """Whether row-level security binds the role, so that it would see a part of the rows or none."""
    query = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
    return not connection.execute(text(query)).scalar_one()


def tables_of_roles(connection: Connection) -> list[str]:
    """Tables of the database, whoever owns them: an empty list is an empty database."""
    return list(connection.execute(text(TABLES)).scalars())


def role_exists(connection: Connection, name: str) -> bool:
    """Whether the cluster has a role of that name."""
    query = text("select exists (select from pg_roles where rolname = :name)")
    return bool(connection.execute(query, {"name": name}).scalar_one())


def becomes(connection: Connection, member: str, role: str) -> bool:
    """Whether a role may act as another."""
    query = text("select " + BECOMES.format(member=":member", role=":role"))
    return bool(connection.execute(query, {"member": member, "role": role}).scalar_one())


def identifier(name: str) -> str:
    """The name of a role in SQL."""
    return quote_name(name)
