"""The board pack over HTTP: made by POST, fetched by its id."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Response, g, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from aggregators.period import Ask, InvalidPeriod
from api.problem import Problem, json_body
from api.routes import Reader, invalid, read
from exports import jobs
from settings import Settings

FIELDS = ("period", "start", "end")


def blueprint(reader: Reader, engine: Callable[[], Engine], settings: Settings) -> Blueprint:
    """POST /exports and GET /exports/<id>."""
    made = Blueprint("exports", __name__)
    folder: Path = settings.data_dir / "exports"

    @made.post("/exports")
    def create() -> ResponseReturnValue:
        viewer = g.account.viewer
        dashboard = read(reader, viewer, _ask(json_body()))
        pack = jobs.make(engine(), folder, viewer, dashboard, settings.now())
        href = f"/exports/{pack.id}"
        return jsonify(id=pack.id, href=href, filename=pack.filename), 201, {"Location": href}

    @made.get("/exports/<uuid:id>")
    def download(id: uuid.UUID) -> ResponseReturnValue:
        viewer = g.account.viewer
        scope = _scope(reader, viewer)
        try:
            pack = jobs.fetch(engine(), folder, viewer, id, scope)
        except jobs.NotYours as error:
            raise Problem(404) from error
        except jobs.OutOfScope as error:
            raise Problem(
                403, "You no longer see every workspace in it.", "platform_admin_required"
            ) from error
        answer = Response(pack.data, mimetype="application/pdf")
        answer.headers["Content-Disposition"] = f'attachment; filename="{pack.filename}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return made


def _ask(body: object) -> Ask:
    """The period of a request's body. Raises Problem 422."""
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    for name, value in body.items():
        if name not in FIELDS:
            raise invalid(str(name)[:40], f"is not known; there are {', '.join(FIELDS)}")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise invalid(name, "must be text")
    try:
        return Ask.parse(*(str(body[n]) if n in body else None for n in FIELDS))
    except InvalidPeriod as wrong:
        raise invalid(wrong.field, str(wrong)) from wrong


def _scope(reader: Reader, viewer: object) -> tuple[str, ...]:
    """The caller's scope as it is now; nothing when the role is gone."""
    try:
        return read(reader, viewer, Ask(7), ("dora",), False).scope.slugs  # type: ignore[arg-type]
    except Problem as problem:
        if problem.code == "platform_admin_required":
            return ()
        raise
