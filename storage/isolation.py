"""Proof that isolation holds now, in this database: whatever a role could see without a context, or with
one that it made up, is told by the table's name.

The tests look at policies; this looks at rows, as the role itself, at each start and for ``/readyz``. It
would have caught that on Citus no policy held.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

SET = text("select set_config(:name, :value, true)")
FORGED = {
    "vigilo.user_id": "1",
    "vigilo.seal": "0" * 64,
    "vigilo.workspace_id": "1",
}
"""Context that no function of ours has written: everything that an injected statement can set."""
TENANTS = text("""
select format('%I.%I', n.nspname, c.relname) as table, c.relname as name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select')
  and (c.relname = 'workspace' and not :job or exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and a.attnum > 0
      and not a.attisdropped))
order by 1
""")
OPEN = text("""
select c.relname || '.' || p.polname
from pg_policy p join pg_class c on c.oid = p.polrelid
where p.polroles && array[0::oid, (select oid from pg_roles where rolname = current_user)]
  and (c.relname <> 'workspace' or not :job)
  and (p.polpermissive and concat(pg_get_expr(p.polqual, p.polrelid),
                                  pg_get_expr(p.polwithcheck, p.polrelid)) not like '%vigilo.%workspace(%')
""")


def leaks(connection: Connection, *, job: bool = False) -> list[str]:
    """Tenant tables of which this role sees a row that it must not, and its policies that do not say whose
    rows they show; empty where isolation holds. ``job`` for the job role, whose context is its own word:
    there it is query without one. The connection must be in no transaction."""
    with connection.begin():
        return leaks_within(connection, job=job)


def leaks_within(connection: Connection, *, job: bool = False) -> list[str]:
    """``leaks`` within the transaction at hand, whose context it overwrites."""
    tables = {row.table: row.name for row in connection.execute(TENANTS, {"job": job})}
    shown = {f"policy {name}" for name in connection.execute(OPEN, {"job": job}).scalars()}
    shown |= _visible_tables(connection, tables)
    if not job:
        for name, value in FORGED.items():
            connection.execute(SET, {"name": name, "value": value})
        for level in ("rollup", "workspace"):
            connection.execute(SET, {"name": "vigilo.level", "value": level})
            shown |= _visible_tables(connection, tables)
    return sorted(shown)


def _visible_tables(connection: Connection, tables: dict[str, str]) -> set[str]:
    """Tables that show a row now. By their keys, which begin with the workspace: a table of millions of
    rows that show nothing is else read to its end. What is forbidden to the planner it reckons as dear, and
    what is dear a PostgreSQL with LLVM compiles first, for seconds."""
    connection.execute(text("set local enable_seqscan = off"))
    connection.execute(text("set local jit = off"))
    query = " union all ".join(
        f"select '{name}' where exists (select 1 from {table})" for table, name in tables.items()
    )
    return set(connection.execute(text(query)).scalars()) if tables else set()
