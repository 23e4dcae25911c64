"""Annotations over the API: listed, made, changed and withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import orjson
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from aggregators.chosen.annotations import LONGEST, WrittenNote
from aggregators.chosen.known import WrongSettingValue
from ingest.desk import annotating
from ingest.desk.annotating import NoSuchAnnotation
from reading.encode import annotation_json
from settings import Settings
from storage.database import Database
from web.chosen.annotation_rights import AnnotationRights
from web.operation import Json, Operation, Outcome
from web.problem import Problem, invalid

PATH = "/api/v1/platform/annotations/"
ONE = PATH + "<uuid:annotation>"
ID: dict[str, Json] = {"annotation": {"type": "string", "format": "uuid"}}
NOTE = {"$ref": "#/components/schemas/Annotation"}


class AnnotationRequest(BaseModel):
    """A note on days."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=LONGEST)
    first_day: date
    last_day: date | None = Field(None, description="null: the first day alone")
    about: str = Field(
        "", max_length=80, description="a domain or domain.measure; empty: everything"
    )
    workspace: str | None = Field(None, max_length=40, description="null: the organisation")

    def note(self) -> WrittenNote:
        """Note as it was written, checked. Raises Problem 422 naming the field."""
        try:
            last = self.last_day.isoformat() if self.last_day else ""
            return WrittenNote.of(self.text, self.first_day.isoformat(), last, self.about)
        except WrongSettingValue as error:
            raise invalid(error.field, error.reason) from error


class WithdrawRequest(BaseModel):
    """Workspace whose annotation is withdrawn."""

    model_config = ConfigDict(extra="forbid")
    workspace: str | None = Field(None, max_length=40, description="null: the organisation")


EACH = Operation(
    "annotations",
    "Annotations of your workspaces and of the organisation, the newest days first",
    {
        200: Outcome(
            "They, as they stand",
            "application/json",
            {"type": "object", "properties": {"annotations": {"type": "array", "items": NOTE}}},
        )
    },
    problems=(403,),
)
ADD = Operation(
    "addAnnotation",
    "Note something on days",
    {201: Outcome("Its id", "application/json", {"type": "object"})},
    body=AnnotationRequest,
    problems=(403, 404, 422),
)
EDIT = Operation(
    "editAnnotation",
    "Change an annotation",
    {204: Outcome("It is changed")},
    path=ID,
    body=AnnotationRequest,
    problems=(403, 404, 422),
)
WITHDRAW = Operation(
    "withdrawAnnotation",
    "Withdraw an annotation",
    {204: Outcome("It is withdrawn")},
    path=ID,
    body=WithdrawRequest,
    problems=(403, 404, 422),
)


def blueprint(
    engine: Callable[[], Engine], database: Callable[[], Database], _settings: Settings
) -> Blueprint:
    """The routes."""
    made = Blueprint("annotations_api", __name__)

    def rights() -> AnnotationRights:
        return AnnotationRights.of(engine(), database(), current_user)

    @made.get(PATH, endpoint="each")
    @EACH
    def list_annotations() -> ResponseReturnValue:
        listed = rights().annotations(engine(), current_user)
        answer = {"annotations": [annotation_json(note) for note in listed]}
        return Response(orjson.dumps(answer), mimetype="application/json")

    @made.post(PATH, endpoint="add")
    @ADD
    def add(body: AnnotationRequest) -> ResponseReturnValue:
        workspace = rights().workspace_to_write(body.workspace)
        id = annotating.add(database(), workspace, body.note(), current_user.email)
        return Response(orjson.dumps({"id": str(id)}), 201, mimetype="application/json")

    @made.put(ONE, endpoint="edit")
    @EDIT
    def edit(annotation: UUID, body: AnnotationRequest) -> ResponseReturnValue:
        workspace, note = rights().workspace_to_write(body.workspace), body.note()
        _or_404(
            lambda: annotating.edit(database(), workspace, annotation, note, current_user.email)
        )
        return Response(status=204)

    @made.delete(ONE, endpoint="withdraw")
    @WITHDRAW
    def withdraw(annotation: UUID, body: WithdrawRequest) -> ResponseReturnValue:
        workspace = rights().workspace_to_write(body.workspace)
        _or_404(lambda: annotating.withdraw(database(), workspace, annotation, current_user.email))
        return Response(status=204)

    return made


def _or_404(change: Callable[[], None]) -> None:
    """Makes a change. Raises Problem 404 where there is no such annotation."""
    try:
        change()
    except NoSuchAnnotation as error:
        raise Problem(404, str(error)) from error
