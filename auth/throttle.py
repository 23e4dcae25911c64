"""At most ten failed sign-ins per account and per address within fifteen minutes, in the database
so that it holds over all processes.

What came of an attempt is told under a lock, after the password was looked at: so attempts in flight count
as nothing, and of any number in parallel only ten are told that they were wrong.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import Connection, Engine, text

MOST, WINDOW_SECONDS = 10, 15 * 60
WINDOW = f"{WINDOW_SECONDS // 60} minutes"
IPV6_PREFIX = 64
"""A subscriber has that much of IPv6, and may take another address for each attempt."""
PATIENCE = "5s"
"""Until the lock must have come: any role may hold it, and whoever waits holds a connection."""
LOCK = text(
    "select pg_advisory_xact_lock(k) from"
    " (select hashtextextended(w, 0) as k from unnest(cast(:who as text[])) w order by 1) keys"
)
FULL = text(f"""
select greatest(count(*) filter (where account = :account),
                count(*) filter (where address = :address)) >= {MOST}
from sign_in_failure
where (account = :account or address = :address) and at > now() - interval '{WINDOW}'
""")
NOTE = text("insert into sign_in_failure (account, address) values (:account, :address)")
CLEAR = text("delete from sign_in_failure where account = :account")
FORGET = text(f"delete from sign_in_failure where at < now() - interval '{WINDOW}'")


def network(address: str) -> str:
    """The address as failures are counted for it: an IPv6 one stands for its network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed)


def is_closed(engine: Engine, account: str, address: str) -> bool:
    """Whether an attempt would be refused now, whatever its password: asked before that is looked at."""
    with engine.connect() as connection:
        return _is_full(connection, account, address)


def note_attempt(engine: Engine, account: str, address: str, *, is_right: bool) -> bool:
    """Notes a wrong attempt, clears the account's count for a right one. False where there were ten
    failures by now: then the caller is told so, be the attempt right or wrong, and nothing is noted."""
    with engine.begin() as connection:
        connection.execute(
            text("select set_config('lock_timeout', :most, true)"), {"most": PATIENCE}
        )
        connection.execute(LOCK, {"who": [f"account {account}", f"address {address}"]})
        if _is_full(connection, account, address):
            return False
        if is_right:
            connection.execute(CLEAR, {"account": account})
        else:
            connection.execute(FORGET)
            connection.execute(NOTE, {"account": account, "address": address})
    return True


def _is_full(connection: Connection, account: str, address: str) -> bool:
    who = {"account": account, "address": address}
    return bool(connection.execute(FULL, who).scalar_one())
