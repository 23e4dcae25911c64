"""A whole application over a small world: Alice the platform admin, Bob the owner, Dave nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from auth.passwords import hash_password
from auth.viewer import Viewer
from settings import Settings
from storage.database import Database
from tests.conftest import TODAY
from tests.world import World, at

PASSWORD = "correct horse battery"
HASH = hash_password(PASSWORD)
DAY = TODAY - timedelta(days=1)
EXECUTIVE = "/ws/alpha/platform/executive"
API = "/api/v1/platform/executive-dashboard/"


@dataclass
class Web:
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


def make(database: Database, settings: Settings) -> Web:
    """Two workspaces with a little history; Alice is platform admin of both, Bob owns alpha, the others
    hold the role of their name in alpha."""
    world = World(database, settings)
    web = Web(create_app(settings, database), world)
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
    for who in ("alice", "dave", *roles):
        web.people[who] = world.person(f"{who}@x.example", password_hash=HASH)
    for who, role in roles.items():
        world.member(web.people[who], world.alpha, role)
    world.revoke(web.people["revoked"], world.alpha)
    for workspace_id in (world.alpha, world.beta):
        world.member(web.people["alice"], workspace_id, "platform_admin")
    return web
