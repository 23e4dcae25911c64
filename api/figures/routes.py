"""GET of what a person may see, as JSON: workspaces, figures, records, answers and definitions."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from api.figures import payloads
from api.queries import KEYS, PeriodQuery, RecordsPageQuery
from web.members import WORKSPACE
from web.operation import Json, Operation, Outcome
from web.services import Services

DOMAIN = {**WORKSPACE, "key": {"type": "string", "enum": list(KEYS)}}


def _figures_operation(id: str, summary: str, schema: str, **more: object) -> Operation:
    """Declaration of a route whose answer has the schema of that name."""
    outcome = Outcome(summary, "application/json", schema)
    return Operation(id, summary, {200: outcome}, **more)  # type: ignore[arg-type]


WORKSPACES = _figures_operation(
    "listWorkspaces", "Your workspaces and your role in each", "Workspaces"
)
DEFINITIONS = _figures_operation(
    "listDefinitions", "Measures as they are counted, and the thresholds in force", "Definitions"
)
FIGURES = _figures_operation(
    "workspaceFigures",
    "Figures of a domain in one of your workspaces",
    "WorkspaceFigures",
    query=PeriodQuery,
    path=DOMAIN,
    problems=(404, 422),
)
RECORDS = _figures_operation(
    "workspaceRecords",
    "A page of the records behind a domain's figures; the audit notes who read them",
    "Records",
    query=RecordsPageQuery,
    path=DOMAIN,
    problems=(404, 422),
)
WHY = _figures_operation(
    "why",
    "An answer of the dashboard: its figure, its definition, the first records behind it",
    "Why",
    query=PeriodQuery,
    path={"key": {"type": "string", "maxLength": 60}},
    problems=(403, 404, 422),
)


def blueprint(services: Services) -> Blueprint:
    """The five routes."""
    made = Blueprint("figures", __name__)

    @made.get("/api/v1/workspaces/", endpoint="workspaces", strict_slashes=False)
    @WORKSPACES
    def workspaces() -> ResponseReturnValue:
        return _json_response(payloads.workspaces(services))

    @made.get("/api/v1/definitions/", endpoint="definitions", strict_slashes=False)
    @DEFINITIONS
    def definitions() -> ResponseReturnValue:
        return _json_response(payloads.definitions(services))

    @made.get("/api/v1/ws/<slug>/domains/<key>/", endpoint="workspace", strict_slashes=False)
    @FIGURES
    def workspace(slug: str, key: str, query: PeriodQuery) -> ResponseReturnValue:
        return _json_response(payloads.workspace(services, slug, key, query))

    @made.get("/api/v1/ws/<slug>/domains/<key>/records", endpoint="records")
    @RECORDS
    def records(slug: str, key: str, query: RecordsPageQuery) -> ResponseReturnValue:
        return _json_response(payloads.records(services, slug, key, query))

    @made.get("/api/v1/platform/answers/<key>/", endpoint="why", strict_slashes=False)
    @WHY
    def why(key: str, query: PeriodQuery) -> ResponseReturnValue:
        return _json_response(payloads.why(services, key, query))

    return made


def _json_response(body: Json) -> Response:
    """The answer with a body as JSON."""
    return Response(orjson.dumps(body), mimetype="application/json")
