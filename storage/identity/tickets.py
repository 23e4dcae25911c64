"""Tickets: short-lived proofs for work that the job role has done on a person's behalf."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import Connection, text

from storage.identity.proof import Credential, Proof, verifier_of

HOUR = timedelta(hours=1)
ISSUE = text("""
insert into viewer_ticket (id_hash, user_id, expires_at) values (:hash, :user, now() + :lasts)
""")
FORGET = text("delete from viewer_ticket where expires_at < now()")


def issue(connection: Connection, user_id: int, lasts: timedelta = HOUR) -> Proof:
    """A proof for somebody, good from the end of the caller's transaction (job role) for as long as it
    lasts. What has run out is removed."""
    secret = secrets.token_urlsafe(32)
    connection.execute(FORGET)
    connection.execute(ISSUE, {"hash": verifier_of(secret), "user": user_id, "lasts": lasts})
    return Proof.of(Credential.TICKET, secret)
