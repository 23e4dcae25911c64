"""Citus, for more than one server holds: which table goes where, and the statements that do it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from storage.migrations.policies import for_distribution
from storage.models import TENANT_TABLES

COLUMN = "workspace_id"
REFERENCE = ("installation", "app_user", "workspace", "membership")
"""On every node, in the order of their foreign keys: the policies' function looks a membership up
where the rows are. So membership is one although it has a workspace_id; a few MB at 100,000
workspaces, and each change of it is written on every node."""
FIRST = "workspace_usage_snapshot"
"""The table that the others lie beside. By name: a table added later must not begin a group of its own."""
FUNCTIONS = (
    "vigilo.setting(text)",
    "vigilo.setting_id(text)",
    "vigilo.readable_workspace(text)",
    "vigilo.job_workspace()",
)
"""What the policies call on the nodes. The loops over workspaces run on the coordinator."""

IN_SEQUENCE = "set local citus.multi_shard_modify_mode = 'sequential'"
"""A transaction that has changed a reference table may not change shards in parallel."""
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
    return tuple(t.name for t in TENANT_TABLES if t.name not in REFERENCE)


def prepare(connection: Connection) -> None:
    """Before the migrations. Raises NoCitus when the extension is not in the database."""
    found = connection.execute(text("select 1 from pg_extension where extname = 'citus'"))
    if found.first() is None:
        raise NoCitus(
            "VIGILO_DISTRIBUTED=citus: this database has no extension citus. Create it as a superuser"
            " (create extension citus) on every node, or unset the variable."
        )
    connection.exec_driver_sql(IN_SEQUENCE)


def distribute(connection: Connection) -> None:
    """After the migrations: distributes what is not distributed yet. Existing rows are moved."""
    for statement in statements(connection):
        connection.exec_driver_sql(statement)


def statements(connection: Connection) -> Iterator[str]:
    """What ``distribute`` runs, in order; running it again changes nothing."""
    yield IN_SEQUENCE
    name = connection.execute(text("select quote_ident(current_database())")).scalar_one()
    # Without it the context stays on the coordinator, and the nodes show no rows.
    yield f"alter database {name} set citus.propagate_set_commands = 'local'"
    for row in connection.execute(text(POLICIES)).all():
        yield for_distribution(*row)
    for table in REFERENCE:
        yield f"select create_reference_table('{table}') where {_not_yet(table)}"
    for function in FUNCTIONS:
        yield f"select create_distributed_function('{function}')"
    yield _distributed(FIRST, "none")
    for table in tables():
        if table != FIRST:
            yield _distributed(table, FIRST)


def _distributed(table: str, beside: str) -> str:
    return (
        f"select create_distributed_table('{table}', '{COLUMN}', colocate_with => '{beside}')"
        f" where {_not_yet(table)}"
    )


def _not_yet(table: str) -> str:
    """Hash-distributed is ``h``, a reference table is replicated by two-phase commit, ``t``."""
    return (
        f"not exists (select from pg_dist_partition where logicalrelid = '{table}'::regclass"
        " and (partmethod = 'h' or repmodel = 't'))"
    )
