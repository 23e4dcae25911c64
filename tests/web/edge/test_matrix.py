"""The table of who may what, walked: each route by each person, and no route that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from auth import accounts, credentials, tokens
from exports import queue
from ingest.door import senders
from ingest.door.deliveries import accept
from tests.conftest import superuser
from tests.deep import all_but
from tests.web.edge.matrix import (
    CALLBACKS,
    EVERYBODY,
    PEOPLE,
    ROWS,
    SIGNED_IN,
    Callback,
    MatrixCell,
)
from tests.webworld import HASH, WebWorld, csrf

NAMES = {"nobody": "dave", "owner": "bob", "platform_admin": "alice"}
LEAD_TO_SIGN_IN = ("second_step", "login")
"""Routes whose own answer may be the way to the sign-in."""
REFUSED = (401, 403, 404)


@dataclass
class Someone:
    """A person, with the browser or the token that they come with."""

    client: FlaskClient
    headers: Mapping[str, str]

    def asks(self, row: MatrixCell, path: str) -> TestResponse:
        sent: dict[str, Any] = {"headers": {"Accept": "*/*", **self.headers}, **row.sent}
        return self.client.open(path, method=row.method, **sent)


def came_in(web: WebWorld, name: str) -> Someone:
    browser = web.sign_in(NAMES.get(name, name))
    return Someone(browser, csrf(browser))


def with_token(web: WebWorld, email: str, scope: str) -> Someone:
    token = tokens.create(web.world.database.job, email, scope=scope)
    return Someone(web.browser(), {"Authorization": f"Bearer {token}"})


def as_leaver(web: WebWorld) -> Someone:
    person = came_in(web, "leaver")
    web.world.revoke(web.people["leaver"], web.world.alpha)
    return person


def as_deactivated(web: WebWorld) -> Someone:
    person = came_in(web, "gone")
    accounts.set_active(web.world.database.job, "gone@x.example", is_active=False)
    return person


def as_expired(web: WebWorld) -> Someone:
    person = came_in(web, "late")
    with superuser(web.world.database).begin() as connection:
        connection.execute(
            text("update web_session set expires_at = now() where user_id = :u"),
            {"u": web.people["late"].user_id},
        )
    return person


HOW: Mapping[str, Callable[[WebWorld], Someone]] = {
    "anonymous": lambda web: Someone(web.browser(), {}),
    "leaver": as_leaver,
    "deactivated": as_deactivated,
    "expired": as_expired,
    "dashboard_token": lambda web: with_token(web, "alice@x.example", tokens.EXECUTIVE_READ),
    "ingest_token": lambda web: with_token(web, "engineer@x.example", senders.scope("alpha")),
    "stray_token": lambda web: with_token(web, "elsewhere@x.example", senders.scope("beta")),
}


@pytest.fixture(scope="module")
def peopled(shared_web) -> WebWorld:
    """The small world with four more: of another workspace, about to leave, gone, and late."""
    world = shared_web.world
    for name in ("elsewhere", "leaver", "gone", "late"):
        shared_web.people[name] = world.person(f"{name}@x.example", password_hash=HASH)
    world.member(shared_web.people["elsewhere"], world.beta, "platform_admin")
    for name in ("leaver", "gone", "late"):
        world.member(shared_web.people[name], world.alpha, "platform_admin")
    return shared_web


@pytest.fixture(scope="module")
def things(peopled) -> Mapping[str, str]:
    """Things of the platform admin, by the words of the table's paths."""
    database, alice = peopled.world.database, peopled.people["alice"]
    export = queue.request(database.job, alice, {"period": "7"}, "csv", ["alpha", "beta"])
    delivery = accept(database, peopled.world.alpha, "github", b"{}", source="engineer@x.example")
    return {"export": str(export), "delivery": str(delivery)}


def filled(web: WebWorld, row: MatrixCell, things: Mapping[str, str]) -> str:
    """The row's path, with things of the platform admin that the row may use up."""
    jobs, alice = web.world.database.job, web.people["alice"]
    more = {}
    if "{token}" in row.path:
        tokens.create(jobs, alice.email)
        more["token"] = str(credentials.tokens_of(jobs, alice.user_id)[-1].id)
    if "{session}" in row.path:
        web.sign_in("alice")
        more["session"] = credentials.sessions_of(jobs, alice.user_id)[0].handle
    return row.path.format(**things, **more) if "{" in row.path else row.path


def is_through(answer: TestResponse, row: MatrixCell) -> bool:
    """Whether the answer is of what was asked for: not a refusal, not the way to the sign-in."""
    if answer.status_code in REFUSED:
        return False
    sent_away = answer.status_code == 302 and answer.location.startswith("/login")
    return (
        not sent_away
        or row.endpoint in LEAD_TO_SIGN_IN
        or (row.endpoint == "logout" and answer.location == "/login")
    )


def test_every_route_is_in_the_table(peopled):
    routes = {
        (rule.endpoint, method)
        for rule in peopled.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(row.endpoint, row.method) for row in ROWS} == routes


@pytest.mark.parametrize(
    "who",
    all_but(["anonymous", "engineer", "platform_admin", "elsewhere", "ingest_token"], PEOPLE),
)
def test_nobody_gets_further_than_the_table_says(peopled, things, who):
    wrong = []
    person = HOW.get(who, lambda web: came_in(web, who))(peopled)
    for row in ROWS:
        path = filled(peopled, row, things)
        answer = person.asks(row, path)
        assert answer.status_code < 500, (row, answer.text[:300])
        expected = who in row.may
        if row.endpoint == "exports.download" and expected:
            expected = answer.status_code != 404  # it may not be ready
        if is_through(answer, row) != expected:
            wrong.append((row.method, path, answer.status_code, "may" if expected else "may not"))
        if (
            row.endpoint in ("logout", "account.everywhere", "account.end_others")
            and who in SIGNED_IN
        ):
            person = HOW.get(who, lambda web: came_in(web, who))(peopled)
    assert not wrong, "\n".join(map(str, wrong))


UPDATE = "/_dash-update-component"


def asked(web: WebWorld, callback: Callback) -> dict[str, Any]:
    """The request that a page makes of a callback."""
    listed = web.sign_in("alice").get("/_dash-dependencies").json
    one = next(d for d in listed if d["output"] == callback.output)
    outputs = [
        dict(zip(("id", "property"), place.rsplit(".", 1), strict=True))
        for place in callback.output.strip(".").split("...")
    ]
    filled_in = {
        part: [given | {"value": callback.values.get(given["id"])} for given in one[part]]
        for part in ("inputs", "state")
    }
    changed = [f"{i['id']}.{i['property']}" for i in one["inputs"]]
    return {
        "output": callback.output,
        "outputs": outputs if callback.output.startswith("..") else outputs[0],
        "changedPropIds": changed,
        **filled_in,
    }


def test_every_callback_is_in_the_table(peopled):
    listed = peopled.sign_in("alice").get("/_dash-dependencies").json
    assert {d["output"] for d in listed} == {callback.output for callback in CALLBACKS}


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.output)
def test_a_callback_answers_those_whom_the_table_names(peopled, callback):
    body = asked(peopled, callback)
    wrong = []
    for who in PEOPLE:
        person = HOW.get(who, lambda web, who=who: came_in(web, who))(peopled)
        answer = person.client.post(UPDATE, json=body, headers=person.headers)
        assert answer.status_code < 500, (who, answer.text[:300])
        got = answer.status_code == 200 and callback.sign in answer.text
        if got != (who in callback.may):
            wrong.append((who, answer.status_code, answer.text[:200]))
    assert not wrong, wrong


def test_the_table_names_people_that_there_are():
    assert set().union(*(row.may for row in ROWS)) <= EVERYBODY
