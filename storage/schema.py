"""Brings a database to the current schema: roles, then the Alembic migrations.

Alembic, and what the domains declare, are loaded where they are used: most commands need neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage import audit
from storage import distributed as citus
from storage.chosen import store
from storage.roles import DEFINER, Roles

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x7669_6769
MIGRATIONS = Path(__file__).parent / "migrations"
UNANALYZABLE = text(
    """
select case when current_setting('server_version_num')::int < 170000 then false else exists (
    select from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    and not has_table_privilege(:job, c.oid, 'maintain')
) end
""".replace("::", r"\:\:")
)
"""Whether the job role lacks the right to analyse a table (``vigilo.analyze_outgrown``), where the server
has such a right."""
SETTINGS_OF_ROLES = "nosuperuser nobypassrls nocreatedb nocreaterole noinherit"


class NotUnicode(SystemExit):
    """The empty database could not keep every text: nothing is made in it."""


def upgrade(
    connection: Connection,
    roles: Roles,
    *,
    strict_residency: bool,
    time_zone: str,
    distributed: bool = False,
) -> None:
    """Creates what is missing, as the owner, in one transaction that a second caller waits for.

    Raises sqlalchemy errors as they come, NoCitus when the tables can not be distributed; nothing is
    left half done.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if revision_of(connection) is None and (other := other_encoding(connection)) is not None:
        raise NotUnicode(
            f"the database is in {other}, which lacks letters of names and texts. Make it anew, as"
            " deploy/roles.sql does: encoding 'UTF8' template template0."
        )
    if distributed:
        citus.prepare(connection)
    migrate(connection, roles, distributed=distributed)
    chosen = {"time_zone": store.chosen_zone(connection) or time_zone}
    _write_settings(connection, {"strict_residency": strict_residency, **chosen})
    if distributed:
        citus.distribute(connection)


def _write_settings(connection: Connection, settings: Mapping[str, object]) -> None:
    """Writes the settings that the database itself goes by; the audit says which of them changed."""
    before = connection.execute(text("select * from installation")).mappings().one()
    changed = {name: value for name, value in settings.items() if before[name] != value}
    for name, value in changed.items():
        connection.execute(text(f"update installation set {name} = :value"), {"value": value})
        details = {"from": before[name], "to": value}
        audit.record(connection, "operator", "setting.change", name, details)


def other_encoding(connection: Connection) -> str | None:
    """The encoding of the database, where it is not Unicode's."""
    encoding = str(connection.execute(text("show server_encoding")).scalar_one())
    return encoding if encoding != "UTF8" else None


def migrate(
    connection: Connection, roles: Roles, *, distributed: bool = False, target: str = "head"
) -> None:
    """The roles, then every migration up to ``target`` that has not run. ``distributed`` writes the
    policies so that Citus takes them; it distributes nothing."""
    for role in (roles.web, roles.job, DEFINER):
        # Citus connects to its nodes as the role that asks, the definer of a function too.
        _ensure_role(connection, role, login=distributed or role != DEFINER)
    for role in (DEFINER, roles.job):
        _join(connection, role)
    if target != "head" or revision_of(connection) != head():
        _run(connection, roles, distributed, target)
    connection.exec_driver_sql(
        f"grant select on schema_version to {quote_name(roles.web)}, {quote_name(roles.job)}"
    )
    if connection.execute(UNANALYZABLE, {"job": roles.job}).scalar_one():
        connection.exec_driver_sql(
            f"grant maintain on all tables in schema public to {quote_name(roles.job)}"
        )


def _run(connection: Connection, roles: Roles, distributed: bool, target: str) -> None:
    from alembic import command

    config = _config(connection, roles)
    config.attributes["distributed"] = distributed
    command.upgrade(config, target)


def is_current(connection: Connection) -> bool:
    """Whether every migration has run, and every number that a domain declares has its column."""
    if revision_of(connection) != head():
        return False
    from storage.executive.encoded_rows import number_layout
    from storage.snapshot.columns import COLUMNS

    layout = number_layout(connection)
    return all(set(c.packed) <= set(layout.get(c.table, ())) for c in COLUMNS)


def revise(connection: Connection, name: str) -> Path | None:
    """Writes the migration for what is declared and not in the database; None where nothing is missing.
    Raises ValueError where the database is not at the last migration, or for a name that is none."""
    from storage.migrations import revision

    if (there := revision_of(connection)) != head():
        raise ValueError("The schema is not up to date: run flask --app app db upgrade first.")
    return revision.write(connection, name, str(there))


def revision_of(connection: Connection) -> str | None:
    """The last migration that has run."""
    if connection.execute(text("select to_regclass('schema_version')")).scalar() is None:
        return None
    return connection.execute(text("select version_num from schema_version")).scalar()


def head() -> str:
    """The last migration that there is."""
    return max(_revisions())


def is_known(migration: str) -> bool:
    """Whether it is a migration of this release, or of one before it."""
    return migration in _revisions()


@cache
def _revisions() -> frozenset[str]:
    """The migrations by the names of their files, which begin with their number: whoever only looks whether
    all have run need not load them."""
    return frozenset(
        file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py")
    )


def quote_name(name: str) -> str:
    """A name of a role or a database as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _ensure_role(connection: Connection, name: str, *, login: bool) -> None:
    known = connection.execute(text("select 1 from pg_roles where rolname = :n"), {"n": name})
    if known.first() is None:
        how = "login" if login else "nologin"
        connection.exec_driver_sql(f"create role {quote_name(name)} {how} {SETTINGS_OF_ROLES}")
        if login:
            database = quote_name(
                connection.execute(text("select current_database()")).scalar_one()
            )
            connection.exec_driver_sql(
                f"grant connect on database {database} to {quote_name(name)}"
            )


def _join(connection: Connection, role: str) -> None:
    """The owner acts as ``role``. Where an administrator made the roles, they have granted that."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"grant {quote_name(role)} to current_user")
    except DBAPIError:
        connection.exec_driver_sql(f"set local role {quote_name(role)}")
        connection.exec_driver_sql("reset role")


def _config(connection: Connection, roles: Roles) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(
        connection=connection, web=quote_name(roles.web), job=quote_name(roles.job)
    )
    return config
