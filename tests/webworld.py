"""A whole application over a small world: Alice the platform admin, Bob the owner, Dave nobody."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import create_app
from settings import Settings
from storage.database import Database
from storage.viewer import Viewer
from tests.conftest import TODAY
from tests.stored_rows import StoredRows
from tests.world import World, at
from web.server.application import DRAINER

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""As light as argon2id allows: hundreds of tests sign in. The program's own hashes have their own test."""
DAY = TODAY - timedelta(days=1)
EXECUTIVE = "/ws/alpha/platform/executive"
API = "/api/v1/platform/executive-dashboard/"


@dataclass
class WebWorld:
    """The application, its world, and browsers that keep their cookies."""

    app: Flask
    world: World
    people: dict[str, Viewer] = field(default_factory=dict)

    def browser(self) -> FlaskClient:
        """A browser without any cookie."""
        return self.app.test_client()

    def sign_in(self, who: str, password: str = PASSWORD, client: FlaskClient | None = None):
        """A browser in which ``who`` has signed in through the form."""
        client = client or self.browser()
        self.attempt(client, f"{who}@x.example", password)
        return client

    def attempt(
        self, client: FlaskClient, email: str, password: str, next: str = ""
    ) -> TestResponse:
        """Fills the sign-in form and sends it."""
        page = client.get("/login", query_string={"next": next} if next else None)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        form = {"email": email, "password": password, "next": next}
        return client.post("/login", data=form | ({"csrf_token": token[1]} if token else {}))


def csrf(client: FlaskClient) -> dict[str, str]:
    """The header that Dash sends, from its cookie."""
    if client.get_cookie("_csrf_token") is None:
        client.get("/start")
    cookie = client.get_cookie("_csrf_token")
    return {"X-CSRFToken": cookie.decoded_value if cookie else ""}


def settled(client: FlaskClient, made: TestResponse) -> TestResponse:
    """State of an export that was asked for, when it has ended; whoever asks waits a second at most."""
    answer, deadline = made, time.monotonic() + 60
    while answer.json["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, "the export did not end"
        time.sleep(0.05)
        answer = client.get(f"{made.json['href']}/state")
    return answer


class CompiledTemplates(BytecodeCache):
    """Pages compiled once in a test process, not once an application: 0.1 s each time."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fills the bucket when its page, as it is now, has been compiled."""
        if code := self.compiled.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps a page that was compiled just now."""
        self.compiled[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


class CompiledRule(Rule):
    """Rule of an address, compiled once in a test process, not once an application: three quarters of the
    time that mounting the pages takes. What is compiled depends on the address alone."""

    known: dict[str, dict[str, Any]] = {}

    def compile(self) -> None:
        """Takes what the same rule of an application before this one was compiled to."""
        address = f"{self.subdomain}|{self.rule}|{self.merge_slashes}|{self.defaults}"
        if address not in self.known:
            before = dict(vars(self))
            super().compile()
            made = {n: v for n, v in vars(self).items() if before.get(n) is not v}
            self.known[address] = made | {"arguments": self.arguments}
        vars(self).update(self.known[address])


STORED: dict[tuple[str, str], tuple[World, dict[str, Viewer], StoredRows]] = {}
"""Rows of the small world by server and time zone: written and snapshot once in a test process, then
copied back."""


def make(database: Database, settings: Settings) -> WebWorld:
    """Two workspaces with a little history; Alice is platform admin of both, Bob owns alpha, the others
    hold the role of their name in alpha."""
    world, people = _small_world(database, settings)
    app = create_app(settings, database)
    app.jinja_env.bytecode_cache = COMPILED
    app.url_rule_class = CompiledRule
    app.mount()
    app.extensions[DRAINER].stop()  # the tests read deliveries when they want to
    return WebWorld(app, world, people)


def _small_world(database: Database, settings: Settings) -> tuple[World, dict[str, Viewer]]:
    """An empty database becomes the small world; a second time its rows are copied back."""
    key = database.job.url.render_as_string(hide_password=False), settings.time_zone
    if key not in STORED:
        world = World(database, settings)
        people = _peopled(world)
        STORED[key] = world, people, StoredRows.of(database)
    else:
        STORED[key][2].put_back(database)
    world, people, _ = STORED[key]
    copied = World(database, settings)
    copied.alpha, copied.beta = world.alpha, world.beta
    return copied, dict(people)


def _peopled(world: World) -> dict[str, Viewer]:
    """Writes the small world; its people by name."""
    world.alpha, world.beta = world.workspace("alpha"), world.workspace("beta")
    for slug, workspace_id in (("alpha", world.alpha), ("beta", world.beta)):
        rows = [
            {
                "key": f"{slug}-{i}",
                "created_at": at(DAY - timedelta(days=i), 8),
                "completed_at": at(DAY - timedelta(days=i), 9),
                "outcome": "failed" if i % 4 == 0 else "successful",
                "environment": "production",
            }
            for i in range(40)
        ]
        world.add(workspace_id, "deployment", rows)
        world.add(
            workspace_id,
            "incident",
            [{"key": "INC-0001", "opened_at": at(DAY), "title": "<b>x</b>"}],
        )
    world.backfill(DAY - timedelta(days=39), DAY)
    roles = {"bob": "owner", "admin": "admin", "approver": "approver", "engineer": "engineer",
             "viewer": "viewer", "revoked": "platform_admin"}  # fmt: skip
    people: dict[str, Viewer] = {}
    for who in ("alice", "dave", *roles):
        people[who] = world.person(f"{who}@x.example", password_hash=HASH)
    for who, role in roles.items():
        world.member(people[who], world.alpha, role)
    world.revoke(people["revoked"], world.alpha)
    for workspace_id in (world.alpha, world.beta):
        world.member(people["alice"], workspace_id, "platform_admin")
    return people
