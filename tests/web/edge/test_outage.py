"""Methods that a route does not take, cookies over TLS, and a database that is away: every route of the
table of who may what."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app import create_app
from storage.database import engine_of
from tests.web.edge.matrix import ROWS
from tests.webworld import API, PASSWORD, CompiledTemplates, csrf

FILES = ("_dash_assets.static", "asset", "/_favicon.ico", "healthz", "metrics", "shell.logo")
NEEDS_NO_DATABASE = (
    *FILES,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
)
ID = "00000000-0000-0000-0000-000000000000"


def addresses() -> list[tuple[str, str, str]]:
    """Endpoint, method and path of each row, with things that nobody has."""
    named = {"export": ID, "delivery": ID, "token": "1", "session": "x"}
    return sorted({(r.endpoint, r.method, re.sub(r"{(\w+)}", lambda m: named.get(m[1], "1"), r.path))
                   for r in ROWS})  # fmt: skip


@pytest.fixture
def away(web) -> FlaskClient:
    """A browser with a session before an application whose database is away."""
    url = web.world.database.web.url.set(query={"host": "/nowhere", "port": "1"})
    gone = replace(web.world.database, web=engine_of(url), job=engine_of(url), owner=None)
    app = create_app(web.world.settings, gone)
    app.jinja_env.bytecode_cache = CompiledTemplates()
    app.mount()
    browser = app.test_client()
    browser.set_cookie("vigilo", web.sign_in("alice").get_cookie("vigilo").value)
    return browser


def test_with_the_database_away_every_route_is_503(away):
    wrong = []
    for endpoint, method, path in addresses():
        for headers in ({}, {"Authorization": "Bearer vgl_" + "x" * 43}):
            answer = away.open(path, method=method, headers={"Accept": "*/*", **headers})
            if endpoint not in NEEDS_NO_DATABASE and answer.status_code != 503:
                wrong.append((method, path, answer.status_code))
            assert answer.status_code != 500, (method, path)
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) > 0
    assert wrong == []


def test_the_log_has_lines_and_no_traceback_for_requests_that_find_no_database(away, caplog):
    bearer = {"Authorization": "Bearer vgl_" + "x" * 43}
    for path, headers in (("/ws/alpha/platform/executive", {}), (API, bearer)):
        caplog.clear()
        assert away.get(path, headers=headers).status_code == 503
        told = [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]
        assert not any(record.exc_info for record in told)
        reasons = [r.getMessage() for r in told]
        assert reasons
        assert all(re.fullmatch(r".+: connection to server .* failed: .*", r) for r in reasons)


def test_a_visitor_who_signs_in_while_it_is_away_is_told_503(away):
    visitor = away.application.test_client()
    page = visitor.get("/login")
    assert page.status_code == 200
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    form = {"email": "alice@x.example", "password": PASSWORD, "csrf_token": token[1]}
    assert visitor.post("/login", data=form).status_code == 503
    assert visitor.get("/").status_code == 302


def test_what_a_route_does_not_take_is_405_and_says_what_it_takes(shared_web):
    alice = shared_web.sign_in("alice")
    headers = csrf(alice)
    for _, method, path in addresses():
        answer = alice.open(path, method="DELETE", headers=headers)
        if answer.status_code == 405:
            allowed = answer.headers["Allow"].split(", ")
            assert "DELETE" not in allowed, path
            assert method in allowed or "GET" in allowed, path
    refused = alice.delete("/logout", headers=headers)
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_cookies_over_tls_are_of_this_host_alone(web):
    address = "https://vigilo.example.com"
    settings = web.world.settings.model_copy(update={"debug": False, "base_url": address})
    app = create_app(settings, web.world.database)
    browser = app.test_client()
    page = browser.get("/login", base_url=address)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    form = {"email": "bob@x.example", "password": PASSWORD, "csrf_token": token[1]}
    answers = [page, browser.post("/login", data=form, base_url=address)]
    answers.append(browser.get("/start?choose=1", base_url=address))
    made = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
    assert {line.split("=")[0] for line in made} == {"__Host-vigilo", "__Host-_csrf_token"}
    for line in made:
        assert "Secure" in line
        assert "Path=/" in line
        assert "Domain" not in line
