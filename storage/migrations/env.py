"""Alembic's entry: runs the migrations on the connection that ``storage.schema`` hands over."""

from alembic import context

from storage.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="schema_version",
)
with context.begin_transaction():
    context.run_migrations()
