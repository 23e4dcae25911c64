"""A database of its own that was filled at a former migration and then brought to today's schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine

from storage import schema
from storage.database import Database


@contextmanager
def brought_up(
    server: Database, name: str, target: str, fill: Callable[[Connection], object]
) -> Iterator[Connection]:
    """The superuser's connection to a database of that name, which ``fill`` was given at the migration
    ``target``; it is dropped at the end."""
    superuser = create_engine(server.web.url.set(username="postgres"), isolation_level="AUTOCOMMIT")
    with superuser.connect() as connection:
        connection.exec_driver_sql(f"drop database if exists {name}")
        connection.exec_driver_sql(f"create database {name} owner {server.roles.owner}")
    engine = create_engine(server.owner.url.set(database=name))
    unbound = create_engine(server.web.url.set(username="postgres", database=name))
    with engine.begin() as connection:
        schema.migrate(connection, server.roles, target=target)
    with unbound.begin() as connection:
        fill(connection)
    with engine.begin() as connection:
        schema.migrate(connection, server.roles)
    with unbound.connect() as connection:
        yield connection
    engine.dispose()
    unbound.dispose()
    with superuser.connect() as connection:
        connection.exec_driver_sql(f"drop database {name}")
    superuser.dispose()
