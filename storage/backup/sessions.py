"""Connections of backups and restores, which no setting of a role, a database or a server cuts off or has
write texts in another way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import NullPool

SETTINGS = {
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "search_path": "public",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
}
"""Values under which a transaction may idle as long as pg_dump or pg_restore works, and texts compare."""
SET = "select set_config(name, %s, false) from pg_settings where name = %s"


def engine_of(url: URL) -> Engine:
    """Connections to the address, of which none is kept."""
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def begin(raw: Any, _record: object) -> None:
        with raw.cursor() as cursor:
            cursor.execute("set statement_timeout = 0")  # before that ends one of these
            for name, value in SETTINGS.items():  # older servers lack some
                cursor.execute(SET, (value, name))
        raw.commit()

    return engine
