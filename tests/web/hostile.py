"""Requests as no browser sends them, and how each of them is refused."""

from __future__ import annotations

from flask.testing import FlaskClient

DIGITS = "9" * 5000
MEMBERS = "/ws/alpha/admin/members"
NO_TEXT = (400, 422)


def get(client: FlaskClient, path: str, query: str = "", **environ):
    """A request whose path and query reach the application as they are written."""
    raw = {"PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": path, **environ}
    return client.get("/", environ_overrides=raw)


def refused(answer, field=None) -> None:
    """A problem of the client's, named."""
    assert answer.status_code in NO_TEXT, (answer.status_code, answer.text[:200])
    assert answer.content_type == "application/problem+json"
    assert answer.json["request_id"]
    if field is not None:
        assert answer.json["field"] == field
