"""Page of the audit: who did what, to what, when; as a list that can be narrowed, and as CSV."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Engine

from auth.accounts import LONGEST_EMAIL
from exports.files import MEDIA_TYPES
from exports.spreadsheet import csv_pieces
from settings import Settings
from storage import audit, context
from storage.audit.seen import AuditQuestion, SeenEvent, events, every_event
from storage.bounds.statement import TooCostly
from storage.database import Database
from storage.executive.memberships import Membership
from storage.viewer import Viewer
from web.bounds.streams import Downloads, send_file
from web.operation import Operation, Outcome
from web.people.right_to_answer import of_scope
from web.platform.rights import platform_admin
from web.platform.words_of_events import KINDS, in_words

PATH, FILE = "/platform/audit", "/platform/audit.csv"
SHOWN = 50
"""Events on a page."""
PERIODS = {"1": "Last 24 hours", "7": "Last 7 days", "28": "Last 28 days", "90": "Last 90 days",
           "365": "Last 365 days"}  # fmt: skip
COLUMNS = ("at", "actor", "action", "subject", "details")
LONGEST_SECONDS = 60.0
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_EMAIL)]


class AuditQuery(BaseModel):
    """Filter of the events, and the event before which the page begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: Words = Field("", description="Part of the address of who did it")
    kind: Literal[("", *KINDS)] = Field("", description="Kind of the event")  # type: ignore[valid-type]
    workspace: Words = Field("", description="Slug of a workspace")
    days: Literal[tuple(PERIODS)] = Field("28", description="How many days back")  # type: ignore[valid-type]
    before: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,18}$")] = Field(
        "", description="Number of the event before which the page begins"
    )

    @property
    def as_query(self) -> dict[str, str]:
        """The filter as an address carries it."""
        given = self.model_dump(exclude={"before"})
        return {name: value for name, value in given.items() if value}


PAGE = Operation(
    "auditPage",
    "Page of the audit, for platform admins: events of their workspaces, and their own",
    {200: Outcome("The page", "text/html")},
    query=AuditQuery,
    problems=(403, 422),
)
DOWNLOAD = Operation(
    "auditCsv",
    "The events that the page lists, all of them, the newest first",
    {200: Outcome("A header line, then an event a line; instants in UTC", "text/csv")},
    query=AuditQuery,
    problems=(403, 422, 429, 503),
)


def blueprint(
    database: Callable[[], Database], settings: Settings, downloads: Downloads
) -> Blueprint:
    """The page and its file, read as the person: the database decides which events are theirs to see."""
    made = Blueprint("audit", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(query: AuditQuery) -> ResponseReturnValue:
        engine = database().web
        mine = platform_admin(engine, current_user)
        with context.as_viewer(engine, current_user.viewer) as connection:
            listed = events(connection, _question_of(query), SHOWN + 1)
        return render_template("audit.html", **_page_values(query, listed, mine, settings))

    @made.get(FILE, endpoint="csv")
    @DOWNLOAD
    def download(query: AuditQuery) -> ResponseReturnValue:
        viewer, engine = current_user.viewer, database().web
        mine = platform_admin(engine, current_user)
        right = of_scope(database(), viewer, (m.slug for m in mine))
        with downloads.lend_slot(viewer) as slot:
            pieces = right.over(
                csv_pieces(COLUMNS, map(_row, _events_for_file(engine, viewer, query)))
            )
            file = downloads.spool_in_turn(viewer, pieces)
            answer = send_file(file, slot, MEDIA_TYPES["csv"], right)
        answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return answer

    return made


def _question_of(query: AuditQuery) -> AuditQuestion:
    return AuditQuestion(
        int(query.days),
        query.person or None,
        query.kind or None,
        query.workspace or None,
        int(query.before) if query.before else None,
    )


def _page_values(
    query: AuditQuery, listed: list[SeenEvent], mine: list[Membership], settings: Settings
) -> Mapping[str, Any]:
    """Everything that the page shows."""
    shown = listed[:SHOWN]
    older = {**query.as_query, "before": str(shown[-1].id)} if len(listed) > SHOWN else None
    return {
        "events": [(event, in_words(event)) for event in shown],
        "query": query,
        "kinds": KINDS,
        "periods": PERIODS,
        "slugs": {m.slug: m.name for m in mine},
        "zone": settings.zone,
        "time_zone": settings.zone.key,
        "older": urlencode(older) if older else None,
        "newest": urlencode(query.as_query),
        "is_narrowed": bool(query.person or query.kind or query.workspace),
    }


def _events_for_file(engine: Engine, viewer: Viewer, query: AuditQuery) -> Iterator[SeenEvent]:
    """The events for a file, which is itself an event. Raises TooCostly when there is no end to them."""
    deadline = time.monotonic() + LONGEST_SECONDS
    with context.as_viewer(engine, viewer) as connection:
        audit.record_own(connection, "audit.download", "*", query.as_query)
        for event in every_event(connection, _question_of(query)):
            yield event
            if time.monotonic() > deadline:
                raise TooCostly("The list is too long: choose fewer days or narrow it.")


def _row(event: SeenEvent) -> tuple[object, ...]:
    """Cells of an event."""
    details = json.dumps(event.details, ensure_ascii=False) if event.details else ""
    return event.at, event.actor, event.action, event.subject, details
