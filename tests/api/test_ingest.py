"""Events over the API: who may send them, what becomes of them, what is refused and how it is said."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from sqlalchemy import text

from auth import tokens
from auth.secret_key import Keys
from ingest.door import senders
from ingest.door.deliveries import drain
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
        web.world.database.job, f"{who}@x.example", scope=senders.scope(slug), **more
    )


def signature(body: bytes, secret=SECRET):
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def stored(web, workspace_id, key="7"):
    with job_in(web.world.database.job, workspace_id) as connection:
        query = text("select outcome from deployment where key = :key")
        return connection.execute(query, {"key": key}).scalars().all()


def became(web, answer, token):
    """The state of an accepted delivery, once what waits is read."""
    drain(web.world.database)
    return web.browser().get(answer.json["href"], headers={"Authorization": f"Bearer {token}"}).json


def test_a_delivery_is_kept_answered_with_its_id_and_read_after(web, send):
    mine = token(web)
    answer = send(token=mine)
    assert (answer.status_code, answer.json["state"]) == (202, "waiting")
    assert stored(web, web.world.alpha) == []
    state = became(web, answer, mine)
    assert (state["state"], state["written"], state["quarantine"]) == ("folded", 1, [])
    assert stored(web, web.world.alpha) == ["successful"]
    assert stored(web, web.world.beta) == []


def test_sending_twice_changes_nothing(web, send):
    mine = token(web)
    became(web, send(token=mine), mine)
    again = became(web, send(token=mine), mine)
    assert (again["written"], again["unchanged"]) == (0, 1)
    assert stored(web, web.world.alpha) == ["successful"]


def test_what_became_of_a_delivery_is_told_to_those_who_may_send(web, send):
    mine = token(web)
    href = send(token=mine).json["href"]
    assert web.browser().get(href).status_code == 401
    assert web.sign_in("engineer").get(href).status_code == 200
    assert web.sign_in("viewer").get(href).status_code == 403
    elsewhere = {"Authorization": f"Bearer {token(web, 'alice', 'beta')}"}
    assert web.browser().get(href, headers=elsewhere).status_code == 401
    assert web.browser().get(href.replace("alpha", "beta"), headers=elsewhere).status_code == 404


def test_what_is_in_no_figure_is_told(web, send):
    mine = token(web)
    staging = json.loads(json.dumps(EVENT))
    staging["deployment"]["environment"] = "staging"
    state = became(web, send(staging, token=mine), mine)
    assert sum(state["in_no_figure"].values()) == 1


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
    sealed = senders.seal_secret(Keys(web.app.config["SECRET_KEY"]), SECRET)
    mine = token(web, signing_secret=sealed)
    body = json.dumps(EVENT).encode()
    assert SECRET.encode() not in sealed
    assert send(body, headers=signature(body)).status_code == 202
    assert send(body, headers=signature(body, "another")).status_code == 401
    assert send(body, headers=signature(body + b" ")).status_code == 401
    assert send(body, token=mine, headers=signature(body, "another")).status_code == 401


def test_what_can_not_be_read_lies_in_quarantine_and_the_rest_is_taken(web, send):
    mine = token(web)
    bad = json.loads(json.dumps(EVENT))
    del bad["deployment"]["id"]
    state = became(web, send([EVENT, bad], token=mine), mine)
    assert (state["state"], state["written"], state["quarantined"]) == ("quarantined", 1, 1)
    (part,) = state["quarantine"]
    assert (part["kind"], part["pointer"]) == ("deployments", "/1")
    assert part["reason"]
    assert stored(web, web.world.alpha) == ["successful"]


def test_a_delivery_that_is_cut_off_is_kept(web, send):
    mine = token(web)
    state = became(web, send(b"{", token=mine), mine)
    assert (state["state"], state["quarantined"]) == ("quarantined", 1)


def test_what_is_no_document_or_no_format_is_refused(web, send):
    mine = token(web)
    assert send(b"hello", token=mine).status_code == 400
    assert send(path="/api/v1/ws/alpha/ingest/csv", token=mine).status_code == 404
    assert send(b"x" * (1024 * 1024 + 1), token=mine).status_code == 413


def test_a_megabyte_of_small_things_is_answered_at_once_and_ends(web, send):
    mine = token(web)
    for body in (
        b"1\n" * 500_000,
        b"[" + b"1," * 500_000 + b"1]",
        b"[" * 1_000_000,
        b'{"a":' + b"1" * 1_000_000,
    ):
        answer = send(body, token=mine)
        if answer.status_code == 202:
            assert became(web, answer, mine)["state"] == "quarantined"
        else:
            assert answer.status_code == 400


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
    mine = token(web)
    assert became(web, send(events, path, mine), mine)["written"] == 2
