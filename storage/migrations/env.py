"""Alembic's entry: runs the migrations on the connection that ``storage.schema`` hands over."""

from alembic import context

from storage.snapshot.tables import TENANT_TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TENANT_TABLES[0].metadata,
    version_table="schema_version",
)
with context.begin_transaction():
    context.run_migrations()
