"""GET /api/v1/platform/executive-dashboard/ and its documentation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

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

PARAMETERS = ("period", "start", "end", "domain", "workspaces", "detail", "limit", "offset")
DETAILS = {None: None, "full": True, "brief": False}
Found = TypeVar("Found")
PATH = "/api/v1/platform/executive-dashboard/"


class Reader(Protocol):
    """Reads for any viewer; errors as ``aggregators.read.read``."""

    def version(self, viewer: Viewer, ask: Ask) -> str:
        """The version of the viewer's dashboard, without reading a row of it."""

    def read(self, viewer: Viewer, ask: Ask, domains: tuple[str, ...] = ()) -> Dashboard:
        """The viewer's dashboard."""


def blueprint(reader: Reader) -> Blueprint:
    """The API's routes."""
    api = Blueprint("api", __name__)

    @api.route(PATH, strict_slashes=False)
    def executive_dashboard() -> ResponseReturnValue:
        query, viewer = parameters(), g.account.viewer
        if request.if_none_match:
            version = _asked(lambda: reader.version(viewer, query.ask))
            if unchanged(version):
                return answered(version, None)
        dashboard = _asked(lambda: reader.read(viewer, query.ask, query.domains))
        whole = not dashboard.scope.unavailable
        return answered(dashboard.version, encoded(dashboard, query), tagged=whole)

    @api.route("/api/openapi.json", endpoint="openapi")
    def document() -> ResponseReturnValue:
        return Response(orjson.dumps(openapi.document()), mimetype="application/json")

    @api.route("/api/docs")
    def docs() -> ResponseReturnValue:
        return render_template("api_docs.html", document=openapi.document())

    return api


def encoded(dashboard: Dashboard, query: Query) -> bytes:
    """The JSON of the contract."""
    return orjson.dumps(
        dashboard_json(dashboard, breakdown=query.breakdown, full=query.full, ranks=query.ranks)
    )


def _asked(work: Callable[[], Found]) -> Found:
    """A read whose errors are problems. Raises Problem."""
    try:
        return work()
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


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: a period, domains (all when empty), and how much of the breakdown."""

    ask: Ask
    domains: tuple[str, ...]
    breakdown: bool
    full: bool | None
    ranks: slice


def parameters() -> Query:
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
    detail = request.args.get("detail")
    if detail not in DETAILS:
        raise invalid("detail", "must be full or brief")
    return Query(ask, domains, workspaces == "1", DETAILS[detail], _ranks())


def _ranks() -> slice:
    """Which ranks of each domain; all unless ``limit`` is given."""
    offset, limit = _whole("offset", 0), _whole("limit", 1)
    if limit is None:
        return slice(offset, None)
    return slice(offset or 0, (offset or 0) + limit)


def _whole(name: str, least: int) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) >= least):
        raise invalid(name, f"must be a whole number from {least} to 999999")
    return int(text)


def tag_of(version: str) -> str:
    """The ETag of what is asked for at a version of the data."""
    query = orjson.dumps(sorted(request.args.items(multi=True)))
    return hashlib.sha256(version.encode() + query).hexdigest()[:32]


def unchanged(version: str) -> bool:
    """Whether the caller has this version already."""
    return request.if_none_match.contains_weak(tag_of(version))


def answered(version: str, body: bytes | None, *, tagged: bool = True) -> Response:
    """The body, or 304 without one, under the version's ETag; without it where a workspace is missing,
    which it says nothing of."""
    answer = Response(body or b"", mimetype="application/json")
    answer.status_code = 200 if body is not None else 304
    if tagged:
        answer.set_etag(tag_of(version), weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.update(("Cookie", "Authorization"))
    return answer
