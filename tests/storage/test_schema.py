"""The migrated database is what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from storage import schema
from storage.models import STAGED_TABLES, TENANT_TABLES, metadata


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


def test_what_a_run_stages_is_not_logged(server):
    """Alembic does not compare it. A log of it would double the night's writing."""
    query = "select relname, relpersistence from pg_class where relname = any(:names)"
    names = [table.name for table in STAGED_TABLES]
    with server.owner.connect() as connection:
        found = dict(connection.execute(text(query), {"names": names}).all())
    assert found == dict.fromkeys(names, "u")
