"""The migrated database is what the models say."""

import re

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from storage import schema
from storage.executive.encoded_rows import number_layout
from storage.snapshot.columns import COLUMNS
from storage.snapshot.tables import STAGED_TABLES, TENANT_TABLES
from storage.tables import metadata


def test_models_and_migrations_agree(server):
    with server.owner.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
        assert [
            change for change in compare_metadata(context, metadata) if not _is_comment(change)
        ] == []
        assert schema.is_current(connection)


def test_the_names_of_the_migrations_are_what_they_say_of_themselves():
    """Whoever looks whether all have run goes by the names, and loads none."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    told = [script.revision for script in scripts.walk_revisions()]
    assert scripts.get_heads() == [schema.head()]
    assert all(map(schema.is_known, told))
    assert schema.head() == max(told)
    assert not schema.is_known("9999")


def _is_comment(change: object) -> bool:
    """Whether a difference is of comments alone: the database says the order of packed numbers in one."""
    return isinstance(change, list) and {part[0] for part in change} == {"modify_comment"}


PACKED = """
select d.adrelid::regclass::text, pg_get_expr(d.adbin, d.adrelid)
from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
where a.attname = 'packed'
"""


def test_the_layout_is_the_order_in_which_the_numbers_are_packed(server):
    """The comment that the reader goes by against the expression that the server computes with."""
    with server.owner.connect() as connection:
        layout = number_layout(connection)
        packed = dict(connection.execute(text(PACKED)).all())
    for columns in COLUMNS:
        computed = re.findall(r"COALESCE\(\(?(\w+)", packed[columns.table], re.IGNORECASE)
        assert tuple(computed) == layout[columns.table]
        assert set(columns.packed) <= set(layout[columns.table])


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
