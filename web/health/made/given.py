"""Roles, rights and owners that an administrator gives once, by deploy/roles.sql: whether they are so.

Whoever made the server before a line was added there, or restored it elsewhere, is told the line.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Result, RowMapping, text

from storage.roles import Roles
from storage.schema import quote_name
from web.health.findings import HealthFinding

BACKUP = "vigilo_backup"
"""Name of the role for backups in deploy/roles.sql; another where VIGILO_BACKUP_DATABASE_URL names one."""
OWNER = """
select o.rolname as owner, o.rolsuper, o.rolbypassrls, o.rolcreaterole, o.rolcanlogin,
       pg_has_role(o.oid, cast(:job as name), 'member') as acts,
       d.datname, pg_get_userbyid(d.datdba) as datowner, d.datdba = o.oid as owns,
       exists (select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
               where a.grantee = 0 and a.privilege_type = 'CONNECT') as open,
       has_database_privilege(cast(:web as name), d.oid, 'temporary') as temporary
from pg_class c join pg_roles o on o.oid = c.relowner
join pg_database d on d.datname = current_database()
where c.oid = 'public.app_user'::regclass
"""
SERVING = """
select r.rolname as name, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
       has_database_privilege(r.oid, current_database(), 'connect') as connects,
       array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
             where m.member = r.oid order by 1) as within
from pg_roles r where r.rolname in (:web, :job) order by 1
"""
COLLATION = """
select datcollversion as then, pg_database_collation_actual_version(oid) as now from pg_database
where datname = current_database() and datcollversion is not null
union all select null, null limit 1
"""
CONNECTING = "select rolname from pg_roles where rolname in (:web, :job, :backup) order by 1"
READER = """
select r.rolsuper, r.rolbypassrls, r.rolcanlogin,
       has_database_privilege(r.oid, current_database(), 'connect') as connects,
       pg_has_role(r.oid, 'pg_read_all_data', 'member') as reads
from pg_roles r where r.rolname = :name
"""
UNBOUNDED = """
select not exists (select from pg_db_role_setting s join pg_roles r on r.oid = s.setrole,
                   unnest(s.setconfig) c
                   where r.rolname = :web and c ~ '^temp_file_limit=' and c <> 'temp_file_limit=-1')
   and current_setting('temp_file_limit') = '-1'
"""
OWN_SETTINGS = """
select r.rolname as name, split_part(c, '=', 1) as setting, c as given, d.datname
from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
where r.rolname in (:web, :job) and (d.datname is null or d.datname = current_database())
  and c !~ '^(temp_file_limit|statement_timeout|lock_timeout|idle_|log_|auto_explain\\.|pgaudit\\.)'
order by 1, 2
"""
"""Whatever a role is given at each sign-in. It can do that itself, and so can whoever has its password."""
TIME_LIMITS = """
select r.rolname as name, d.datname
from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
where split_part(c, '=', 1) = :setting and (s.setrole = 0 or r.rolname = any(:names))
  and (s.setdatabase = 0 or d.datname = current_database())
order by 1, 2
"""
ROOM = """
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace
  and p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message')
  and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
order by 1
"""


def findings(connection: Connection, roles: Roles, backup: str | None) -> Iterator[HealthFinding]:
    """Everything that deploy/roles.sql does and that is not so. ``backup`` names the role for backups where
    it is known."""
    names = {"web": roles.web, "job": roles.job}
    row = connection.execute(text(OWNER), names).mappings().one()
    yield from _owner(row, roles)
    yield from _database(
        row, connection.execute(text(CONNECTING), {**names, "backup": backup or BACKUP})
    )
    for serving in connection.execute(text(SERVING), names).mappings():
        yield from _serving(serving, str(row["datname"]))
    yield from _reader(connection, backup, str(row["datname"]))
    yield from collation(connection, str(row["datname"]))
    yield from _settings(connection, names)
    open_to_all = list(connection.execute(text(ROOM)).scalars())
    if open_to_all:
        type_this = " ".join(
            f"revoke execute on function {name} from public;" for name in open_to_all
        )
        detail = f"whoever can connect fills the disk, by {', '.join(open_to_all)}"
        yield _finding(f"{type_this}   (as a superuser, in this database)", detail)


def collation(connection: Connection, database: str) -> Iterator[HealthFinding]:
    """Rules of sorting that are no longer those of the indexes: after an upgrade of the machine."""
    row = connection.execute(text(COLLATION)).one()
    if row.now and row.then != row.now:
        type_this = (
            f"reindex database {quote_name(database)};"
            f" alter database {quote_name(database)} refresh collation version;"
            "   (as a superuser, in this database, each on its own)"
        )
        detail = (
            f"texts were sorted by version {row.then} of the machine's rules, which has {row.now}"
        )
        yield HealthFinding("collation", type_this, detail)


def _settings(connection: Connection, names: dict[str, str]) -> Iterator[HealthFinding]:
    """Settings with which the roles that serve sign in: the bound that is needed, and others that nobody of
    this program gave."""
    if connection.execute(text(UNBOUNDED), {"web": names["web"]}).scalar_one():
        type_this = (
            f"alter role {quote_name(names['web'])} set temp_file_limit = '2GB';   (as a superuser)"
        )
        yield _finding(type_this, f"what {names['web']} sorts may fill the disk")
    for row in connection.execute(text(OWN_SETTINGS), names).mappings():
        where = f" in database {quote_name(row['datname'])}" if row["datname"] else ""
        type_this = f"alter role {quote_name(row['name'])}{where} reset {row['setting']};"
        yield _finding(
            type_this, f"{row['name']} signs in with {row['given']}, which the program did not set"
        )


def without_time_limit(connection: Connection, setting: str, names: list[str]) -> str:
    """Statements that take a limit of time off roles and this database; empty where none of them has it."""
    connection.execute(text("set local statement_timeout = 0"))
    statements = []
    rows = connection.execute(text(TIME_LIMITS), {"setting": setting, "names": names}).mappings()
    for row in rows:
        where = f"database {quote_name(row['datname'])}" if row["datname"] else ""
        if row["name"]:
            where = f"role {quote_name(row['name'])}" + (f" in {where}" if where else "")
        statements.append(f"alter {where} reset {setting};")
    return " ".join(statements)


def _finding(remedy: str, detail: str, *, must_not_serve: bool = False) -> HealthFinding:
    return HealthFinding("roles", remedy, detail, must_not_serve)


def _owner(row: RowMapping, roles: Roles) -> Iterator[HealthFinding]:
    owner, identifier = row["owner"], quote_name(row["owner"])
    if row["rolsuper"] or row["rolbypassrls"]:
        yield _finding(
            f"alter role {identifier} nosuperuser nobypassrls;",
            f"the owner {owner} is above all policies",
        )
    elif not row["acts"]:
        yield _finding(
            f"grant {quote_name(roles.job)} to {identifier};", f"{owner} can not act as {roles.job}"
        )
    if not (row["rolcanlogin"] and (row["rolcreaterole"] or row["rolsuper"])):
        yield _finding(
            f"alter role {identifier} login createrole;",
            f"{owner} can not sign in and make roles, as upgrade and restore need it",
        )


def _database(row: RowMapping, connecting: Result) -> Iterator[HealthFinding]:
    """Findings about who owns the database and who may connect to it."""
    name = quote_name(row["datname"])
    if not row["owns"]:
        yield _finding(
            f"alter database {name} owner to {quote_name(row['owner'])};",
            f"the database is {row['datowner']}'s, not {row['owner']}'s",
        )
    if row["open"]:
        ours = ", ".join(quote_name(each) for each in connecting.scalars())
        yield _finding(
            f"grant connect on database {name} to {ours}; revoke connect on database {name} from public;",
            "every role of the server can connect",
        )
    if row["temporary"]:
        yield _finding(
            f"revoke temporary on database {name} from public;",
            "the web role can fill the disk with temporary tables",
        )


def _serving(row: RowMapping, database: str) -> Iterator[HealthFinding]:
    """A role that serves has no right above those of its tables."""
    name = row["name"]
    for within in row["within"]:
        yield _finding(
            f"revoke {quote_name(within)} from {quote_name(name)};",
            f"{name} can act as {within}",
            must_not_serve=True,
        )
    for column, right in (
        ("rolcreaterole", "createrole"), ("rolcreatedb", "createdb"), ("rolreplication", "replication"),
    ):  # fmt: skip
        if row[column]:
            type_this = f"alter role {quote_name(name)} no{right};"
            yield _finding(type_this, f"{name} has {right}", must_not_serve=True)
    if not row["connects"]:
        type_this = f"grant connect on database {quote_name(database)} to {quote_name(name)};"
        yield _finding(type_this, f"{name} can not connect anew", must_not_serve=True)


def _reader(connection: Connection, named: str | None, database: str) -> Iterator[HealthFinding]:
    """The role for backups, where there is one or the settings name it."""
    name = named or BACKUP
    row = connection.execute(text(READER), {"name": name}).mappings().first()
    if row is None:
        if named:
            detail = f"there is no role {named}: no backup can be made"
            type_this = (
                f"create role {quote_name(named)} login bypassrls password '...';"
                f" grant pg_read_all_data to {quote_name(named)};"
                f" grant connect on database {quote_name(database)} to {quote_name(named)};"
            )
            yield _finding(type_this, detail)
        return
    if row["rolsuper"]:
        yield _finding(
            f"alter role {quote_name(name)} nosuperuser bypassrls;",
            f"{name}, for backups, can do everything",
        )
        return
    if not (row["rolcanlogin"] and row["rolbypassrls"]):
        yield _finding(
            f"alter role {quote_name(name)} login bypassrls;",
            f"policies bind {name}: no backup is whole",
        )
    if not row["reads"]:
        yield _finding(
            f"grant pg_read_all_data to {quote_name(name)};", f"{name} can not read everything"
        )
    if not row["connects"]:
        type_this = f"grant connect on database {quote_name(database)} to {quote_name(name)};"
        yield _finding(type_this, f"{name} can not connect")
