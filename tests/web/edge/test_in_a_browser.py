"""Tries in a real browser: pages keep to their policy, and other sites change nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import text
from werkzeug.serving import BaseWSGIServer, make_server

from tests.conftest import superuser
from tests.deep import all_but, long
from tests.webworld import WebWorld
from web.shell.pages import ACCOUNT, HELP, PAGES, served_rules

ELSEWHERE = "http://elsewhere.example/"
FORM = '<form id=f method=post action="{there}" {more}>{fields}</form><script>f.submit()</script>'
MEMBER = "".join(f"<input name={name} value='{value}'>" for name, value in (
    ("action", "add"), ("email", "eve@x.example"), ("role", "owner")))  # fmt: skip
JSON = """<input name='{"period":"7","x":"' value='"}'>"""
FETCH = "<script>fetch('{there}', {{credentials: 'include', {more}}}).catch(() => 0)</script>"
MEMBERS = "/ws/alpha/admin/members"
ATTACKS = {
    "a form": FORM.format(there="{at}" + MEMBERS, more="", fields=MEMBER),
    "a form of files": FORM.format(
        there="{at}" + MEMBERS, more="enctype=multipart/form-data", fields=MEMBER
    ),
    "a form that is JSON": FORM.format(
        there="{at}/exports", more="enctype=text/plain", fields=JSON
    ),
    "a form in a frame": "<iframe name=i></iframe>"
    + FORM.format(there="{at}" + MEMBERS, more="target=i", fields=MEMBER),
    "a form in a window": FORM.format(
        there="{at}/account/sign-out-everywhere", more="target=_blank", fields=""
    ),
    "a form that signs out": FORM.format(there="{at}/logout", more="", fields=""),
    "a fetch": FETCH.format(
        there="{at}/exports", more="method: 'POST', mode: 'no-cors', body: '{}'"
    ),
    "a fetch of a form": FETCH.format(
        there="{at}" + MEMBERS,
        more="method: 'POST', mode: 'no-cors', body:"
        " new URLSearchParams('action=add&email=eve@x.example&role=owner')",
    ),
    "a fetch that asks first": FETCH.format(
        there="{at}/api/v1/ws/alpha/mapping/",
        more="method: 'PUT', headers: {'Content-Type': 'application/json'}, body: '{}'",
    ),
    "a fetch with a token of its own": FETCH.format(
        there="{at}/account/tokens",
        more="method: 'POST', headers: {'X-CSRFToken': 'x'}, body: new URLSearchParams('name=x')",
    ),
    "a beacon": "<script>navigator.sendBeacon('{at}/account/sessions/end-others')</script>",
    "a picture": "<img src='{at}/logout'><img src='{at}/exports/schedule/1/remove'>",
}


@pytest.fixture(scope="module")
def program(shared_web) -> Iterator[BaseWSGIServer]:
    """The application, served."""
    server = make_server("127.0.0.1", 0, shared_web.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def alices(shared_web, program, alice: FlaskClient, browser: Browser) -> Iterator[BrowserContext]:
    """The platform admin's browser."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{program.server_port}")
    cookies = [("vigilo", alice.get_cookie("vigilo"))]
    context.add_cookies(
        [
            {"name": name, "value": cookie.value, "domain": "127.0.0.1", "path": "/",
             "sameSite": "Lax", "httpOnly": True}
            for name, cookie in cookies if cookie
        ]
    )  # fmt: skip
    yield context
    context.close()


def state(web: WebWorld) -> dict[str, str]:
    """Digest of every table but the audit's, and of sessions without when they were seen."""
    with superuser(web.world.database).connect() as connection:
        names = connection.execute(
            text(
                "select tablename from pg_tables where schemaname = 'public'"
                " and tablename not like 'audit%' and tablename <> 'web_session'"
            )
        ).scalars()
        of_rows = "select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {} t"
        digests = {
            name: connection.execute(text(of_rows.format(name))).scalar_one()
            for name in names.all()
        }
        sessions = text("select count(*)::text from web_session")
        return digests | {"web_session": connection.execute(sessions).scalar_one()}


@pytest.mark.parametrize("name", all_but(["a form", "a fetch with a token of its own"], ATTACKS))
def test_another_site_changes_nothing(shared_web, program, alices, name):
    at = f"http://127.0.0.1:{program.server_port}"
    before, page = state(shared_web), alices.new_page()
    html = ATTACKS[name].replace("{at}", at)
    alices.route(f"{ELSEWHERE}**", lambda way: way.fulfill(body=html, content_type="text/html"))
    with alices.expect_event("request", lambda sent: sent.url.startswith(at), timeout=60_000):
        page.goto(ELSEWHERE, wait_until="commit")
    page.wait_for_timeout(400)
    assert state(shared_web) == before
    assert page.goto(f"{at}/account").url.endswith("/account"), "still signed in"


@long("tests/site/test_workflows.py::test_triage_certificates_across_the_org")
def test_no_page_violates_its_policy(shared_web, alices):
    rules = [page.rule for page in PAGES if page.rule.rstrip("/") in served_rules(shared_web.app)]
    paths = [rule.replace("<slug>", "alpha") for rule in (*rules, HELP, ACCOUNT)]
    page, complaints = alices.new_page(), []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in (
        *paths,
        "/ws/alpha/analytics",
        "/ws/alpha/records",
        "/logout",
        "/login",
        "/api/docs",
    ):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert (
            "unsafe-inline" not in answer.headers["content-security-policy"].split("style-src")[0]
        )
        page.wait_for_timeout(150)
    assert complaints == []
