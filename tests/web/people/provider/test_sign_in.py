"""Sign-in with an identity provider: a real one, over HTTP, with keys that it changes."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from auth import accounts
from settings import load as load_settings
from tests.webworld import EXECUTIVE, WebWorld, csrf, make
from web.people.inviting import Inviting

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its use of a library's older names
    from oidc_provider_mock import User, run_server_in_thread

GROUPS = {"sre": {"*": "platform_admin"}, "apps": {"alpha": "engineer"}}
ALICE = {"email": "Alice@x.example", "email_verified": True, "name": "Alice"}


@pytest.fixture
def issuer() -> Iterator[str]:
    """A provider; it makes new keys with each start."""
    people = [
        User(sub="a1", claims=ALICE),
        User(sub="a2", claims=ALICE | {"email_verified": False}),
        User(sub="a3", claims=ALICE | {"email_verified": "true"}),
        User(
            sub="new", claims={"email": "new@x.example", "email_verified": True, "groups": ["apps"]}
        ),
        User(
            sub="sre", claims={"email": "sre@x.example", "email_verified": True, "groups": ["sre"]}
        ),
    ]
    with run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


def world(database, settings, issuer: str, **more: object) -> WebWorld:
    """The small world behind one provider."""
    provider = {"issuer": issuer, "client_id": "vigilo", "client_secret": "s", "title": "Northwind"}
    variables = {"oidc_providers": {"northwind": provider}, "oidc_groups": GROUPS, **more}
    checked = load_settings(**{name: json.dumps(value) for name, value in variables.items()})
    return make(
        database, settings.model_copy(update={name: getattr(checked, name) for name in variables})
    )


def vouched(client: FlaskClient, who: str, query: str = "") -> TestResponse:
    """The way to the provider and back."""
    there = client.get(f"/sign-in/northwind{query}")
    assert there.status_code == 302, there.text
    assert parse_qs(urlsplit(there.location).query)["code_challenge_method"] == ["S256"]
    back = requests.post(there.location, data={"sub": who}, allow_redirects=False, timeout=10)
    address = urlsplit(back.headers["Location"])
    assert address.path == "/sign-in/northwind/callback"
    return client.get(f"{address.path}?{address.query}")


def role(web: WebWorld, email: str, slug: str) -> str | None:
    with web.world.database.owner.connect() as connection:
        connection.execute(text("set local role vigilo_job"))
        query = text("select vigilo.enter('job', w.id), w.id from workspace w where slug = :slug")
        connection.execute(query, {"slug": slug})
        return connection.execute(
            text(
                "select role from membership m join app_user u on u.id = m.user_id"
                " where u.email = :email and revoked_at is null"
            ),
            {"email": email},
        ).scalar()


def test_a_verified_address_links_to_the_account_that_there_is(database, settings, issuer):
    web = world(database, settings, issuer, oidc_groups={})
    browser = web.browser()
    assert "Sign in with Northwind" in browser.get("/login").text
    before = browser.get_cookie("vigilo").value
    done = vouched(browser, "a1", f"?next={EXECUTIVE}")
    assert (done.status_code, done.location) == (302, EXECUTIVE), done.text
    assert browser.get(EXECUTIVE).status_code == 200
    assert browser.get_cookie("vigilo").value != before
    again = web.browser()
    assert vouched(again, "a1").status_code == 302
    assert again.get(EXECUTIVE).status_code == 200


@pytest.mark.parametrize("who", ["a2", "a3"])
def test_an_address_that_is_not_verified_opens_nothing(database, settings, issuer, who):
    web = world(database, settings, issuer)
    browser = web.browser()
    refused = vouched(browser, who)
    assert refused.status_code == 403
    assert "has not verified your e-mail address" in refused.text
    assert browser.get(EXECUTIVE).status_code == 302


def test_a_stranger_gets_no_account(database, settings, issuer):
    refused = vouched(world(database, settings, issuer).browser(), "new")
    assert "You have no account here" in refused.text


def test_a_stranger_gets_an_account_where_that_is_allowed(database, settings, issuer):
    web = world(database, settings, issuer, oidc_create_accounts=True)
    browser = web.browser()
    assert vouched(browser, "new").status_code == 302
    assert browser.get("/ws/alpha/records").status_code == 200, "an engineer, by their group"
    assert browser.get("/ws/beta/analytics").status_code == 404
    page = browser.get("/account").text
    assert "You sign in with your organisation" in page
    assert web.attempt(web.browser(), "new@x.example", "any password").status_code == 401


def test_groups_give_and_take_roles_with_each_sign_in(database, settings, issuer):
    web = world(database, settings, issuer, oidc_create_accounts=True)
    browser = web.browser()
    vouched(browser, "sre")
    assert browser.get("/ws/beta/platform/executive").status_code == 200
    assert role(web, "sre@x.example", "beta") == "platform_admin"
    vouched(web.browser(), "a1")
    assert role(web, "alice@x.example", "beta") is None, "none of her groups has a role there"


def test_a_deactivated_account_stays_outside(database, settings, issuer):
    web = world(database, settings, issuer, oidc_groups={})
    vouched(web.browser(), "a1")
    accounts.set_active(database.job, "alice@x.example", is_active=False)
    assert "deactivated" in vouched(web.browser(), "a1").text


def test_what_was_not_asked_for_is_refused(database, settings, issuer):
    web = world(database, settings, issuer)
    browser, thief = web.browser(), web.browser()
    there = browser.get("/sign-in/northwind").location
    back = requests.post(there, data={"sub": "a1"}, allow_redirects=False, timeout=10)
    address = urlsplit(back.headers["Location"])
    for client in (thief, browser):
        stolen = address.query if client is thief else "code=x&state=y"
        answer = client.get(f"{address.path}?{stolen}")
        assert answer.status_code == 403
        assert "was not completed" in answer.text
    assert thief.get(EXECUTIVE).status_code == 302
    assert browser.get("/sign-in/northwind/callback?error=access_denied").status_code == 403
    assert browser.get("/sign-in/nobody").status_code == 404
    elsewhere = vouched(web.browser(), "sre", "?next=https://evil.example/")
    assert "evil" not in (elsewhere.location or "")


def test_the_providers_session_ends_with_ours(database, settings, issuer):
    web = world(database, settings, issuer, oidc_groups={})
    browser = web.browser()
    vouched(browser, "a1")
    page = browser.get("/logout")
    assert f"form-action 'self' {issuer}" in page.headers["Content-Security-Policy"]
    left = browser.post("/logout", headers=csrf(browser))
    assert left.location.startswith(f"{issuer}/oauth2/end_session?")
    assert "id_token_hint" in parse_qs(urlsplit(left.location).query)
    assert browser.get(EXECUTIVE).status_code == 302
    by_password = web.sign_in("bob")
    assert by_password.post("/logout", headers=csrf(by_password)).location == "/login"


def test_a_provider_that_is_away_is_said_and_the_password_still_opens(database, settings):
    web = world(database, settings, "http://127.0.0.1:9")
    answer = web.browser().get("/sign-in/northwind")
    assert answer.status_code == 403
    assert "does not answer" in answer.text
    assert web.sign_in("alice").get(EXECUTIVE).status_code == 200


def test_a_key_that_the_provider_changed_is_looked_up(database, settings):
    """New keys at the address of before, of which the process knows the old ones."""
    people = [User(sub="a1", claims=ALICE)]
    with run_server_in_thread(user_claims=people) as first:
        port = first.server_port
        web = world(database, settings, f"http://localhost:{port}", oidc_groups={})
        assert vouched(web.browser(), "a1").status_code == 302
    with run_server_in_thread(port=port, user_claims=people):
        browser = web.browser()
        assert vouched(browser, "a1").status_code == 302
        assert browser.get(EXECUTIVE).status_code == 200


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"oidc_providers": '{"A B": {"issuer": "https://x", "client_id": "y"}}'}, "small letters"),
        ({"oidc_providers": '{"a": {"client_id": "y", "client_secret": "hush"}}'}, "issuer"),
        ({"oidc_groups": '{"g": {"alpha": "emperor"}}'}, "takes one of viewer"),
    ],
)
def test_wrong_settings_name_themselves_and_tell_no_secret(variables, words):
    with pytest.raises(SystemExit) as stopped:
        load_settings(**variables)
    assert words in str(stopped.value)
    assert "hush" not in str(stopped.value)


def test_an_invitation_makes_an_account_where_others_get_none(database, settings, issuer):
    web = world(database, settings, issuer, oidc_groups={})
    asker = (web.people["bob"].user_id, "bob@x.example")
    alpha = (web.world.alpha, "alpha")
    door = Inviting(web.world.database.job, web.world.settings, alpha, asker)
    link = urlsplit(door.link("new@x.example", "viewer")).path
    browser = web.browser()
    assert vouched(browser, "new").status_code == 403
    assert vouched(browser, "sre", f"?next={link}").status_code == 403, "another's"
    assert vouched(browser, "new", f"?next={link}").location == link
    page = browser.get(link)
    assert "Accept" in page.text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    done = browser.post(link, data={"csrf_token": token[1] if token else ""})
    assert done.location == "/ws/alpha/analytics"
