"""Links by which a mail's reader ends it without signing in: they name one channel, and are signed."""

from __future__ import annotations

from itsdangerous import BadData, URLSafeSerializer

from auth.secret_key import Keys

PATH, SALT = "/digest/stop/", "digest stop"


def link(keys: Keys, address: str, channel_id: int) -> str:
    """The link that ends a channel."""
    return f"{address}{PATH}{_serializer(keys).dumps(channel_id)}"


def channel_of(keys: Keys, token: str) -> int | None:
    """The channel that a token names; None for one that we did not sign."""
    try:
        named = _serializer(keys).loads(token)
    except BadData:
        return None
    return named if type(named) is int and 0 < named < 2**63 else None


def _serializer(keys: Keys) -> URLSafeSerializer:
    return URLSafeSerializer(keys.oldest_first, salt=SALT)
