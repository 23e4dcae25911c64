"""Citus, for more than one server holds: which table goes where, and the statements that do it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, text

from storage.migrations.policies import for_distribution

COLUMN = "workspace_id"
REFERENCE = (
    "installation", "sealing_key", "app_user", "workspace", "membership", "organisation_meaning"
)  # fmt: skip
"""On every node, in the order of their foreign keys: the policies' function looks a membership up
where the rows are. So membership is one although it has a workspace_id; a few MB at 100,000
workspaces, and each change of it is written on every node."""
FIRST = "workspace_usage_snapshot"
"""The table that the others lie beside. By name: a table added later must not begin a group of its own."""
FUNCTIONS = (
    "vigilo.setting(text)",
    "vigilo.setting_id(text)",
    "vigilo.challenge()",
    "vigilo.mark()",
    "vigilo.answer(bytea,bytea)",
    "vigilo.seal_of(bytea,bigint)",
    "vigilo.readable_workspace(text)",
    "vigilo.job_workspace()",
    "vigilo.unpacked_days(bytea)",
)
"""Functions that the policies and the night call on the nodes; the loops over workspaces run on the
coordinator."""

IN_SEQUENCE = "set local citus.multi_shard_modify_mode = 'sequential'"
"""A transaction that has changed a reference table may not change shards in parallel."""
KNOWN = "vigilo_distributed"
"""Where a connection of the pool keeps what ``is_distributed`` has learned."""
KEPT_INSERT = "on conflict do nothing"
"""Ends an ``insert ... select`` whose keys are new. Citus makes COPY of one without it, which row-level
security refuses; on a single server it changes nothing."""
MARK = """
create or replace function vigilo.mark() returns bytea
language sql stable as $$ select decode(vigilo.setting('vigilo.moment'), 'hex') $$
"""
"""Seals hold for the transaction of the coordinator, which only there is checked to be the present one.
Whoever reads the statements of the web role on a node could use a seal again there: nodes are to be reached
from the coordinator alone."""
ENTER = """
create or replace function vigilo.enter(level text, workspace_id bigint) returns void
language plpgsql as $$
begin
    execute format('set local vigilo.level = %L', coalesce(level, ''));
    execute format('set local vigilo.workspace_id = %L', coalesce(workspace_id::text, ''));
end $$
"""
"""Writes the context on every node: Citus hands SET LOCAL on, and no set_config()."""
ENTERED = (
    "select prosrc like '%set local%' from pg_proc"
    " where oid = 'vigilo.enter(text,bigint)'::regprocedure"
)
MARKED = (
    "select prosrc like '%vigilo.moment%' from pg_proc where oid = 'vigilo.mark()'::regprocedure"
)
TRIGGER = "select from pg_trigger where tgname = 'app_user_credentials'"
DEFINED = "select pg_get_functiondef('vigilo.readable_workspace(text)'::regprocedure)"
COPIES = """
select logicalrelid::text, shard_name(logicalrelid, shardid) from pg_dist_shard
where logicalrelid::text = any(:tables)
"""
RESTORED = """
select format('grant %s on %s to %I', given.privilege_type, c.oid::regclass, given.grantee::regrole::text)
from pg_class c cross join aclexplode(c.relacl) as given
where c.relkind = 'v' and c.relnamespace = 'vigilo'::regnamespace and given.grantee <> c.relowner
union all
select format('comment on column %s.%I is %L', c.oid::regclass, a.attname, d.description)
from pg_description d
join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid and c.relkind = 'r'
join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid
where c.relnamespace = 'public'::regnamespace
order by 1
"""
"""Rights on views and comments on columns (the order of packed numbers is one), as the statements that make
them: Citus makes a table that it takes over anew, and its views, without them."""
POLICIES = """
select c.oid::regclass::text, quote_ident(p.polname),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
from pg_policy p join pg_class c on c.oid = p.polrelid
where c.relnamespace = 'public'::regnamespace
  and concat(p.polqual, p.polwithcheck) like '%SUBLINK%'
order by 1, 2
"""


class NoCitus(SystemExit):
    """The database can not distribute its tables."""


def tables() -> tuple[str, ...]:
    """The tables whose rows live with their workspace, on one node together."""
    from storage.snapshot.tables import TENANT_TABLES  # of every domain that is declared

    return tuple(t.name for t in TENANT_TABLES if t.name not in REFERENCE)


def prepare(connection: Connection) -> None:
    """Before the migrations. Raises NoCitus when the extension is not in the database."""
    extension = connection.execute(text("select 1 from pg_extension where extname = 'citus'"))
    if extension.first() is None:
        raise NoCitus(
            "VIGILO_DISTRIBUTED=citus: this database has no extension citus. Create it as a superuser"
            " (create extension citus) on every node, or unset the variable."
        )
    connection.exec_driver_sql(IN_SEQUENCE)
    if not is_distributed(connection):
        # Roles are made on every node; what the migrations make stays here until it is distributed.
        connection.exec_driver_sql("set local citus.enable_ddl_propagation = off")


def nodes_away(connection: Connection) -> list[str]:
    """Addresses of the nodes that the coordinator does not reach, by address."""
    query = text("""
        select nodename || ':' || nodeport from pg_dist_node
        where isactive and citus_check_connection_to_node(nodename, nodeport) is not true order by 1
    """)
    return list(connection.execute(query).scalars())


def is_distributed(connection: Connection) -> bool:
    """Whether the tables are Citus's by now; asked once a connection, and again after ``distribute``."""
    known: bool | None = connection.info.get(KNOWN)
    if known is None:
        known = connection.info[KNOWN] = _is_distributed(connection)
    return known


def _is_distributed(connection: Connection) -> bool:
    known = "select to_regclass('pg_dist_partition') is not null"
    if not connection.execute(text(known)).scalar():
        return False
    first = "select from pg_dist_partition where logicalrelid = to_regclass(:first)"
    return connection.execute(text(first), {"first": FIRST}).first() is not None


def distribute(connection: Connection) -> None:
    """After the migrations: distributes what is not distributed yet. Existing rows are moved."""
    connection.exec_driver_sql("set local citus.enable_ddl_propagation = on")
    connection.info.pop(KNOWN, None)
    before = connection.execute(text(RESTORED)).scalars().all()
    for statement in statements(connection):
        connection.exec_driver_sql(statement)
    left = set(connection.execute(text(RESTORED)).scalars())
    for statement in before:
        if statement not in left:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def statements(connection: Connection) -> Iterator[str]:
    """Statements that ``distribute`` runs, in order; running it again changes nothing."""
    yield IN_SEQUENCE
    name = connection.execute(text("select quote_ident(current_database())")).scalar_one()
    # Without it the context stays on the coordinator, and the nodes show no rows.
    yield f"alter database {name} set citus.propagate_set_commands = 'local'"
    # A node is asked over one connection, which is kept with the plans that it has made.
    yield f"alter database {name} set citus.max_adaptive_executor_pool_size = 1"
    for row in connection.execute(text(POLICIES)).all():
        yield for_distribution(*row)
    if not connection.execute(text(MARKED)).scalar():
        yield MARK
    if not connection.execute(text(ENTERED)).scalar():
        yield ENTER.replace("%", "%%")
    if connection.execute(text(TRIGGER)).first() is not None:
        yield "drop trigger app_user_credentials on app_user"
    for table in REFERENCE:
        yield f"select create_reference_table('{table}') where {_not_yet(table)}"
    for function in FUNCTIONS:
        yield f"select create_distributed_function('{function}') where {_not_known(function)}"
    yield _distribute_statement(FIRST, "none")
    for table in tables():
        if table != FIRST:
            yield _distribute_statement(table, FIRST)


def look_up_beside(connection: Connection) -> None:
    """Has the policies' function look memberships up in the copies of the reference tables that lie on the
    node itself, which have one name on all nodes: asked by their own names, Citus would plan a query over
    the cluster for each row of a shard, and refuses to. In a transaction of its own: the nodes must have
    the function and the tables."""
    source = defined = str(connection.execute(text(DEFINED)).scalar_one())
    for table, copy in connection.execute(text(COPIES), {"tables": list(REFERENCE)}).all():
        source = re.sub(rf"public\.{table}\b", f"public.{copy}", source)
    if source != defined:
        connection.exec_driver_sql(source.replace("%", "%%"))


def _distribute_statement(table: str, beside: str) -> str:
    return (
        f"select create_distributed_table('{table}', '{COLUMN}', colocate_with => '{beside}')"
        f" where {_not_yet(table)}"
    )


def _not_known(function: str) -> str:
    return (
        "not exists (select from pg_dist_object"
        f" where classid = 'pg_proc'::regclass and objid = '{function}'::regprocedure)"
    )


def _not_yet(table: str) -> str:
    """Hash-distributed is ``h``, a reference table is replicated by two-phase commit, ``t``."""
    return (
        f"not exists (select from pg_dist_partition where logicalrelid = '{table}'::regclass"
        " and (partmethod = 'h' or repmodel = 't'))"
    )
