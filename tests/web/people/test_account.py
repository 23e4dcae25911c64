"""Account page: whatever a person was given they see, and can withdraw."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth import accounts, tokens
from auth.granting import MembershipAction, change
from tests.webworld import API, EXECUTIVE, PASSWORD, WebWorld

NEW = "four quite new words"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"


def send(client: FlaskClient, path: str, **form: str) -> TestResponse:
    """A form of the page, sent."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **form}, follow_redirects=True)


def bearer(web: WebWorld, token: str) -> int:
    return web.browser().get(API, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_password_is_changed_with_the_old_one_and_ends_everything_else(web):
    alice, elsewhere = web.sign_in("alice"), web.sign_in("alice")
    token = tokens.create(web.world.database.job, "alice@x.example")
    assert bearer(web, token) == 200
    wrong = send(alice, "/account/password", old="not it", new=NEW)
    assert "That is not your password." in wrong.text
    short = send(alice, "/account/password", old=PASSWORD, new="short")
    assert "Between 8 and 200 characters." in short.text
    assert elsewhere.get(EXECUTIVE).status_code == 200
    done = send(alice, "/account/password", old=PASSWORD, new=NEW)
    assert "Your password is changed." in done.text
    assert alice.get(EXECUTIVE).status_code == 200
    assert elsewhere.get(EXECUTIVE).status_code == 302
    assert bearer(web, token) == 401
    assert web.attempt(web.browser(), "alice@x.example", PASSWORD).status_code == 401
    assert web.sign_in("alice", NEW).get(EXECUTIVE).status_code == 200


def test_guesses_at_the_old_password_are_counted(web):
    alice = web.sign_in("alice")
    for _ in range(10):
        send(alice, "/account/password", old="not it", new=NEW)
    blocked = send(alice, "/account/password", old=PASSWORD, new=NEW)
    assert "Too many failed attempts" in blocked.text
    assert web.attempt(web.browser(), "alice@x.example", PASSWORD).status_code == 429


def test_sessions_are_listed_and_ended(web):
    alice = web.sign_in("alice")
    phone = web.browser()
    phone.environ_base["HTTP_USER_AGENT"] = AGENT
    phone.environ_base["REMOTE_ADDR"] = "203.0.113.24"
    web.sign_in("alice", client=phone)
    page = alice.get("/account").text
    assert "Chrome on macOS" in page
    assert "203.0.113.24" in page
    (handle,) = re.findall(r"/account/sessions/([0-9a-f]{64})/end", page)
    bob = web.sign_in("bob")
    assert send(bob, f"/account/sessions/{handle}/end").status_code == 404
    assert phone.get(EXECUTIVE).status_code == 200
    assert "That session has ended." in send(alice, f"/account/sessions/{handle}/end").text
    assert phone.get(EXECUTIVE).status_code == 302
    web.sign_in("alice", client=phone)
    assert "1 other sessions" in send(alice, "/account/sessions/end-others").text
    assert phone.get(EXECUTIVE).status_code == 302
    web.sign_in("alice", client=phone)
    send(alice, "/account/sign-out-everywhere")
    assert alice.get(EXECUTIVE).status_code == phone.get(EXECUTIVE).status_code == 302


def test_a_token_is_made_shown_once_used_and_revoked(web):
    alice = web.sign_in("alice")
    made = send(alice, "/account/tokens", name="Board slides", days="30")
    token = re.search(r">(vgl_[\w-]{43})<", made.text)
    assert token
    assert bearer(web, token[1]) == 200
    page = alice.get("/account").text
    assert token[1] not in page
    assert f"vgl_…{token[1][-4:]}" in page
    assert page.count("Board slides") == 2
    (number,) = re.findall(r"/account/tokens/(\d+)/revoke", page)
    assert send(web.sign_in("bob"), f"/account/tokens/{number}/revoke").status_code == 404
    assert bearer(web, token[1]) == 200
    assert "opens nothing any more" in send(alice, f"/account/tokens/{number}/revoke").text
    assert bearer(web, token[1]) == 401


@pytest.mark.parametrize(
    ("name", "days"), [("", "30"), ("x" * 81, "30"), ("x", "0"), ("x", "9999")]
)
def test_a_token_without_a_name_or_an_end_is_refused(web, name, days):
    answer = send(web.sign_in("alice"), "/account/tokens", name=name, days=days)
    assert 'role="alert"' in answer.text
    assert "vgl_" not in answer.text


def test_what_a_deactivation_ended_does_not_come_back_with_the_account(web):
    jobs = web.world.database.job
    alice, token = web.sign_in("alice"), tokens.create(jobs, "alice@x.example")
    accounts.set_active(jobs, "alice@x.example", is_active=False)
    assert alice.get(EXECUTIVE).status_code == 302
    assert bearer(web, token) == 401
    accounts.set_active(jobs, "alice@x.example", is_active=True)
    assert alice.get(EXECUTIVE).status_code == 302
    assert bearer(web, token) == 401
    assert web.sign_in("alice").get(EXECUTIVE).status_code == 200


@pytest.mark.parametrize(
    "statement", ["is_active = false", "password_hash = 'x'", "password_hash = null"]
)
def test_a_statement_past_the_program_ends_them_too(web, statement):
    database = web.world.database
    alice, token = web.sign_in("alice"), tokens.create(database.job, "alice@x.example")
    who = "where email = 'alice@x.example'"
    with database.owner.begin() as connection:
        connection.exec_driver_sql(f"update app_user set {statement} {who}")
        connection.exec_driver_sql(f"update app_user set is_active = true {who}")
    assert alice.get(EXECUTIVE).status_code == 302
    assert bearer(web, token) == 401


@pytest.mark.parametrize("role", [None, "owner"])
def test_a_lost_role_ends_them_and_a_gained_one_does_not(web, role):
    jobs, where = web.world.database.job, (web.world.alpha, "alpha")
    alice, token = web.sign_in("alice"), tokens.create(jobs, "alice@x.example")
    viewer = web.sign_in("viewer")
    change(jobs, where, MembershipAction.CHANGE, "viewer@x.example", "engineer")
    assert viewer.get("/ws/alpha/records").status_code == 200
    what = MembershipAction.CHANGE if role else MembershipAction.REVOKE
    change(jobs, where, what, "alice@x.example", role)
    assert alice.get(EXECUTIVE).status_code == 302
    assert bearer(web, token) == 401
