"""Packs that come by themselves: weekly, monthly or quarterly, each drawn with its recipient's own scope.

The periods are calendar ones in the reporting time zone. A period's pack is due from two hours after its
last day, when the nightly snapshots are there; a process that was away catches up with the newest period.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, text

from aggregators.vocabulary.period import Span
from auth.accounts import LONGEST_EMAIL
from exports import queue
from exports.queue import TooManyExports
from reading.dashboard import NotPlatformAdmin, scope
from settings import Settings
from storage import audit
from storage.context import NotIdentified
from storage.database import Database
from storage.identity import tickets
from storage.tables import CADENCES, EXPORT_FORMATS
from storage.viewer import Viewer

READY_AFTER = timedelta(hours=2)
MOST = 50
NO_ROLE = "They are platform admin of no workspace any more."
_NAMES = uuid.UUID("6f1b8f6e-6a2c-4f5e-9c36-3f9d2f4a7c11")


class InvalidSubscription(ValueError):
    """A subscription that can not be made; the message says why, ``field`` what is wrong in it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Subscription:
    """Recipient's subscription to scheduled packs. ``reason`` says why the last pack did not come."""

    id: int
    email: str
    cadence: str
    format: str
    last_end: date | None
    reason: str | None
    is_mine: bool


def last_complete(cadence: str, now: datetime) -> Span:
    """The newest calendar week (Monday to Sunday), month or quarter that is over and has its snapshots."""
    today = (now - READY_AFTER).date()
    if cadence == "weekly":
        end = today - timedelta(days=today.weekday() + 1)
        return Span(end - timedelta(days=6), end)
    months = 1 if cadence == "monthly" else 3
    first = today.replace(day=1, month=(today.month - 1) // months * months + 1)
    end = first - timedelta(days=1)
    begin = end.replace(day=1)
    for _ in range(months - 1):
        begin = (begin - timedelta(days=1)).replace(day=1)
    return Span(begin, end)


def subscribe(
    engine: Engine, owner: Viewer, email: str, cadence: str, format: str, now: datetime
) -> None:
    """Subscribes a colleague to a pack of each period from the next on. Raises InvalidSubscription,
    TooManyExports."""
    if cadence not in CADENCES or format not in EXPORT_FORMATS:
        raise InvalidSubscription("cadence", "Choose how often, and a format.")
    with engine.begin() as connection:
        recipient_id = connection.execute(
            text("select vigilo.colleague(:owner, :e)"),
            {"owner": owner.user_id, "e": email.strip().lower()[:LONGEST_EMAIL]},
        ).scalar()
        if recipient_id is None:  # said alike of strangers' accounts and of none
            raise InvalidSubscription("email", "No member of your workspaces has that address.")
        scheduled = connection.execute(
            text("select count(*) from pack_subscription where owner_id = :o"),
            {"o": owner.user_id},
        ).scalar_one()
        if scheduled >= MOST:
            raise TooManyExports(f"You have {scheduled} scheduled packs already.")
        made = connection.execute(
            text(
                "insert into pack_subscription (owner_id, user_id, cadence, format, last_end)"
                " values (:o, :u, :c, :f, :last) on conflict (user_id, cadence, format) do nothing"
            ),
            {
                "o": owner.user_id,
                "u": recipient_id,
                "c": cadence,
                "f": format,
                "last": last_complete(cadence, now).end,
            },
        ).rowcount
        if not made:
            raise InvalidSubscription("email", "They get that one already.")
        details = {"user": email, "cadence": cadence, "format": format}
        audit.record(connection, owner.email, "export.subscribe", str(recipient_id), details)


def unsubscribe(engine: Engine, viewer: Viewer, id: int) -> bool:
    """Ends one that the person made or receives."""
    with engine.begin() as connection:
        gone = connection.execute(
            text("delete from pack_subscription where id = :id and :u in (owner_id, user_id)"),
            {"id": id, "u": viewer.user_id},
        ).rowcount
        if gone:
            audit.record(connection, viewer.email, "export.unsubscribe", str(id), {})
    return bool(gone)


def subscriptions_of(engine: Engine, viewer: Viewer) -> list[Subscription]:
    """Subscriptions that the person made or receives."""
    query = text(
        "select s.id, u.email, s.cadence, s.format, s.last_end, s.reason, s.user_id = :u"
        " from pack_subscription s join app_user u on u.id = s.user_id"
        " where :u in (s.owner_id, s.user_id) order by u.email, s.cadence, s.format"
    )
    with engine.connect() as connection:
        return [Subscription(*row) for row in connection.execute(query, {"u": viewer.user_id})]


def queue_due(database: Database, settings: Settings) -> int:
    """Queues the packs that are due, each once however many processes ask; how many."""
    now, queued, engine = settings.now(), 0, database.job
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select s.id, s.cadence, s.format, s.last_end, u.id as user_id, u.email, u.name"
                " from pack_subscription s join app_user u on u.id = s.user_id"
            )
        ).all()
    for row in rows:
        span = last_complete(row.cadence, now)
        if row.last_end is not None and row.last_end >= span.end:
            continue
        with engine.begin() as connection:
            proof = tickets.issue(connection, row.user_id)
        viewer = Viewer(row.user_id, row.email, row.name, proof)
        try:
            slugs = scope(database, viewer)
        except (NotPlatformAdmin, NotIdentified):
            slugs = ()
        queued += _queue(engine, row.id, row.format, viewer, span, slugs)
    return queued


def _queue(
    engine: Engine, id: int, format: str, viewer: Viewer, span: Span, slugs: tuple[str, ...]
) -> int:
    """The job, under an id that the subscription and the period give; none without a scope."""
    with engine.begin() as connection:
        moved = connection.execute(
            text(
                "update pack_subscription set last_end = :end, reason = :reason"
                " where id = :id and (last_end is null or last_end < :end)"
            ),
            {"end": span.end, "id": id, "reason": None if slugs else NO_ROLE},
        ).rowcount
        if not moved or not slugs:
            return 0
        params = {"start": str(span.start), "end": str(span.end)}
        job = uuid.uuid5(_NAMES, f"{id} {span.end}")
        queue.insert(
            connection, viewer, params, format, slugs, id=job, mailed=True, subscription=id
        )
    return 1
