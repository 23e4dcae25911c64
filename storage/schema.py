"""Brings a database to the current schema: roles, then the Alembic migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage import distributed as citus
from storage.roles import DEFINER, Roles

LOCK = 0x7669_6769
SETTINGS_OF_ROLES = "nosuperuser nobypassrls nocreatedb nocreaterole noinherit"


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
    if distributed:
        citus.prepare(connection)
    migrate(connection, roles, distributed=distributed)
    connection.execute(
        text("update installation set strict_residency = :strict, time_zone = :zone"),
        {"strict": strict_residency, "zone": time_zone},
    )
    if distributed:
        citus.distribute(connection)


def migrate(connection: Connection, roles: Roles, *, distributed: bool = False) -> None:
    """The roles, then every migration that has not run. ``distributed`` writes the policies so that
    Citus takes them; it distributes nothing."""
    for role in (roles.web, roles.job, DEFINER):
        _ensure_role(connection, role, login=role != DEFINER)
    for role in (DEFINER, roles.job):
        _join(connection, role)
    config = _config(connection, roles)
    config.attributes["distributed"] = distributed
    command.upgrade(config, "head")
    connection.exec_driver_sql(
        f"grant select on schema_version to {quoted(roles.web)}, {quoted(roles.job)}"
    )


def is_current(connection: Connection) -> bool:
    """Whether every migration has run."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    return (
        MigrationContext.configure(
            connection, opts={"version_table": "schema_version"}
        ).get_current_revision()
        == head
    )


def quoted(name: str) -> str:
    """A role's name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _ensure_role(connection: Connection, name: str, *, login: bool) -> None:
    known = connection.execute(text("select 1 from pg_roles where rolname = :n"), {"n": name})
    if known.first() is None:
        how = "login" if login else "nologin"
        connection.exec_driver_sql(f"create role {quoted(name)} {how} {SETTINGS_OF_ROLES}")


def _join(connection: Connection, role: str) -> None:
    """The owner acts as ``role``. Where an administrator made the roles, they have granted that."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"grant {quoted(role)} to current_user")
    except DBAPIError:
        connection.exec_driver_sql(f"set local role {quoted(role)}")
        connection.exec_driver_sql("reset role")


def _config(connection: Connection, roles: Roles) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(connection=connection, web=quoted(roles.web), job=quoted(roles.job))
    return config
