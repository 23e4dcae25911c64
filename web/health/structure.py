"""Schema, roles, policies and owners: whether the database is one that may be served from."""

from __future__ import annotations

from collections.abc import Container, Iterator

from sqlalchemy import Connection, text

from storage import schema
from storage.distributed import is_distributed
from storage.migrations.rights import expected_rights
from storage.roles import DEFINER, Roles
from storage.schema import quote_name
from web.health.findings import HealthFinding
from web.health.made import definitions, rights
from web.health.made.rights import RESTORE

ROLES = text(
    "select rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles where rolname = any(:names)"
)
TENANTS = text("""
select c.relname, c.relrowsecurity and c.relforcerowsecurity as secured,
       has_table_privilege(:web, c.oid, 'select') as readable,
       has_table_privilege(:job, c.oid, 'select') as workable,
       array(select role::text from pg_policies p, unnest(p.roles) role
             where p.schemaname = n.nspname and p.tablename = c.relname) as bound
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
where c.relkind in ('r', 'p') and n.nspname = 'public' order by 1
""")
ASTRAY = text("select to_regclass('public.schema_version')")
STAGED = "staged_"
"""Beginning of the names of tables whose rows the web role reads only once they are published."""
USAGE = text("select has_schema_privilege(:role, 'vigilo', 'usage')")
FUNCTIONS = text("""
select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
       pg_get_userbyid(p.proowner) as owner,
       coalesce(p.proconfig::text like '%search_path=%', false) as bound
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'vigilo') and p.prosecdef order by 1
""")


def findings(connection: Connection, roles: Roles) -> Iterator[HealthFinding]:
    """Everything wrong with the structure; nothing more where the schema is another."""
    if (wrong := _schema(connection, roles)) is not None:
        yield wrong
        return
    if (other := schema.other_encoding(connection)) is not None:
        remedy = (
            "backup create; then make it anew with encoding 'UTF8' template template0, and restore"
        )
        yield HealthFinding("encoding", remedy, f"{other} lacks letters of names and texts")
    yield from _roles(connection, roles)
    known = frozenset[str]()
    if not is_distributed(connection):  # Citus makes tables anew, and takes not every function
        known = frozenset(expected_rights())
        yield from rights.findings(connection, roles)
        yield from definitions.findings(connection, roles)
    yield from _tables(connection, roles, known)
    yield from _rights(connection, roles, known)
    yield from _functions(connection, known)


def _schema(connection: Connection, roles: Roles) -> HealthFinding | None:
    if schema.is_current(connection):
        return None
    there = schema.revision_of(connection)
    if there == schema.head():
        return _numbers(connection, roles)
    if there is None and (astray := _search_path(connection)) is not None:
        return astray
    if there is not None and not schema.is_known(there):
        detail = f"the database is at {there}, which a newer release has made"
        return HealthFinding("schema", "Deploy that release here too, then restart.", detail, True)
    detail = f"the database is at {there or 'nothing'}, this release needs {schema.head()}"
    return HealthFinding("schema", "flask --app app db upgrade", detail, True)


def _search_path(connection: Connection) -> HealthFinding | None:
    """A schema that is there and that nobody finds, since somebody set another search path."""
    if connection.execute(ASTRAY).scalar() is None:
        return None
    name = quote_name(str(connection.engine.url.database))
    detail = f"tables are looked for in {connection.execute(text('show search_path')).scalar_one()}"
    type_this = (
        f"alter database {name} reset search_path;   (then restart what serves, and pgbouncer)"
    )
    return HealthFinding("search path", type_this, detail, True)


def _numbers(connection: Connection, roles: Roles) -> HealthFinding:
    """Numbers that a domain declares and a table does not have, though every migration has run."""
    if not is_distributed(connection):
        for finding in definitions.findings(connection, roles):
            if finding.brief == definitions.NUMBERS:
                return finding
    detail = "a domain declares numbers that the database has no column for"
    return HealthFinding(
        "schema", "flask --app app db revision NAME, then db upgrade", detail, True
    )


def _roles(connection: Connection, roles: Roles) -> Iterator[HealthFinding]:
    wanted = [name for name in (roles.web, roles.job, DEFINER) if name]
    present = {row.rolname: row for row in connection.execute(ROLES, {"names": wanted})}
    for name in wanted:
        row = present.get(name)
        if row is None:
            yield HealthFinding(
                "roles", "flask --app app db upgrade", f"there is no role {name}", True
            )
        elif row.rolsuper or row.rolbypassrls:
            type_this = f"alter role {schema.quote_name(name)} nosuperuser nobypassrls;"
            yield HealthFinding("roles", type_this, f"no policy binds the role {name}", True)
        elif name == DEFINER and row.rolcanlogin and not is_distributed(connection):
            yield HealthFinding("roles", f"alter role {name} nologin;", f"{name} can log in", True)


def _tables(connection: Connection, roles: Roles, known: Container[str]) -> Iterator[HealthFinding]:
    """Security and policies of tables that are not ``known``: those of an installation's own domains."""
    for row in connection.execute(TENANTS, {"web": roles.web, "job": roles.job}):
        if f"table public.{row.relname}" in known:
            continue
        if not row.secured:
            type_this = (
                f"alter table {row.relname} enable row level security;"
                f" alter table {row.relname} force row level security;   (as the owner)"
            )
            detail = f"security of {row.relname} is not enabled and forced"
            yield HealthFinding("row-level security", type_this, detail, True)
        wanted = {roles.job} | ({roles.web} if row.readable else set())
        for role in sorted(wanted.difference(row.bound, [""])):
            detail = f"{row.relname} has none for the role {role}"
            yield HealthFinding("policies", RESTORE, detail, True)


def _rights(connection: Connection, roles: Roles, known: Container[str]) -> Iterator[HealthFinding]:
    """Rights that somebody took away, on tables whose rights are not ``known``: whom a policy lets see rows
    of a table may read it."""
    for role in (roles.web, roles.job):
        allowed = connection.execute(USAGE, {"role": role}).scalar_one()
        if not allowed and "schema vigilo" not in known:
            type_this = (
                f"grant usage on schema vigilo to {schema.quote_name(role)};   (as the owner)"
            )
            yield HealthFinding("rights", type_this, f"{role} can call no function", True)
    for row in connection.execute(TENANTS, {"web": roles.web, "job": roles.job}):
        for role, may_read, needed in (
            (roles.web, row.readable, "select"),
            (roles.job, row.workable, "select, insert, update, delete"),
        ):
            is_meant = (
                role in row.bound
                and f"table public.{row.relname}" not in known
                and not (role == roles.web and row.relname.startswith(STAGED))
            )
            if is_meant and not may_read:
                to_role = schema.quote_name(role)
                type_this = f"grant {needed} on {row.relname} to {to_role};   (as the owner)"
                yield HealthFinding("rights", type_this, f"{role} can not read {row.relname}", True)


def _functions(connection: Connection, known: Container[str]) -> Iterator[HealthFinding]:
    """Functions that run as their owner and are not ``known``."""
    for row in connection.execute(FUNCTIONS):
        if f"function {row.name}" in known:
            continue
        if row.owner != DEFINER:
            type_this = f"alter function {row.name} owner to {DEFINER};   (as a superuser)"
            yield HealthFinding("function owners", type_this, f"{row.name} is {row.owner}'s", True)
        if not row.bound:
            detail = f"{row.name} finds tables by its caller's search path"
            yield HealthFinding("function owners", RESTORE, detail, True)
