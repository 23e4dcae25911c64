"""At most ten failed sign-ins per account and per address within fifteen minutes, in the database
so that it holds over all processes."""

from __future__ import annotations

from sqlalchemy import Engine, text

MOST, WINDOW = 10, "15 minutes"


def is_blocked(engine: Engine, account: str, address: str) -> bool:
    """Whether one more attempt is to be refused, whatever its password."""
    with engine.connect() as connection:
        blocked = connection.execute(
            text(
                "select greatest(count(*) filter (where account = :account),"
                " count(*) filter (where address = :address)) >= :most from sign_in_failure"
                f" where at > now() - interval '{WINDOW}'"
                " and (account = :account or address = :address)"
            ),
            {"account": account, "address": address, "most": MOST},
        )
        return bool(blocked.scalar_one())


def failed(engine: Engine, account: str, address: str) -> None:
    """Notes a failed attempt, and forgets those past the window."""
    with engine.begin() as connection:
        connection.execute(
            text(f"delete from sign_in_failure where at < now() - interval '{WINDOW}'")
        )
        connection.execute(
            text("insert into sign_in_failure (account, address) values (:account, :address)"),
            {"account": account, "address": address},
        )


def succeeded(engine: Engine, account: str) -> None:
    """A right password clears the account's count."""
    with engine.begin() as connection:
        connection.execute(
            text("delete from sign_in_failure where account = :account"), {"account": account}
        )
