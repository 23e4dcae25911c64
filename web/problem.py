"""Errors as application/problem+json (RFC 9457), each with a code that programs can rely on."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, g

PLATFORM_ADMIN_REQUIRED = "platform_admin_required"
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    410: "Gone",
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
    410: "gone",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_parameter",
    429: "too_many_requests",
    500: "internal_error",
    503: "database_unavailable",
}


class Problem(Exception):
    """An error with its HTTP status, code, and the field that is wrong where there is one. ``methods`` are
    those that an address takes, ``retry_after`` the seconds to wait with 429 and 503."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        code: str = "",
        *,
        methods: tuple[str, ...] = (),
        retry_after: int = 5,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.code, self.more = code or CODES.get(status, "error"), more
        self.headers: dict[str, str] = {}
        if status in (429, 503):
            self.headers["Retry-After"] = str(retry_after)
        if methods:
            self.headers["Allow"] = ", ".join(sorted(methods))


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
    made.headers.update(problem.headers)
    if problem.status == 401:
        made.headers["WWW-Authenticate"] = 'Bearer realm="vigilo"'
    return made


def needs_platform_admin(detail: str = "You need the role platform admin.") -> Problem:
    """Problem of who is no platform admin where one is needed."""
    return Problem(403, detail, PLATFORM_ADMIN_REQUIRED)


def invalid(field: str, why: str) -> Problem:
    """422 that names the parameter; ``why`` goes on after its name."""
    return Problem(422, f"{field} {why}", field=field)
