"""Deliveries over the API: what came, what became of it, its body, and reading it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from ingest.door import deliveries, quarantine, senders
from ingest.importer import workspace_id
from storage.database import Database
from web.desk.rights import keeper
from web.members import WORKSPACE
from web.operation import Json, Operation, Outcome
from web.problem import Problem


class Page(BaseModel):
    """Part of a list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(50, ge=1, le=200, description="How many, at most")
    offset: int = Field(0, ge=0, le=1_000_000, description="How many of the newest to pass over")


class QuarantinedPart(BaseModel):
    """A part of a delivery that could not be read."""

    id: str
    delivery: str
    format: str
    kind: str
    pointer: str = Field(description="A JSON pointer, an XPath or a line")
    field: str
    reason: str
    record: str


class RefusedRow(BaseModel):
    """A row of an imported file that could not be read."""

    pointer: str = Field(description="A line, a JSON pointer or an XPath")
    field: str
    reason: str
    record: str


class DeliverySummary(BaseModel):
    """A delivery, and what became of its records."""

    delivery: str
    format: str
    source: str = Field(
        description="Whose token or secret opened the door; of a file its name, kind and who imported it"
    )
    state: str = Field(description="waiting, folded, quarantined or dropped")
    received_at: str
    is_kept: bool = Field(description="Whether its body is still there")
    read: int = Field(0, description="Records in the delivery")
    written: int = Field(0, description="Told something new")
    unchanged: int = Field(0, description="Known already, and the same")
    quarantined: int = 0
    notes: list[str] = Field(
        [], description="Sentences about what was lost or left out; at most 50"
    )
    in_no_figure: dict[str, int] = Field(
        {}, description="Records that count in no figure, by reason"
    )


class DeliveryState(DeliverySummary):
    """A delivery with its parts in quarantine, or an imported file with its rows that were refused."""

    quarantine: list[QuarantinedPart]
    refused: list[RefusedRow] = Field(description="At most 100; import the mended file again")


class DeliveryList(BaseModel):
    """Deliveries, newest first."""

    total: int
    deliveries: list[DeliverySummary]


ONE: Mapping[str, Json] = {**WORKSPACE, "delivery": {"type": "string", "format": "uuid"}}
LIST = Operation(
    "deliveries",
    "Deliveries of a workspace, newest first",
    {200: Outcome("Some of them, and how many there are", "application/json", DeliveryList)},
    query=Page,
    path=WORKSPACE,
    problems=(401, 403, 404),
    security=("token", "session"),
)
BECAME = Operation(
    "delivery",
    "What became of a delivery",
    {200: Outcome("The delivery", "application/json", DeliveryState)},
    path=ONE,
    problems=(401, 403, 404),
    security=("token", "session"),
)
CONTENT = Operation(
    "deliveryContent",
    "Body of a delivery, as it came",
    {200: Outcome("The bytes", "application/octet-stream")},
    path=ONE,
    problems=(403, 404),
)
REPLAY = Operation(
    "replayDelivery",
    "Read a delivery again, after a mapping or an upgrade",
    {200: Outcome("What became of it", "application/json", DeliveryState)},
    path=ONE,
    problems=(403, 404, 410),
)
PATH = "/api/v1/ws/<slug>/deliveries/"


def blueprint(engine: Callable[[], Engine], database: Callable[[], Database]) -> Blueprint:
    """Reading is for holders of an ingest token of the workspace as well; the rest for its keepers."""
    made = Blueprint("deliveries", __name__)

    @made.get(PATH, endpoint="each")
    @LIST
    def list_deliveries(slug: str, query: Page) -> ResponseReturnValue:
        workspace = _readable(engine(), database(), slug)
        total, some = deliveries.list_deliveries(database(), workspace, query.limit, query.offset)
        return jsonify(total=total, deliveries=some)

    @made.get(PATH + "<uuid:delivery>", endpoint="one")
    @BECAME
    def show_delivery(slug: str, delivery: UUID) -> ResponseReturnValue:
        workspace = _readable(engine(), database(), slug)
        return jsonify(deliveries.find_delivery(database(), workspace, delivery))

    @made.get(PATH + "<uuid:delivery>/content", endpoint="content")
    @CONTENT
    def content(slug: str, delivery: UUID) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        body, _ = deliveries.content_of(database(), mine.workspace_id, delivery)
        answer = Response(body, mimetype="application/octet-stream")
        answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-{delivery}"'
        return answer

    @made.post(PATH + "<uuid:delivery>/replay", endpoint="replay")
    @REPLAY
    def replay(slug: str, delivery: UUID) -> ResponseReturnValue:
        mine = keeper(engine(), current_user, slug)
        workspace = (mine.workspace_id, slug)
        again = quarantine.replay(database(), workspace, delivery, current_user.email)
        return jsonify(deliveries.find_delivery(database(), mine.workspace_id, again))

    return made


def _readable(engine: Engine, database: Database, slug: str) -> int:
    """Id of a workspace whose deliveries the caller may see. Raises Problem."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if senders.by_token(database.job, token.strip(), slug) is None:
            raise Problem(401, "The token is none for this workspace.")
        return workspace_id(database, slug)
    if not current_user.is_authenticated:
        raise Problem(401, "Sign in, or send a token for this workspace.")
    return keeper(engine, current_user, slug).workspace_id
