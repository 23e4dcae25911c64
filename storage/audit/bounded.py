"""Events that people bring about without any right: refusals. Each is worth a row, a million are not, so
there is a bound by the hour; the last one within it says that others follow which are not noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from storage.audit import record

WINDOW = "1 hour"
LONGEST = 254
"""Characters of who is refused and of what: either is what a stranger typed."""
A_SOURCE, ALTOGETHER = 60, 3_000
"""Refusals of one kind within the window: of a network address or a person, and of everybody."""
COUNT = text(f"""
select count(*) filter (where case when cast(:address as text) = '' then actor = :actor
                                   else details ->> 'address' = :address end),
       count(*)
from audit_event where action = :action and at > now() - interval '{WINDOW}'
""")


def record_refusal(
    connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, Any]
) -> bool:
    """Adds an entry within the caller's transaction, as the job role; whether it did: not where there were
    too many in the last hour from the ``address`` of its details (where there is none: by the actor), or by
    everybody. Requests at the same time may exceed the bound by as many as they are."""
    actor, subject = actor[:LONGEST], subject[:LONGEST]
    who = {"action": action, "actor": actor, "address": details.get("address", "")}
    own, every = connection.execute(COUNT, who).one()
    if own >= A_SOURCE or every >= ALTOGETHER:
        return False
    is_last = own == A_SOURCE - 1 or every == ALTOGETHER - 1
    more = {"others_follow": True} if is_last else {}
    record(connection, actor, action, subject, {**details, **more})
    return True
