"""The migration that a database lacks for what the domains declare: written once, as frozen SQL.

Tables and columns are only ever added. A domain whose folder is gone keeps what it has stored, unused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Inspector, Table, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from storage.executive.encoded_rows import number_layout
from storage.snapshot.columns import COLUMNS, HISTORY_COLUMNS, packed_expression
from storage.snapshot.columns import packed_layout as layout_comment
from storage.snapshot.tables import STAGED_TABLES, TENANT_TABLES

VERSIONS = Path(__file__).parent / "versions"
HISTORY = "_snapshot_history"
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
TEMPLATE = '''"""{title}: what the domains declare and the database did not have."""

from __future__ import annotations

from alembic import context, op

from storage.migrations.policies import ROLLUP, WORKSPACE, tenancy

revision = "{revision}"
down_revision = "{before}"

TABLES = {{{tables}}}
STAGED = ({staged})
SQL = """
{sql}
"""


def upgrade() -> None:
    """Tables and columns, then the policies of what is new."""
    web, job = context.config.attributes["web"], context.config.attributes["job"]
    distributed = context.config.attributes.get("distributed", False)
    run = op.get_bind().exec_driver_sql
    run(SQL.replace("%", "%%"))
    for table, level in TABLES.items():
        run(";".join(tenancy(table, level, web, job, distributed=distributed)))
    for table in STAGED:
        run(";".join(tenancy(table, WORKSPACE, web, job, distributed=distributed)))
        run(f"revoke all on {{table}} from {{web}}")


def downgrade() -> None:
    """Not offered: what a domain has stored would be lost."""
    raise RuntimeError("There is no way back: restore a backup.")
'''


def write(connection: Connection, name: str, head: str) -> Path | None:
    """Writes the migration that follows ``head``, the one that the database is at; None where nothing is
    missing. Raises ValueError for a name that is none."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name}: lower-case letters, digits and _ only")
    additions = Additions(connection)
    statements = [*additions.statements()]
    if not statements:
        return None
    number = f"{int(head) + 1:04d}"
    tables = [f'"{t.name}": {_level(t)}' for t in additions.tables if t not in STAGED_TABLES]
    staged = [f'"{t.name}",' for t in additions.tables if t in STAGED_TABLES]
    path = VERSIONS / f"{number}_{name}.py"
    path.write_text(
        TEMPLATE.format(
            title=name.replace("_", " ").capitalize(),
            revision=number,
            before=head,
            tables=", ".join(tables),
            staged=" ".join(staged),
            sql=";\n\n".join(statements) + ";",
        ),
        encoding="utf-8",
    )
    return path


def _level(table: Table) -> str:
    """The context in which a reader sees a table: a history's figures are rolled up, records are not."""
    return "ROLLUP" if table.name in HISTORY_COLUMNS else "WORKSPACE"


@dataclass(frozen=True)
class Additions:
    """Tables and columns that are declared and not in a database."""

    connection: Connection

    @cached_property
    def _inspector(self) -> Inspector:
        return inspect(self.connection)

    @cached_property
    def tables(self) -> list[Table]:
        """Tables that are new, in the order of their foreign keys."""
        known = set(self._inspector.get_table_names())
        return [table for table in TENANT_TABLES if table.name not in known]

    def statements(self) -> Iterator[str]:
        """The SQL that adds what is missing, in order."""
        for table in self.tables:
            yield _compiled_sql(CreateTable(table))
            yield from (_compiled_sql(CreateIndex(index)) for index in table.indexes)
        for table in TENANT_TABLES:
            if table not in self.tables:
                yield from self._columns(table)
        yield from self._packed()
        if any(table.name in HISTORY_COLUMNS for table in self.tables):
            yield self._view()

    def _columns(self, table: Table) -> Iterator[str]:
        """Columns that a table lacks."""
        known = {column["name"] for column in self._inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known and column.computed is None:
                yield f"alter table {table.name} add column {_compiled_sql(CreateColumn(column))}"

    def _packed(self) -> Iterator[str]:
        """The packed numbers anew where one is missing, those of before at their old places; and what they
        are, beside them."""
        layouts = number_layout(self.connection)
        for columns in COLUMNS:
            before = layouts.get(columns.table, ())
            names = (*before, *(name for name in columns.packed if name not in before))
            if before and names != before:
                yield (
                    f"alter table {columns.table} drop column packed, add column packed bytea"
                    f" generated always as ({packed_expression(names)}) stored"
                )
            if names != before:
                comment = layout_comment(names)
                yield f"comment on column {columns.table}.packed is '{comment}'"

    def _view(self) -> str:
        """The one relation of all histories, of domains that are gone too."""
        groups = {table: str(columns.group) for table, columns in HISTORY_COLUMNS.items()}
        for table in self._inspector.get_table_names():
            if table.endswith(HISTORY) and table not in groups:
                _workspace, group, _day = self._inspector.get_pk_constraint(table)[
                    "constrained_columns"
                ]
                groups[table] = group
        branches = [
            f"select workspace_id, '{table}'::text as history, {group} as group_key, snapshot_date,"
            f" packed, labels\nfrom public.{table}"
            for table, group in sorted(groups.items())
        ]
        head = "create or replace view vigilo.group_snapshots with (security_invoker = true) as"
        return f"{head}\n" + "\nunion all\n".join(branches)


def _compiled_sql(element: CreateTable | CreateIndex | CreateColumn) -> str:
    return str(element.compile(dialect=DIALECT)).strip()
