"""Identity of the database that an address leads to: all addresses of an installation lead to one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage.bounds.away import first_line

log = logging.getLogger("vigilo.backup")
PATIENCE_SECONDS = 5
HERE = """
select (select system_identifier from pg_control_system()),
       (select oid from pg_database where datname = current_database())
"""


class AnotherDatabase(RuntimeError):
    """An address leads to the database of another installation; nothing was read or changed there."""


class DatabaseIdentity(NamedTuple):
    """Number of a cluster and of a database in it; a copy by replication has those of its primary."""

    cluster: int
    number: int


def identity_of(connection: Connection) -> DatabaseIdentity:
    """Identity of the connection's database."""
    return DatabaseIdentity(*connection.execute(text(HERE)).one())


def identity_at(address: URL) -> DatabaseIdentity | None:
    """Identity of the database at an address; None where nobody is let in, as before roles are restored."""
    options = {"connect_timeout": PATIENCE_SECONDS}
    engine = create_engine(address, poolclass=NullPool, connect_args=options)
    try:
        with engine.connect() as connection:
            return identity_of(connection)
    except DBAPIError as error:
        log.warning(
            "%s can not be asked which database it is: %s",
            address_words(address),
            first_line(error),
        )
        return None


def refuse_another(
    here: Connection, variable: str, address: URL, others: Mapping[str, URL | None]
) -> None:
    """Raises AnotherDatabase where one of the other addresses, by the variables that name them, leads to
    another database than ``variable``, whose ``address`` the connection is of."""
    own = identity_of(here)
    for name, other in others.items():
        if other is not None and (known := identity_at(other)) is not None and known != own:
            raise AnotherDatabase(
                f"{variable} leads to {address_words(address)}, {name} to {address_words(other)}:"
                " those are two databases, and an installation has one. Set both to the same."
            )


def address_words(address: URL) -> str:
    """Words for where an address leads, without its password."""
    host = address.host or address.query.get("host", "this machine")
    port = address.port or address.query.get("port", 5432)
    return f"the database {address.database} at {host}:{port}"
