"""Dash's callback route: bodies come from the client, and a malformed one is a clean 4xx."""

from __future__ import annotations

import json
import random

import pytest

from tests.deep import every
from tests.webworld import EXECUTIVE, csrf

UPDATE = "/_dash-update-component"
VIEW = {"path": EXECUTIVE, "period": "28"}


def body(view=VIEW):
    """Request of the page that draws it."""
    places = [("page", "children"), ("live", "children")]
    return {
        "output": "..page.children...live.children..",
        "outputs": [{"id": id, "property": name} for id, name in places],
        "inputs": [{"id": "view", "property": "data", "value": view}],
        "changedPropIds": ["view.data"],
        "state": [],
    }


def focus(view):
    return {
        "output": "expansion.children",
        "outputs": {"id": "expansion", "property": "children"},
        "inputs": [{"id": "focus", "property": "data", "value": view}],
        "changedPropIds": ["focus.data"],
        "state": [],
    }


def send(client, sent, **more):
    return client.post(UPDATE, json=sent, headers=csrf(client), **more)


def test_the_page_is_drawn_for_its_reader(web):
    alice = web.sign_in("alice")
    drawn = send(alice, body())
    assert drawn.status_code == 200
    assert "What needs attention" in drawn.text
    opened = send(alice, focus(VIEW | {"domain": "dora", "measure": "mttr"}))
    assert "Delivery (DORA) by workspace" in opened.text
    assert send(alice, focus(VIEW | {"domain": ""})).json["response"]["expansion"]["children"] == []


def test_a_signed_out_reader_gets_401_as_json(web):
    alice = web.sign_in("alice")
    sent, token = body(), csrf(alice)
    alice.post("/logout", headers=token)
    answer = alice.post(UPDATE, json=sent, headers=token)
    assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")


def test_one_without_the_role_gets_words_and_no_figure(web):
    drawn = send(web.sign_in("bob"), body())
    assert "platform_admin_required" in drawn.text
    assert "Change failure rate" not in drawn.text


def test_a_page_of_a_workspace_that_is_not_ones_own_is_not_there(web):
    drawn = send(web.sign_in("bob"), body({"path": "/ws/beta/analytics", "period": "28"}))
    assert "There is no such page" in drawn.text
    own = send(web.sign_in("bob"), body({"path": "/ws/alpha/analytics", "period": "28"}))
    assert "Deployments" in own.text
    assert "Executive</a>" not in own.text
    assert '"Executive"' not in own.text


def test_a_period_that_can_not_be_is_said(web):
    drawn = send(web.sign_in("alice"), body(VIEW | {"period": "13"}))
    assert "That period can not be shown" in drawn.text


def junk(rng: random.Random, depth: int = 0):
    """Any JSON value."""
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind == 6:
        return [junk(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind >= 7:
        keys = ("output", "outputs", "inputs", "state", "id", "property", "value", "path", "period",
                "start", "end", "domain", "measure", "from", "pins", "find", "mode", "x")  # fmt: skip
        return {rng.choice(keys): junk(rng, depth + 1) for _ in range(rng.randrange(6))}
    return rng.choice(
        (None, True, rng.randint(-(10**12), 10**12), rng.random() * 1e300, "", "dora", "28", "x" * 300,
         "page.children", "\x00", "../..", "{}", "NaN", "2026-01-01", "’; drop table", -0.0)
    )  # fmt: skip


def mutated(rng: random.Random):
    """A right body in which one thing is not."""
    sent = rng.choice((body(), focus(dict(VIEW))))
    where = rng.choice(("output", "outputs", "inputs", "changedPropIds", "state", "view", "field"))
    if where == "view":
        sent["inputs"][0]["value"] = junk(rng)
    elif where == "field":
        sent["inputs"][0]["value"] = VIEW | {
            rng.choice(
                ("path", "period", "start", "domain", "measure", "from", "pins", "find", "mode")
            ): junk(rng)
        }
    elif rng.random() < 0.3:
        del sent[where]
    else:
        sent[where] = junk(rng)
    return sent


@pytest.mark.parametrize("make", every(2, [junk, mutated]))
def test_five_hundred_malformed_bodies_are_never_a_server_error(web, make):
    alice = web.sign_in("alice")
    token = csrf(alice)
    rng = random.Random(7)
    seen = set()
    for _ in range(500):
        sent = make(rng)
        answer = alice.post(
            UPDATE, data=json.dumps(sent), content_type="application/json", headers=token
        )
        assert answer.status_code < 500, sent
        seen.add(answer.status_code)
    assert 400 in seen


def test_bodies_that_are_no_json_are_refused(web):
    alice = web.sign_in("alice")
    for data in (b"", b"{", b"\xff\xfe", b"[" * 5000, b"null"):
        answer = alice.post(UPDATE, data=data, content_type="application/json", headers=csrf(alice))
        assert 400 <= answer.status_code < 500
