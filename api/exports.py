"""Exports over HTTP: asked for by POST, made by a worker, fetched by id."""

from __future__ import annotations

import io
import uuid
from typing import Literal

from flask import Blueprint, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from api import export_page
from api.export_desk import Desk, as_requested
from api.queries import ExportRequest
from exports import downloads, queue
from exports.files import MEDIA_TYPES
from exports.queue import Job
from reading.dashboard import NotPlatformAdmin, scope
from storage.tables import EXPORT_STATES
from web.bounds.streams import send_file
from web.operation import Operation, Outcome
from web.people.right_to_answer import of_scope
from web.problem import Problem

MOST_WAITED = 0.8
"""Seconds that a request waits for its export: a thread that waits serves nobody else."""


class ExportState(BaseModel):
    """State of an export."""

    id: uuid.UUID
    state: Literal[EXPORT_STATES]  # type: ignore[valid-type]
    format: str = Field(json_schema_extra={"enum": list(MEDIA_TYPES)})
    progress: int = Field(description="Steps that are done")
    steps: int = Field(description="Steps in all; 0 until a worker has begun")
    href: str = Field(description="Where the file is fetched")
    filename: str | None
    size: int | None = Field(description="Bytes")
    error: str | None
    mails_after_seconds: int = Field(description="Whoever waits longer is sent a mail")


STATE = Outcome("State of the export", "application/json", ExportState)
BACK = Outcome("Done; the page of exports shows it", headers=("Location",))
CREATE = Operation(
    "createExport",
    "Ask for an export of the dashboard",
    {
        201: Outcome("Made; fetch it at Location", "application/json", ExportState, ("Location",)),
        202: Outcome(
            "On its way, or `Prefer: respond-async` was sent; Location tells how far it is",
            "application/json",
            ExportState,
            ("Location",),
        ),
        303: Outcome("Asked for by the form of the page", headers=("Location",)),
    },
    body=ExportRequest,
    form=export_page.ExportForm,
    problems=(422, 429),
)
READ_STATE = Operation("exportState", "Progress of an export", {200: STATE}, problems=(404,))
DOWNLOAD = Operation(
    "downloadExport",
    "File of an export; its owner alone, while every workspace in it is in their scope",
    {
        200: Outcome(
            "The file", "\n".join(MEDIA_TYPES.values()), {"type": "string", "format": "binary"}
        )
    },
    problems=(403, 404, 429),
)
ACT = Operation(
    "actOnExport",
    "Cancel an export, delete its file, or ask for it again",
    {303: BACK},
    path={"action": {"type": "string", "enum": ["cancel", "delete", "again"]}},
    problems=(404, 429),
)


def blueprint(desk: Desk) -> Blueprint:
    """Routes below /exports: asking, each export, the page of them, and the schedule."""
    made = Blueprint("exports", __name__)
    _add_create_route(made, desk)
    _add_job_routes(made, desk)
    _add_action_route(made, desk)
    export_page.add(made, desk)
    return made


def _add_create_route(made: Blueprint, desk: Desk) -> None:
    """Adds the route that asks for an export."""
    seconds = desk.settings.export_sync_seconds
    patience = min(float(seconds), MOST_WAITED)

    @made.post("/exports")
    @CREATE
    def create(body: ExportRequest | None) -> ResponseReturnValue:
        viewer = g.account.viewer
        if body is None:
            return export_page.ask(desk, viewer)
        id = desk.ask(viewer, body)
        at_once = "respond-async" in request.headers.get("Prefer", "")
        return _export_response(desk.wait_for_job(viewer, id, 0 if at_once else patience), seconds)


def _export_response(job: Job, mails_after: int) -> ResponseReturnValue:
    """Answer about an export: made, under way, or why it failed as a Problem."""
    if job.state == "failed":
        raise Problem(500, job.error or "The export failed.", "export_failed")
    href = f"/exports/{job.id}"
    if job.state == "ready":
        return jsonify(_json(job, mails_after)), 201, {"Location": href}
    return jsonify(_json(job, mails_after)), 202, {"Location": f"{href}/state"}


def _json(job: Job, mails_after: int) -> dict[str, object]:
    return {
        "id": str(job.id),
        "state": job.state,
        "format": job.format,
        "progress": job.progress,
        "steps": job.steps,
        "href": f"/exports/{job.id}",
        "filename": job.params.get("filename"),
        "size": job.size,
        "error": job.error,
        "mails_after_seconds": mails_after,
    }


def _add_job_routes(made: Blueprint, desk: Desk) -> None:
    """Adds the routes of a single export: its state and its download."""

    @made.get("/exports/<uuid:id>/state")
    @READ_STATE
    def state(id: uuid.UUID) -> ResponseReturnValue:
        return jsonify(_json(desk.own_job(g.account.viewer, id), desk.settings.export_sync_seconds))

    @made.get("/exports/<uuid:id>")
    @DOWNLOAD
    def download(id: uuid.UUID) -> ResponseReturnValue:
        viewer = g.account.viewer
        try:
            workspaces = scope(desk.database(), viewer)
        except NotPlatformAdmin:  # who lost the role is told so, unless the export is not theirs
            workspaces = ()
        folder = desk.settings.data_dir / "exports"
        with desk.downloads.lend_slot(viewer) as slot:
            file = downloads.fetch(desk.engine, folder, viewer, id, workspaces)
            right = of_scope(desk.database(), viewer, file.scope)
            answer = send_file(io.BytesIO(file.data), slot, MEDIA_TYPES[file.format], right)
        answer.headers["Content-Disposition"] = f'attachment; filename="{file.filename}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _add_action_route(made: Blueprint, desk: Desk) -> None:
    """Adds the route that cancels, deletes or repeats an export."""

    @made.post("/exports/<uuid:id>/<action>")
    @ACT
    def act(id: uuid.UUID, action: str) -> ResponseReturnValue:
        viewer = g.account.viewer
        job = desk.own_job(viewer, id)
        match action:
            case "cancel":
                queue.cancel(desk.engine, viewer, id)
            case "delete":
                queue.expire(desk.engine, viewer, id)
            case "again":
                desk.ask(viewer, as_requested(job))
            case _:
                raise Problem(404)
        return redirect("/exports", 303)
