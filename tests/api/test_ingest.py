"""Events over the API: who may send them, what becomes of them, what is refused and how it is said."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from sqlalchemy import text

from auth import ingest, tokens
from storage.context import job_in
from tests.webworld import make

EVENT = {
    "deployment": {"id": 7, "environment": "production", "created_at": "2026-11-02T09:00:00Z"},
    "deployment_status": {"state": "success", "created_at": "2026-11-02T09:05:00Z"},
    "repository": {"name": "api"},
}
SECRET = "a secret of the sender"
PATH = "/api/v1/ws/alpha/ingest/github"


@pytest.fixture
def web(database, settings):
    return make(database, settings)


@pytest.fixture
def send(web):
    """POSTs an event; the answer."""

    def post(body=EVENT, path=PATH, token=None, headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = {"Authorization": f"Bearer {token}"} if token else {}
        return web.browser().post(path, data=data, headers={**auth, **(headers or {})})

    return post


def token(web, who="engineer", slug="alpha", **more):
    return tokens.create(
        web.world.database.job, f"{who}@x.example", scope=ingest.scope(slug), **more
    )


def signature(body: bytes, secret=SECRET):
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def stored(web, workspace_id, key="7"):
    with job_in(web.world.database.job, workspace_id) as connection:
        query = text("select outcome from deployment where key = :key")
        return connection.execute(query, {"key": key}).scalars().all()


def test_a_token_of_the_workspace_sends_and_sending_twice_changes_nothing(web, send):
    mine = token(web)
    first, again = send(token=mine), send(token=mine)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.json["written"], again.json["written"], again.json["unchanged"]) == (1, 0, 1)
    assert stored(web, web.world.alpha) == ["successful"]
    assert stored(web, web.world.beta) == []


@pytest.mark.parametrize("who", ["viewer", "dave", "revoked"])
def test_it_requires_a_role_that_may_write_there(web, send, who):
    assert send(token=token(web, who)).status_code == 401


def test_a_token_opens_its_own_workspace_only(web, send):
    mine = token(web, "alice", "beta")
    assert send(token=mine).status_code == 401
    executive = tokens.create(web.world.database.job, "alice@x.example")
    assert send(token=executive).status_code == 401
    assert (
        web.browser()
        .get("/api/v1/platform/executive-dashboard/", headers={"Authorization": f"Bearer {mine}"})
        .status_code
        == 401
    )
    assert send().status_code == 401


def test_a_revoked_member_can_not_send_with_the_next_request(web, send):
    mine = token(web)
    web.world.revoke(web.people["engineer"], web.world.alpha)
    assert send(token=mine).status_code == 401


def test_a_signature_of_the_sender_is_enough_and_a_wrong_one_is_not(web, send):
    sealed = ingest.sealed(web.app.config["SECRET_KEY"], SECRET)
    mine = token(web, signing_secret=sealed)
    body = json.dumps(EVENT).encode()
    assert SECRET.encode() not in sealed
    assert send(body, headers=signature(body)).status_code == 202
    assert send(body, headers=signature(body, "another")).status_code == 401
    assert send(body, headers=signature(body + b" ")).status_code == 401
    assert send(body, token=mine, headers=signature(body, "another")).status_code == 401


def test_what_is_wrong_is_named_and_nothing_of_it_is_kept(web, send):
    bad = json.loads(json.dumps(EVENT))
    bad["deployment_status"]["created_at"] = "yesterday"
    answer = send([EVENT, bad], token=token(web))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "invalid_record"
    (error,) = answer.json["errors"]
    assert error["pointer"] == "/1"
    assert error["field"] == "deployment_status.created_at"
    assert stored(web, web.world.alpha) == []


def test_what_is_no_json_or_no_format_is_refused(web, send):
    mine = token(web)
    assert send(b"{", token=mine).status_code == 422
    assert send(path="/api/v1/ws/alpha/ingest/csv", token=mine).status_code == 404
    assert send(b"x" * (1024 * 1024 + 1), token=mine).status_code == 413


def test_cdevents_fill_both_kinds(web, send):
    def event(subject, predicate, **more):
        return {
            "context": {
                "id": "e-1",
                "type": f"dev.cdevents.{subject}.{predicate}.0.3.0",
                "timestamp": "2026-11-02T09:00:00Z",
            },
            "subject": {"id": "INC-77", "content": more},
        }

    path = "/api/v1/ws/alpha/ingest/cdevents"
    events = [
        event("service", "deployed", environment={"id": "production"}),
        event("incident", "detected", description="Slow"),
    ]
    answer = send(events, path, token(web))
    assert answer.status_code == 202
    assert answer.json["written"] == 2
