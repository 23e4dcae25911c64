"""Page of one delivery: what became of it, the records that it told, and what lies in quarantine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine

from ingest.door import deliveries
from ingest.door.told_records import records_of
from settings import Settings
from storage.database import Database
from web.desk.page import record_href
from web.desk.rights import keeper
from web.members import WORKSPACE
from web.operation import Json, Operation, Outcome

PATH = "/ws/<slug>/deliveries/<uuid:delivery>"
SHOWN = 200
"""Records that the page names; all are counted."""
ONE: Mapping[str, Json] = {**WORKSPACE, "delivery": {"type": "string", "format": "uuid"}}
PAGE = Operation(
    "deliveryPage",
    "Page of a delivery: what became of it, and of which records it told something",
    {200: Outcome("The page", "text/html")},
    path=ONE,
    problems=(403, 404),
)


def blueprint(
    engine: Callable[[], Engine], database: Callable[[], Database], settings: Settings
) -> Blueprint:
    """The page, for those who look after the workspace's records."""
    made = Blueprint("delivery_page", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(slug: str, delivery: UUID) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        state = deliveries.find_delivery(database(), mine.workspace_id, delivery)
        total, records = records_of(database(), mine.workspace_id, delivery, SHOWN)
        return render_template(
            "delivery.html",
            workspace=mine,
            zone=settings.zone,
            delivery=state,
            parts=state["quarantine"],
            total=total,
            told=records,
            href=record_href,
        )

    return made
