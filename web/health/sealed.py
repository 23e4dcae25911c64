"""Secrets of others that no present key opens: after a key that was lost, or a restore beside another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from auth import second_factor
from auth.resealing import SealedColumn, lost_secrets
from auth.secret_key import secret_keys
from exports.digest import sending
from ingest.door import senders
from ingest.pulling import store
from settings import Settings
from web.health.findings import HealthFinding

KEY = (
    "Add the key that they were sealed under to VIGILO_SECRET_KEY_FORMER, restart, secrets rotate."
    " If it is lost: "
)
WHOSE = 'psql -d vigilo -c "select email from app_user where id in ({ids})"'
OF_ACTIVE = "user_id in (select id from app_user where is_active)"
IN_FORCE = "is_active and totp_confirmed_at is not null"
SEALED: Mapping[SealedColumn, tuple[str, str]] = {
    SealedColumn(
        "api_token",
        "signing_secret",
        senders.PURPOSE,
        "revoked_at is null and (expires_at is null or expires_at > now())",
    ): (
        "signed senders",
        "flask --app app token revoke NUMBER, then token create EMAIL --ingest WORKSPACE --signed",
    ),
    SealedColumn("source", "secret", store.PURPOSE): (
        "sources",
        "flask --app app source secret NUMBER",
    ),
    SealedColumn("digest_channel", "address", sending.PURPOSE, OF_ACTIVE): (
        "addresses of digests",
        "whoever gets them removes the channel and sets it up anew, on the page Your digests",
    ),
    SealedColumn("digest_channel", "secret", sending.PURPOSE, OF_ACTIVE): (
        "secrets of digests",
        "whoever gets them removes the channel and sets it up anew, on the page Your digests",
    ),
    SealedColumn("app_user", "totp_secret", second_factor.PURPOSE, IN_FORCE): (
        "second factors",
        f"flask --app app user second-factor-off EMAIL, of: {WHOSE}",
    ),
}
"""Everything that is kept sealed under VIGILO_SECRET_KEY, what it is, what to do where no key opens it."""
MOST = 20
"""Numbers that are named of one kind."""


def findings(connection: Connection, settings: Settings) -> Iterator[HealthFinding]:
    """A finding for each kind of which some open no more: how many, which, and what to type."""
    keys = secret_keys(settings)
    for column, (kind, remedy) in SEALED.items():
        if ids := lost_secrets(connection, keys, column):
            named = ", ".join(map(str, ids[:MOST])) + (" and more" if len(ids) > MOST else "")
            detail = f"no key opens those of {len(ids)} {kind}: {named}"
            listed = ", ".join(map(str, ids))
            yield HealthFinding("secrets", KEY + remedy.format(ids=listed), detail)
