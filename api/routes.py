"""GET /api/v1/platform/executive-dashboard/ and its documentation."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Protocol

import orjson
from flask import Blueprint, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import Ask
from api import openapi
from api.queries import DashboardQuery
from reading.encode import dashboard_json
from storage.viewer import Viewer
from web.operation import Json, Operation, Outcome
from web.server.collector import without_collector

PATH = "/api/v1/platform/executive-dashboard/"
DASHBOARD = Operation(
    "executiveDashboard",
    "The executive dashboard",
    {
        200: Outcome(
            "Figures, answers and workspaces, worst first",
            "application/json",
            "Dashboard",
            ("ETag",),
        ),
        304: Outcome("Nothing has changed since the ETag given in If-None-Match"),
    },
    query=DashboardQuery,
    problems=(403, 422),
)
DOCUMENT = Operation(
    "openapi",
    "This document",
    {200: Outcome("OpenAPI 3.1", "application/json", {"type": "object"})},
)


class DashboardReader(Protocol):
    """Reads for any viewer; errors as ``aggregators.read.read``."""

    def version(self, viewer: Viewer, ask: Ask) -> str:
        """The version of the viewer's dashboard, without reading a row of it."""

    def read(self, viewer: Viewer, ask: Ask, domains: tuple[str, ...] = ()) -> Dashboard:
        """Dashboard of the viewer."""


def blueprint(reader: DashboardReader) -> Blueprint:
    """The API's routes."""
    api = Blueprint("api", __name__)
    described = cache(lambda: openapi.document(current_app))

    @api.get(PATH, strict_slashes=False)
    @DASHBOARD
    def executive_dashboard(query: DashboardQuery) -> ResponseReturnValue:
        viewer = g.account.viewer
        if request.if_none_match:
            version = reader.version(viewer, query.ask)
            if has_version(version):
                return versioned_response(version, None)
        dashboard = reader.read(viewer, query.ask, query.domain)
        whole = not dashboard.scope.unavailable
        return versioned_response(
            dashboard.version, encode_dashboard(dashboard, query), tagged=whole
        )

    @api.get("/api/openapi.json", endpoint="openapi")
    @DOCUMENT
    def document() -> ResponseReturnValue:
        return Response(orjson.dumps(described()), mimetype="application/json")

    @api.get("/api/docs")
    def docs() -> ResponseReturnValue:
        return render_template("api_docs.html", document=described())

    return api


def encode_dashboard(dashboard: Dashboard, query: DashboardQuery) -> bytes:
    """The JSON of the contract."""
    with without_collector():
        return orjson.dumps(asked_for(dashboard, query))


def asked_for(dashboard: Dashboard, query: DashboardQuery) -> Json:
    """As much of the dashboard as the query asks for."""
    return dashboard_json(
        dashboard,
        breakdown=query.breakdown,
        full=query.full,
        ranks=query.ranks,
        order=query.rank,
    )


def tag_of(version: str) -> str:
    """The ETag of what is asked for at a version of the data."""
    query = orjson.dumps(sorted(request.args.items(multi=True)))
    return hashlib.sha256(version.encode() + query).hexdigest()[:32]


def has_version(version: str) -> bool:
    """Whether the caller has this version already."""
    return request.if_none_match.contains_weak(tag_of(version))


def versioned_response(version: str, body: bytes | None, *, tagged: bool = True) -> Response:
    """The body, or 304 without one, under the version's ETag; without it where a workspace is missing,
    which it says nothing of."""
    answer = Response(body or b"", mimetype="application/json")
    answer.status_code = 200 if body is not None else 304
    if tagged:
        answer.set_etag(tag_of(version), weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.update(("Cookie", "Authorization"))
    return answer
