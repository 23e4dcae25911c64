"""Exports over HTTP: asked for by POST, made by a worker, fetched by id; and the page of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Engine

from aggregators import words
from aggregators.period import PRESETS, Ask, InvalidPeriod, Span
from aggregators.read import NotPlatformAdmin, scope
from api.problem import Problem, json_body
from api.routes import invalid
from auth.viewer import Viewer
from exports import jobs, queue, schedule
from exports.queue import Job
from exports.runner import Runner
from exports.worker import TYPES
from settings import Settings
from storage.database import Database
from storage.models import CADENCES

FIELDS = ("period", "start", "end", "format")
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Desk:
    """Where exports are asked for and handed out."""

    database: Callable[[], Database]
    settings: Settings
    runner: Runner

    @property
    def engine(self) -> Engine:
        """The web role's."""
        return self.database().web


def blueprint(desk: Desk) -> Blueprint:
    """/exports: asking, the page, what belongs to one of them, and the schedule."""
    made = Blueprint("exports", __name__)
    _asking(made, desk)
    _each(made, desk)
    _schedule(made, desk)
    return made


def _asking(made: Blueprint, desk: Desk) -> None:
    seconds = desk.settings.export_sync_seconds

    @made.post("/exports")
    def create() -> ResponseReturnValue:
        viewer = g.account.viewer
        if request.form:
            return _from_page(desk, viewer)
        id = _queued(desk, viewer, json_body())
        at_once = "respond-async" in request.headers.get("Prefer", "")
        return _answer(_settled(desk, viewer, id, 0 if at_once else seconds), seconds)

    @made.get("/exports")
    def page() -> ResponseReturnValue:
        viewer = g.account.viewer
        listed = queue.listed(desk.engine, viewer)
        return render_template(
            "exports.html",
            jobs=listed,
            waits=any(job.is_open for job in listed),
            packs=schedule.listed(desk.engine, viewer),
            cadences=CADENCES,
            me=viewer.email,
            said=session.pop("exports_said", {}),
            span=_span,
            presets=PRESETS,
            formats=tuple(TYPES),
            zone=desk.settings.zone,
            token=generate_csrf(),
        )


def _each(made: Blueprint, desk: Desk) -> None:
    @made.post("/exports/<uuid:id>/<action>")
    def act(id: uuid.UUID, action: str) -> ResponseReturnValue:
        viewer = g.account.viewer
        job = _own(desk, viewer, id)
        match action:
            case "cancel":
                queue.cancel(desk.engine, viewer, id)
            case "delete":
                queue.expire(desk.engine, viewer, id)
            case "again":
                _queued(desk, viewer, _as_asked(job))
            case _:
                raise Problem(404)
        return redirect("/exports", 303)

    @made.get("/exports/<uuid:id>/state")
    def state(id: uuid.UUID) -> ResponseReturnValue:
        job = _own(desk, g.account.viewer, id)
        return jsonify(_json(job, desk.settings.export_sync_seconds))

    @made.get("/exports/<uuid:id>")
    def download(id: uuid.UUID) -> ResponseReturnValue:
        viewer = g.account.viewer
        try:
            now = scope(desk.database(), viewer)
        except NotPlatformAdmin:
            now = ()
        try:
            found = jobs.fetch(desk.engine, desk.settings.data_dir / "exports", viewer, id, now)
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


def _schedule(made: Blueprint, desk: Desk) -> None:
    @made.post("/exports/schedule")
    def subscribe() -> ResponseReturnValue:
        viewer = g.account.viewer
        scope(desk.database(), viewer)  # raises where they are platform admin of nothing
        email, cadence, form = (request.form.get(n, "") for n in ("email", "cadence", "format"))
        try:
            schedule.subscribe(desk.engine, viewer, email, cadence, form, desk.settings.now())
        except (schedule.Wrong, queue.TooMany) as error:
            _say("schedule", str(error), {"email": email, "cadence": cadence, "format": form})
        return redirect("/exports", 303)

    @made.post("/exports/schedule/<int:number>/remove")
    def unsubscribe(number: int) -> ResponseReturnValue:
        if number >= 2**63 or not schedule.unsubscribe(desk.engine, g.account.viewer, number):
            raise Problem(404)
        return redirect("/exports", 303)


def _from_page(desk: Desk, viewer: Viewer) -> ResponseReturnValue:
    """Asks for what the page's form says; dates go before the list of periods."""
    asked = {k: v for k, v in request.form.items() if k in FIELDS and v}
    if asked.keys() & {"start", "end"}:
        asked.pop("period", None)
    try:
        _queued(desk, viewer, asked)
    except Problem as wrong:
        _say("export", wrong.detail, asked)
    return redirect("/exports", 303)


def _say(form: str, text: str, typed: dict[str, str]) -> None:
    """What is wrong with a form of the page, said when it is shown again with what was typed."""
    session["exports_said"] = {
        "form": form,
        "text": f"{text[:1].upper()}{text[1:]}",
        "typed": typed,
    }


def _span(job: Job) -> str:
    """The period in words."""
    days = (date.fromisoformat(job.params[name]) for name in ("start", "end"))
    return words.span(Span(*days))


def _queued(desk: Desk, viewer: Viewer, body: object) -> uuid.UUID:
    """The id of a new job for what the body asks, on its way. Raises Problem, NotPlatformAdmin."""
    params, format = _asked(body)
    today = desk.settings.now().date()
    try:
        Ask.parse(*_three(params)).on(today - timedelta(days=1), today)
    except InvalidPeriod as wrong:
        raise invalid(wrong.field, str(wrong)) from wrong
    places = scope(desk.database(), viewer)
    try:
        id = queue.put(desk.engine, viewer, params, format, places)
    except queue.TooMany as error:
        raise Problem(429, str(error)) from error
    desk.runner.wake()
    return id


def _three(params: dict[str, str]) -> tuple[str | None, ...]:
    return tuple(params.get(name) for name in ("period", "start", "end"))


def _as_asked(job: Job) -> dict[str, str]:
    """What a job was asked with; a preset rolls on to today."""
    if "period" in job.params:
        return {"period": job.params["period"], "format": job.format}
    return {"start": job.params["start"], "end": job.params["end"], "format": job.format}


def _settled(desk: Desk, viewer: Viewer, id: uuid.UUID, seconds: float) -> Job:
    """The job when it has ended, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while (job := _own(desk, viewer, id)).is_open and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return job


def _own(desk: Desk, viewer: Viewer, id: uuid.UUID) -> Job:
    job = queue.one(desk.engine, viewer, id)
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
    return {name: str(body[name]) for name in FIELDS[:3] if name in body}, format
