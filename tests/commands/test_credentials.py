"""``user`` and ``token``: an operator sees what stands for a person, and ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from auth import tokens
from tests.webworld import API, EXECUTIVE, WebWorld, make

Run = Callable[..., Result]


@pytest.fixture
def web(database, settings) -> WebWorld:
    return make(database, settings)


@pytest.fixture
def run(web) -> Run:
    def invoke(*words: str) -> Result:
        with web.app.app_context():
            return web.app.test_cli_runner().invoke(args=words)

    return invoke


def test_sessions_are_listed_and_ended(web, run):
    alice = web.sign_in("alice")
    assert run("user", "sessions", "ALICE@x.example").output.count("\n") == 1
    assert run("user", "sessions", "alice@x.example", "--end").output == "1 sessions have ended.\n"
    assert alice.get(EXECUTIVE).status_code == 302
    assert run("user", "sessions", "nobody@x.example").exit_code == 1


def test_a_deactivated_account_is_out_and_its_sessions_stay_so(web, run):
    alice = web.sign_in("alice")
    assert run("user", "deactivate", "alice@x.example").exit_code == 0
    assert "alice@x.example\t\tdeactivated" in run("user", "list").output
    assert alice.get(EXECUTIVE).status_code == 302
    assert run("user", "activate", "alice@x.example").exit_code == 0
    assert alice.get(EXECUTIVE).status_code == 302
    assert run("user", "deactivate", "nobody@x.example").exit_code == 1


def test_tokens_are_listed_and_revoked(web, run):
    token = tokens.create(web.world.database.job, "alice@x.example", name="slides")
    header = {"Authorization": f"Bearer {token}"}
    assert web.browser().get(API, headers=header).status_code == 200
    (line,) = run("token", "list").output.splitlines()
    number, email, may, hint, name, _, used = line.split("\t")
    assert (email, may, hint, name) == (
        "alice@x.example",
        "executive:read",
        token[-4:],
        "slides",
    )
    assert used != "never"
    assert run("token", "list", "bob@x.example").output == ""
    assert run("token", "revoke", number).exit_code == 0
    assert web.browser().get(API, headers=header).status_code == 401
    assert run("token", "revoke", number).exit_code == 1
