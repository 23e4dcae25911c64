"""The migrated database is what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from storage import schema
from storage.models import TENANT_TABLES, metadata


def test_models_and_migrations_agree(server):
    with server.owner.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
        assert compare_metadata(context, metadata) == []
        assert schema.is_current(connection)


def test_every_tenant_key_begins_with_the_workspace():
    for table in TENANT_TABLES:
        assert next(iter(table.primary_key.columns)).name == "workspace_id", table.name


def test_a_second_upgrade_changes_nothing(server, settings):
    server.upgrade(settings)
    with server.owner.connect() as connection:
        assert connection.execute(text("select count(*) from installation")).scalar() == 1
