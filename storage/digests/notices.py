"""Outbox of messages to webhooks, as the job role.

A message is queued in the transaction that moves its channel on, once for each id. It is tried again until
it is taken, for a day. Where nobody knows whether it arrived (the sender died, the receiver was silent) it
goes once more under the same id and never a third time: at most one duplicate.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from storage import audit
from storage.digests.tables import IS_DUE
from storage.scheduled.retries import GIVE_UP, LEASE, wait_after

MOST_UNCLEAR = 2
TWICE = "The receiver was silent twice: it may have come, and is not sent a third time."
INSERT = text("""
insert into digest_notice (id, channel_id, body) values (:id, :channel, :body)
on conflict (id) do nothing
""")
CLAIM = text(f"""
update digest_notice set state = 'sending', attempt = attempt + 1,
    unclear = unclear + case when state = 'sending' then 1 else 0 end,
    next_at = cast(:until as timestamptz)
where id = (select id from digest_notice where {IS_DUE}
            and next_at <= cast(:now as timestamptz)
            order by next_at for update skip locked limit 1)
returning id, channel_id, body, attempt, unclear, created_at
""")
SETTLE = text("""
update digest_notice set state = :state, error = :error, unclear = :unclear,
    next_at = cast(:next as timestamptz), sent_at = case when :state = 'sent' then now() end
where id = :id and state = 'sending' and attempt = :attempt
""")
REASON = text("update digest_channel set reason = :reason where id = :channel")
FORGET = text(
    "delete from digest_notice where state in ('sent', 'failed') and created_at < :before"
)


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A message that is to go now. ``attempt`` fences a sender that has lost its lease."""

    id: uuid.UUID
    channel_id: int
    body: str
    attempt: int
    unclear: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NoticeOutcome:
    """Outcome of an attempt: taken, or why not; ``is_final`` where trying again would not help,
    ``is_unclear`` where it may have arrived, ``wait`` what the receiver asks for."""

    error: str = ""
    is_final: bool = False
    is_unclear: bool = False
    wait: timedelta | None = None


def queue_notice(connection: Connection, id: uuid.UUID, channel_id: int, body: str) -> bool:
    """Queues a message within the caller's transaction, once for each id; whether it is new."""
    values = {"id": id, "channel": channel_id, "body": body}
    return bool(connection.execute(INSERT, values).rowcount)


def claim(
    engine: Engine, now: datetime | None = None, lease: timedelta = LEASE
) -> tuple[DueNotice, datetime] | None:
    """The message that is due for the longest, and the present instant; None where none is."""
    with engine.begin() as connection:
        moment = now or connection.execute(text("select now()")).scalar_one()
        row = connection.execute(CLAIM, {"now": moment, "until": moment + lease}).first()
    return (DueNotice(*row), moment) if row else None


def settle(engine: Engine, notice: DueNotice, outcome: NoticeOutcome, moment: datetime) -> str:
    """Notes what came of an attempt; the state that the message is in now. A failure stands at the
    channel until something arrives there."""
    unclear = notice.unclear + outcome.is_unclear
    wait = outcome.wait or wait_after(notice.attempt)
    state, error = "queued", outcome.error
    if not error:
        state = "sent"
    elif unclear >= MOST_UNCLEAR:
        state, error = "failed", TWICE
    elif outcome.is_final or moment - notice.created_at > GIVE_UP:
        state = "failed"
    values = {
        "id": notice.id,
        "attempt": notice.attempt,
        "state": state,
        "error": error[:300],
        "unclear": unclear,
        "next": moment + wait,
    }
    with engine.begin() as connection:
        if not connection.execute(SETTLE, values).rowcount:
            return "lost"
        if state != "queued":
            reason = {"channel": notice.channel_id, "reason": error[:300]}
            connection.execute(REASON, reason)
            _note(connection, notice, state, error)
    return state


def _note(connection: Connection, notice: DueNotice, state: str, error: str) -> None:
    """Notes in the audit that a message went, or was given up."""
    owner = text(
        "select u.email, c.kind, c.hint from digest_channel c join app_user u on u.id = c.user_id"
        " where c.id = :id"
    )
    email, kind, hint = connection.execute(owner, {"id": notice.channel_id}).one()
    action = "digest.send" if state == "sent" else "digest.fail"
    details = {"kind": kind, "to": hint, "why": error[:200]}
    audit.record(connection, email, action, str(notice.id), details)


def waits(connection: Connection, channel_id: int) -> bool:
    """Whether a message to a channel has not gone yet."""
    query = text(f"select exists (select from digest_notice where channel_id = :c and {IS_DUE})")
    return bool(connection.execute(query, {"c": channel_id}).scalar())


def forget(engine: Engine, before: datetime) -> int:
    """Removes messages of long ago that went, or were given up; returns how many."""
    with engine.begin() as connection:
        return connection.execute(FORGET, {"before": before}).rowcount
