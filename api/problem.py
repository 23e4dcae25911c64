"""Errors as application/problem+json (RFC 9457), each with a code that programs can rely on."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, g, request

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid parameter",
    429: "Too many requests",
    500: "Internal error",
    503: "Database unavailable",
}
CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_parameter",
    429: "too_many_requests",
    500: "internal_error",
    503: "database_unavailable",
}


class Problem(Exception):
    """An error with its HTTP status, code, and the field that is wrong where there is one."""

    def __init__(self, status: int, detail: str = "", code: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.code, self.more = code or CODES.get(status, "error"), more


def response(problem: Problem) -> Response:
    """The problem as a response; nothing of the server's inside is in it."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": g.get("request_id", ""),
        **problem.more,
    }
    made = Response(orjson.dumps(body), problem.status, mimetype="application/problem+json")
    made.headers["Cache-Control"] = "no-store"
    if problem.status == 401:
        made.headers["WWW-Authenticate"] = 'Bearer realm="vigilo"'
    return made


def json_body() -> Any:
    """The request's JSON, None when it is none; absurd nesting included."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None
