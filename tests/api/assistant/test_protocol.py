"""Answers to an assistant over ``/mcp``, request by request: to whom, of what, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from api.assistant.routes import A_MINUTE
from api.assistant.tools import TOOLS
from auth import credentials, tokens
from ingest.door import senders
from tests.conftest import empty
from tests.deep import every
from tests.webworld import API, WebWorld, make

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
PEOPLE = ("viewer", "engineer", "approver", "admin", "bob", "alice", "revoked", "dave")
MEMBERS = {"viewer", "engineer", "approver", "admin", "bob", "alice"}
CALLS: Mapping[str, tuple[dict[str, Any], set[str]]] = {
    "workspaces": ({}, set(PEOPLE)),
    "definitions": ({}, set(PEOPLE)),
    "dashboard": ({"period": 28}, {"alice"}),
    "signals": ({}, {"alice"}),
    "why": ({"answer": "worst_change_failure_rate"}, {"alice"}),
    "workspace": ({"workspace": "alpha", "domain": "dora"}, MEMBERS),
    "records": ({"workspace": "alpha", "domain": "incidents", "period": 90}, MEMBERS),
}
SAME = {
    "workspaces": ({}, "/api/v1/workspaces/"),
    "definitions": ({}, "/api/v1/definitions/"),
    "signals": ({}, "/api/v1/platform/signals/"),
    "dashboard": (
        {"period": 7, "domain": ["dora"], "limit": 1, "detail": "full", "rank": "contribution"},
        f"{API}?period=7&domain=dora&limit=1&detail=full&rank=contribution",
    ),
    "workspace": (
        {"workspace": "alpha", "domain": "dora", "start": "2026-11-01", "end": "2026-11-20"},
        "/api/v1/ws/alpha/domains/dora/?start=2026-11-01&end=2026-11-20",
    ),
    "records": (
        {
            "workspace": "alpha", "domain": "dora", "period": 28, "failed": "yes", "limit": 3, "offset": 1,
            "sort": [{"colId": "key", "sort": "asc"}],
        },
        "/api/v1/ws/alpha/domains/dora/records?period=28&failed=yes&limit=3&offset=1"
        '&sort=[{"colId":"key","sort":"asc"}]',
    ),
    "why": (
        {"answer": "worst_change_failure_rate", "period": 28},
        "/api/v1/platform/answers/worst_change_failure_rate/?period=28",
    ),
}  # fmt: skip


class Assistant:
    """A program with a person's token that speaks the protocol by hand."""

    def __init__(self, web: WebWorld, who: str) -> None:
        self.token = tokens.create(web.world.database.job, f"{who}@x.example")
        self.headers = ACCEPT | {"Authorization": f"Bearer {self.token}"}
        self.client: FlaskClient = web.browser()

    def send(self, method: str, params: object = None, **headers: str):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.client.post("/mcp", json=message, headers=self.headers | headers)

    def listed(self):
        """The tools, as they are described."""
        return json.loads(self.send("tools/list").data)["result"]["tools"]

    def call(self, tool: str, arguments: Mapping[str, Any] | None = None):
        """Result of a tool."""
        answer = self.send("tools/call", {"name": tool, "arguments": dict(arguments or {})})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.data)["result"]


@pytest.fixture(scope="module")
def shared(server, settings):
    empty(server)
    made = make(server, settings)
    yield made
    made.app.extensions["vigilo.exports"].stop()


def test_every_tool_is_in_the_tables():
    assert set(CALLS) == set(SAME) == set(TOOLS)


@pytest.mark.parametrize("who", PEOPLE)
def test_each_person_is_told_what_is_theirs_and_nothing_else(shared, who):
    assistant = Assistant(shared, who)
    for tool, (arguments, may) in CALLS.items():
        result = assistant.call(tool, arguments)
        assert result["isError"] == (who not in may), (who, tool, result["structuredContent"])
        if who not in may:
            assert set(result["structuredContent"]) <= {"status", "code", "detail", "field"}


@pytest.mark.parametrize("tool", SAME)
def test_a_tool_answers_as_the_api_does(shared, tool):
    arguments, path = SAME[tool]
    assistant = Assistant(shared, "alice")
    told = assistant.call(tool, arguments)
    headers = {"Authorization": assistant.headers["Authorization"]}
    assert told["structuredContent"] == json.loads(shared.browser().get(path, headers=headers).data)
    assert told["structuredContent"], told


def test_tools_are_listed_as_reading_alone(shared):
    listed = Assistant(shared, "bob").listed()
    assert [tool["name"] for tool in listed] == list(TOOLS)
    assert all(tool["annotations"]["readOnlyHint"] for tool in listed)
    assert all(tool["inputSchema"]["additionalProperties"] is False for tool in listed)


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("dashboard", {"period": 3}, "period"),
        ("dashboard", {"period": True}, "period"),
        ("dashboard", {"limit": 1.5}, "limit"),
        ("dashboard", {"domain": ["nothing"]}, "domain"),
        ("dashboard", {"colour": "red"}, "colour"),
        ("workspace", {"workspace": "alpha"}, "domain"),
        ("workspace", {"workspace": "../x", "domain": "dora"}, "workspace"),
        ("workspace", {"workspace": "alpha", "domain": "dora", "start": "2026-13-01", "end": "x"}, "start"),
        ("records", {"workspace": "alpha", "domain": "dora", "limit": 501}, "limit"),
        ("records", {"workspace": "alpha", "domain": "dora", "failed": "perhaps"}, "failed"),
        ("records", {"workspace": "alpha", "domain": "dora", "nonsense": "1"}, "nonsense"),
        ("records", {"workspace": "alpha", "domain": "dora", "filter": {"x": 1}}, "filter"),
        ("definitions", {"x": 1}, "x"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(shared, tool, arguments, field):
    result = Assistant(shared, "alice").call(tool, arguments)
    assert result["isError"]
    assert (result["structuredContent"]["status"], result["structuredContent"]["field"]) == (
        422,
        field,
    )


def test_more_than_an_assistant_reads_is_refused_with_advice(shared, monkeypatch):
    monkeypatch.setattr("api.assistant.tools.LARGEST", 100)
    result = Assistant(shared, "alice").call("dashboard")
    assert result["structuredContent"]["code"] == "too_large"


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer vgl_nothing"}, {"Authorization": "x"}]
)
def test_without_a_token_it_is_401_and_says_how(shared, headers):
    answer = shared.browser().post("/mcp", json={}, headers=ACCEPT | headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_is_no_token(shared):
    answer = shared.sign_in("alice").post("/mcp", json={}, headers=ACCEPT)
    assert answer.status_code == 401


def test_a_token_that_sends_events_reads_nothing(shared):
    assistant = Assistant(shared, "engineer")
    token = tokens.create(
        shared.world.database.job, "engineer@x.example", scope=senders.scope("alpha")
    )
    assistant.headers["Authorization"] = f"Bearer {token}"
    assert assistant.send("tools/list").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        # The name of an attacker's that leads to this address: Host and Origin agree, and are not ours.
        {"Origin": "http://evil.example", "Host": "evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_others_are_refused(shared, headers):
    answer = Assistant(shared, "alice").send("tools/list", **headers)
    assert (answer.status_code, answer.json["code"]) == (403, "cross_site")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nothing_is_sent_unasked_and_there_is_no_session(shared, method):
    assistant = Assistant(shared, "alice")
    answer = assistant.client.open("/mcp", method=method, headers=assistant.headers)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert "Mcp-Session-Id" not in assistant.send("tools/list").headers


@pytest.mark.parametrize(
    "body",
    every(3, [
        b"", b"{", b"[]", b"[1]", b"null", b'"x"', b"{}", b'{"jsonrpc":"1.0","id":1,"method":"x"}',
        b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\u0000"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///etc/passwd"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}',
        b'{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"jsonrpc":"2.0","id":99999999999999999999999,"method":"tools/list"}',
        b"\xff\xfe",
        b"x" * 70_000,
    ]),
)  # fmt: skip
@pytest.mark.parametrize("version", [None, "2025-06-18", "2026-07-28", "nonsense"])
def test_no_message_is_a_fault_of_ours(shared, body, version):
    assistant = Assistant(shared, "alice")
    headers = assistant.headers | ({"MCP-Protocol-Version": version} if version else {})
    answer = assistant.client.post("/mcp", data=body, headers=headers)
    assert answer.status_code < 500, answer.text
    assert b"Traceback" not in answer.data


@pytest.mark.parametrize("sent", [{"Content-Type": "text/plain"}, {"Accept": "text/html"}])
def test_other_media_types_are_refused(shared, sent):
    assert 400 <= Assistant(shared, "alice").send("tools/list", **sent).status_code < 500


@pytest.fixture
def web(database, settings):
    made = make(database, settings)
    yield made
    made.app.extensions["vigilo.exports"].stop()


def test_a_token_that_was_revoked_is_refused_with_the_next_request(web):
    assistant = Assistant(web, "alice")
    jobs, alice = web.world.database.job, web.people["alice"]
    assert not assistant.call("dashboard")["isError"]
    credentials.revoke_token(jobs, credentials.tokens_of(jobs, alice.user_id)[-1].id, "operator")
    answer = assistant.send("tools/call", {"name": "dashboard", "arguments": {}})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_role_that_was_lost_is_no_longer_told(web):
    assistant = Assistant(web, "bob")
    own = {"workspace": "alpha", "domain": "dora"}
    assert not assistant.call("workspace", own)["isError"]
    with web.world.database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false where slug = 'alpha'"))
    assert assistant.call("workspace", own)["structuredContent"]["code"] == "not_found"


def events(web: WebWorld) -> list[tuple[str, str, str, dict[str, Any]]]:
    with web.world.database.job.connect() as connection:
        query = "select actor, action, subject, details from audit_event order by id"
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_audit_says_whose_assistant_read_records_and_what_was_refused(web):
    assistant = Assistant(web, "bob")
    assistant.call("records", {"workspace": "alpha", "domain": "dora", "failed": "yes"})
    assistant.call("workspace", {"workspace": "beta", "domain": "dora"})
    assistant.call("dashboard")
    read, *refused = events(web)[-3:]
    assert read[:3] == ("bob@x.example", "records.read", "alpha")
    assert read[3]["failed"] == "yes"
    assert [event[:3] for event in refused] == [("bob@x.example", "access.deny", "/mcp")] * 2
    assert refused[0][3]["workspace"] == "beta"
    assert refused[1][3]["tool"] == "dashboard"


def test_one_who_loops_is_slowed_and_others_are_not(web):
    bob, alice = Assistant(web, "bob"), Assistant(web, "alice")
    answers = [bob.send("ping").status_code for _ in range(A_MINUTE + 5)]
    assert set(answers[:A_MINUTE]) == {200}
    assert 429 in answers[A_MINUTE:]
    refused = bob.send("ping")
    if refused.status_code == 429:
        assert int(refused.headers["Retry-After"]) >= 1
    assert alice.send("ping").status_code == 200
