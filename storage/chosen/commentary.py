"""Commentary on pages of the pack: of what a person exports themselves, or of a pack that they scheduled.

It is written before the export and kept with the job, so that a pack says what its author said when it was
asked for, however often a worker begins it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from aggregators.catalogue import COVER, DOMAINS
from aggregators.vocabulary import fields
from storage import audit
from storage.viewer import Viewer

PAGES = {COVER: "Cover"} | {domain.key: domain.title for domain in DOMAINS}
"""Pages that take commentary, by key."""
LONGEST = 600
OWN = 0
"""Number that stands for what a person exports themselves, beside those of scheduled packs."""
NAME = "commentary"
"""Parameter of a job."""


class RefusedCommentary(ValueError):
    """Commentary that is too long, of no page, or of a pack of somebody else: ``field`` says which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class WrittenCommentary:
    """Commentary as its author sees it."""

    subscription: int
    page: str
    text: str
    written_at: datetime


EVERY = text("""
select subscription_id, page, text, written_at from commentary where user_id = :u
order by subscription_id, page
""")
KEPT = text("""
select c.page, c.text, u.email, c.written_at from commentary c join app_user u on u.id = c.user_id
where c.subscription_id = :s and (c.subscription_id <> 0 or c.user_id = :u)
""")
MINE = text("select exists (select from pack_subscription where id = :s and owner_id = :u)")
WRITE = text("""
insert into commentary (user_id, subscription_id, page, text) values (:u, :s, :page, :text)
on conflict (user_id, subscription_id, page) do update set text = excluded.text, written_at = now()
""")
REMOVE = text("delete from commentary where user_id = :u and subscription_id = :s and page = :page")


def written_by(engine: Engine, viewer: Viewer) -> list[WrittenCommentary]:
    """Commentary that a person has written."""
    with engine.connect() as connection:
        rows = connection.execute(EVERY, {"u": viewer.user_id})
        return [WrittenCommentary(*row) for row in rows]


def write(engine: Engine, viewer: Viewer, subscription: int, page: str, typed: str) -> None:
    """Writes commentary on a page, or takes it away (an empty text). Raises RefusedCommentary."""
    if page not in PAGES:
        raise RefusedCommentary("page", "Choose a page of the pack.")
    comment = " ".join(typed.split())
    try:
        fields.text(LONGEST)(comment)
    except ValueError as error:
        raise RefusedCommentary("text", f"The text {error}.") from error
    values = {"u": viewer.user_id, "s": subscription, "page": page, "text": comment}
    with engine.begin() as connection:
        if subscription != OWN and not connection.execute(MINE, values).scalar():
            raise RefusedCommentary("pack", "Choose one of the packs that you scheduled.")
        connection.execute(WRITE if comment else REMOVE, values)
        details = {
            "page": page,
            "pack": subscription or "own exports",
            "text": comment or "taken away",
        }
        audit.record(connection, viewer.email, "export.comment", viewer.email, details)


def kept_commentary(
    connection: Connection, viewer: Viewer, subscription: int = OWN
) -> Mapping[str, Any]:
    """Parameter of a new job with the commentary that stands; empty where nobody has written any."""
    rows = connection.execute(KEPT, {"u": viewer.user_id, "s": subscription}).all()
    comments = {
        page: {"text": comment, "by": email, "on": at.date().isoformat()}
        for page, comment, email, at in rows
    }
    return {NAME: comments} if comments else {}
