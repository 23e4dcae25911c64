"""At most ten failed sign-ins per account and per address within fifteen minutes, in the database
so that it holds over all processes."""

from __future__ import annotations

from sqlalchemy import Engine, text

MOST, WINDOW = 10, "15 minutes"


def begin(engine: Engine, account: str, address: str) -> bool:
    """Notes an attempt as failed before it is judged, so that attempts in parallel can not pass the
    limit; False when it is one too many, and then it is not counted either."""
    who = {"account": account, "address": address, "most": MOST}
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:account))"), who)
        connection.execute(
            text(f"delete from sign_in_failure where at < now() - interval '{WINDOW}'")
        )
        full = connection.execute(
            text(
                "select greatest(count(*) filter (where account = :account),"
                " count(*) filter (where address = :address)) >= :most from sign_in_failure"
                " where account = :account or address = :address"
            ),
            who,
        ).scalar_one()
        if not full:
            connection.execute(
                text("insert into sign_in_failure (account, address) values (:account, :address)"),
                who,
            )
    return not full


def succeeded(engine: Engine, account: str) -> None:
    """A right password clears the account's count, this attempt included."""
    with engine.begin() as connection:
        connection.execute(
            text("delete from sign_in_failure where account = :account"), {"account": account}
        )
