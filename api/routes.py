"""GET /api/v1/platform/executive-dashboard/ and its documentation."""

from __future__ import annotations

import hashlib
from typing import Protocol

import orjson
from flask import Blueprint, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from aggregators.domains import DOMAINS
from aggregators.figures import Dashboard
from aggregators.period import Ask, InvalidPeriod
from aggregators.read import NotPlatformAdmin
from api import openapi
from api.encode import dashboard_json
from api.problem import Problem
from auth.viewer import Viewer

PARAMETERS = ("period", "start", "end", "domain", "workspaces")
PATH = "/api/v1/platform/executive-dashboard/"


class Reader(Protocol):
    """Reads for any viewer; as ``aggregators.read.read``."""

    def read(
        self, viewer: Viewer, ask: Ask, domains: tuple[str, ...], breakdown: bool
    ) -> Dashboard:
        """The viewer's dashboard."""


def blueprint(reader: Reader) -> Blueprint:
    """The API's routes."""
    api = Blueprint("api", __name__)

    @api.route(PATH, strict_slashes=False)
    def executive_dashboard() -> ResponseReturnValue:
        ask, domains, breakdown = parameters()
        dashboard = read(reader, g.account.viewer, ask, domains, breakdown)
        return conditional(dashboard, breakdown)

    @api.route("/api/openapi.json", endpoint="openapi")
    def document() -> ResponseReturnValue:
        return Response(orjson.dumps(openapi.document()), mimetype="application/json")

    @api.route("/api/docs")
    def docs() -> ResponseReturnValue:
        return render_template("api_docs.html", document=openapi.document())

    return api


def read(
    reader: Reader, viewer: Viewer, ask: Ask, domains: tuple[str, ...] = (), breakdown: bool = True
) -> Dashboard:
    """A read whose errors are problems. Raises Problem."""
    try:
        return reader.read(viewer, ask, domains, breakdown)
    except InvalidPeriod as wrong:
        raise invalid(wrong.field, str(wrong)) from wrong
    except NotPlatformAdmin as error:
        raise Problem(
            403, "You need the platform_admin role on a workspace.", "platform_admin_required"
        ) from error
    except OperationalError as error:
        raise Problem(503, "The database does not answer.") from error


def invalid(field: str, why: str) -> Problem:
    """422 that names the parameter."""
    return Problem(422, f"{field} {why}", field=field)


def parameters() -> tuple[Ask, tuple[str, ...], bool]:
    """The query, checked. Raises Problem 422 naming what is wrong."""
    for name, values in request.args.lists():
        if name not in PARAMETERS:
            raise invalid(name[:40], f"is not known; there are {', '.join(PARAMETERS)}")
        if len(values) > 1 and name != "domain":
            raise invalid(name, "must be given once")
    try:
        ask = Ask.parse(*(request.args.get(name) for name in ("period", "start", "end")))
    except InvalidPeriod as wrong:
        raise invalid(wrong.field, str(wrong)) from wrong
    known = [d.key for d in DOMAINS]
    domains = tuple(request.args.getlist("domain"))
    if any(key not in known for key in domains):
        raise invalid("domain", f"must be one of {', '.join(known)}")
    workspaces = request.args.get("workspaces", "1")
    if workspaces not in ("0", "1"):
        raise invalid("workspaces", "must be 0 or 1")
    return ask, domains, workspaces == "1"


def conditional(dashboard: Dashboard, breakdown: bool) -> Response:
    """The body, or 304 when the caller has this version already."""
    query = orjson.dumps(sorted(request.args.items(multi=True)))
    tag = hashlib.sha256(dashboard.version.encode() + query).hexdigest()[:32]
    answer = Response(mimetype="application/json")
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.update(("Cookie", "Authorization"))
    if request.if_none_match.contains_weak(tag):
        answer.status_code = 304
        return answer
    answer.data = orjson.dumps(dashboard_json(dashboard, breakdown=breakdown))
    return answer
