"""Exports over HTTP: asked for by POST, made by a worker, fetched by id; and the page of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Engine

from aggregators import words
from aggregators.period import PRESETS, Ask, InvalidPeriod, Span
from api.problem import Problem, json_body
from api.routes import Reader, invalid, read
from auth.viewer import Viewer
from exports import jobs, queue, schedule
from exports.queue import Job
from exports.runner import Runner
from exports.worker import TYPES
from settings import Settings
from storage.models import CADENCES

FIELDS = ("period", "start", "end", "format")
LOOK_SECONDS = 0.05


def blueprint(
    reader: Reader, engine: Callable[[], Engine], settings: Settings, runner: Runner
) -> Blueprint:
    """POST and GET /exports, and what belongs to one of them."""
    made = Blueprint("exports", __name__)
    folder: Path = settings.data_dir / "exports"

    @made.post("/exports")
    def create() -> ResponseReturnValue:
        viewer = g.account.viewer
        asked = {k: v for k, v in request.form.items() if k in FIELDS} or json_body()
        id = _queued(reader, engine(), viewer, asked)
        runner.wake()
        if request.form:
            return redirect("/exports", 303)
        waits = (
            0
            if "respond-async" in request.headers.get("Prefer", "")
            else settings.export_sync_seconds
        )
        return _answer(_settled(engine(), viewer, id, waits), settings.export_sync_seconds)

    @made.get("/exports")
    def page() -> ResponseReturnValue:
        viewer = g.account.viewer
        return render_template(
            "exports.html",
            jobs=queue.listed(engine(), viewer),
            packs=schedule.listed(engine(), viewer),
            cadences=CADENCES,
            me=viewer.email,
            said=session.pop("exports_said", None),
            span=_span,
            presets=PRESETS,
            formats=tuple(TYPES),
            waits=any(job.is_open for job in queue.listed(engine(), viewer)),
            zone=settings.zone,
            token=generate_csrf(),
        )

    @made.post("/exports/schedule")
    def subscribe() -> ResponseReturnValue:
        viewer, form = g.account.viewer, request.form
        if not _scope(reader, viewer):
            raise Problem(403, "", "platform_admin_required")
        try:
            schedule.subscribe(
                engine(),
                viewer,
                form.get("email", ""),
                form.get("cadence", ""),
                form.get("format", ""),
                settings.now(),
            )
        except (schedule.Wrong, queue.TooMany) as error:
            session["exports_said"] = str(error)
        return redirect("/exports", 303)

    @made.post("/exports/schedule/<int:number>/remove")
    def unsubscribe(number: int) -> ResponseReturnValue:
        if number >= 2**63 or not schedule.unsubscribe(engine(), g.account.viewer, number):
            raise Problem(404)
        return redirect("/exports", 303)

    @made.post("/exports/<uuid:id>/<action>")
    def act(id: uuid.UUID, action: str) -> ResponseReturnValue:
        viewer = g.account.viewer
        job = _own(engine(), viewer, id)
        match action:
            case "cancel":
                queue.cancel(engine(), viewer, id)
            case "delete":
                queue.expire(engine(), viewer, id)
            case "again":
                _queued(reader, engine(), viewer, _as_asked(job))
                runner.wake()
            case _:
                raise Problem(404)
        return redirect("/exports", 303)

    @made.get("/exports/<uuid:id>/state")
    def state(id: uuid.UUID) -> ResponseReturnValue:
        return jsonify(_json(_own(engine(), g.account.viewer, id), settings.export_sync_seconds))

    @made.get("/exports/<uuid:id>")
    def download(id: uuid.UUID) -> ResponseReturnValue:
        viewer = g.account.viewer
        scope = _scope(reader, viewer)
        try:
            found = jobs.fetch(engine(), folder, viewer, id, scope)
        except jobs.NotYours as error:
            raise Problem(404) from error
        except jobs.OutOfScope as error:
            raise Problem(
                403, "You no longer see every workspace in it.", "platform_admin_required"
            ) from error
        answer = Response(found.data, content_type=TYPES[found.format])
        answer.headers["Content-Disposition"] = f'attachment; filename="{found.filename}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return made


def _span(job: Job) -> str:
    """The period in words."""
    days = (date.fromisoformat(job.params[name]) for name in ("start", "end"))
    return words.span(Span(*days))


def _queued(reader: Reader, engine: Engine, viewer: Viewer, body: object) -> uuid.UUID:
    """The id of a new job for what the body asks. Raises Problem."""
    params, format = _asked(body)
    scope = read(reader, viewer, Ask.parse(*_three(params)), ("dora",), False).scope.slugs
    try:
        return queue.put(engine, viewer, params, format, scope)
    except queue.TooMany as error:
        raise Problem(429, str(error)) from error


def _three(params: dict[str, str]) -> tuple[str | None, ...]:
    return tuple(params.get(name) for name in ("period", "start", "end"))


def _as_asked(job: Job) -> dict[str, str]:
    """What a job was asked with; a preset rolls on to today."""
    if "period" in job.params:
        return {"period": job.params["period"], "format": job.format}
    return {"start": job.params["start"], "end": job.params["end"], "format": job.format}


def _settled(engine: Engine, viewer: Viewer, id: uuid.UUID, seconds: float) -> Job:
    """The job when it has ended, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while (job := _own(engine, viewer, id)).is_open and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return job


def _own(engine: Engine, viewer: Viewer, id: uuid.UUID) -> Job:
    job = queue.one(engine, viewer, id)
    if job is None:
        raise Problem(404)
    return job


def _answer(job: Job, mails_after: int) -> ResponseReturnValue:
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


def _asked(body: object) -> tuple[dict[str, str], str]:
    """Period and format of a request's body. Raises Problem 422."""
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    for name, value in body.items():
        if name not in FIELDS:
            raise invalid(str(name)[:40], f"is not known; there are {', '.join(FIELDS)}")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise invalid(name, "must be text")
    format = str(body.get("format", "pdf"))
    if format not in TYPES:
        raise invalid("format", f"takes one of {', '.join(TYPES)}")
    given = {name: str(body[name]) for name in FIELDS[:3] if name in body}
    try:
        Ask.parse(*_three(given))
    except InvalidPeriod as wrong:
        raise invalid(wrong.field, str(wrong)) from wrong
    return given, format


def _scope(reader: Reader, viewer: object) -> tuple[str, ...]:
    """The caller's scope as it is now; nothing when the role is gone."""
    try:
        return read(reader, viewer, Ask(7), ("dora",), False).scope.slugs  # type: ignore[arg-type]
    except Problem as problem:
        if problem.code == "platform_admin_required":
            return ()
        raise
