"""Access: every route, every role, and nothing that this file does not know."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest
from dash.resources import Scripts
from sqlalchemy import event, text

from tests.web.test_callbacks import body, send
from tests.webworld import API, EXECUTIVE, csrf, make
from web.guard import ROUTES, local_target
from web.people.inviting import Inviting

PEOPLE = ("anonymous", "viewer", "engineer", "approver", "admin", "bob", "alice", "revoked", "dave")
MEMBERS = {"viewer", "engineer", "approver", "admin", "bob", "alice"}
KEEPERS = MEMBERS - {"viewer", "approver"}
SIGNED_IN = set(PEOPLE) - {"anonymous"}

GETS = {
    "/login": set(PEOPLE),
    "/healthz": set(PEOPLE),
    "/readyz": set(PEOPLE),
    "/metrics": set(PEOPLE),
    "/assets/base.css": set(PEOPLE),
    "/start": SIGNED_IN,
    "/logout": SIGNED_IN,
    "/_dash-layout": SIGNED_IN,
    "/_dash-dependencies": SIGNED_IN,
    "/api/docs": SIGNED_IN,
    "/api/openapi.json": SIGNED_IN,
    EXECUTIVE: {"alice"},
    "/ws/beta/platform/executive": {"alice"},
    "/ws/alpha/analytics": MEMBERS,
    "/ws/alpha/incidents": MEMBERS,
    "/ws/alpha/slos": MEMBERS,
    "/ws/alpha/governance/frameworks": MEMBERS,
    "/ws/alpha/monitor/certs": MEMBERS,
    "/ws/alpha/governance/vendors": MEMBERS,
    "/ws/beta/analytics": {"alice"},
    "/ws/nowhere/analytics": set(),
    "/ws/nowhere/platform/executive": {"alice"},
    "/workspaces.json": SIGNED_IN,
    "/help": SIGNED_IN,
    "/help/figures": SIGNED_IN,
    "/help/nothing": set(),
    "/ws/alpha/secrets": set(),
    "/anything/else": set(),
    API: {"alice"},
    **dict.fromkeys(
        (
            "/ws/alpha/records",
            "/ws/alpha/records/incidents/INC-0001",
            "/api/v1/ws/alpha/deliveries/",
            "/api/v1/ws/alpha/quarantine/",
            "/api/v1/ws/alpha/mapping/",
            "/api/v1/ws/alpha/records/deployments/alpha-1",
        ),
        KEEPERS,
    ),
    "/platform/nights": {"alice"},
    "/platform/audit": {"alice"},
    "/platform/annotations": KEEPERS,
    "/api/v1/platform/annotations/": KEEPERS,
    "/admin/settings": KEEPERS - {"engineer"},
    "/admin/settings?workspace=beta": {"alice"},
    "/platform/audit.csv": {"alice"},
    "/api/v1/platform/sources/": KEEPERS,
    "/first-run": {"alice"},
    "/first-run/account": set(),
    "/platform/sources": KEEPERS,
    "/platform/sources/new": KEEPERS - {"engineer"},
    "/platform/sources/1": set(),
    "/platform/signals": {"alice"},
    "/platform/signals.csv": {"alice"},
    "/platform/signals/digest": {"alice"},
    "/digest/stop/none": set(),
    "/invitation/never": set(),
    "/api/v1/platform/signals/": {"alice"},
    "/api/v1/workspaces/": SIGNED_IN,
    "/api/v1/definitions/": SIGNED_IN,
    "/api/v1/ws/alpha/domains/dora/": MEMBERS,
    "/api/v1/ws/beta/domains/dora/records": {"alice"},
    "/api/v1/ws/alpha/domains/nothing/": set(),
    "/api/v1/platform/answers/worst_change_failure_rate/": {"alice"},
    "/api/v1/platform/answers/nothing/": set(),
    "/ws/beta/records": {"alice"},
    "/api/v1/ws/beta/mapping/": {"alice"},
    "/ws/nowhere/records": set(),
    "/ws/alpha/records/incidents/nothing": set(),
    "/api/v1/ws/alpha/deliveries/00000000-0000-0000-0000-000000000000": set(),
    "/exports/00000000-0000-0000-0000-000000000000": set(),
}


@pytest.fixture
def browsers(web):
    return {who: web.browser() if who == "anonymous" else web.sign_in(who) for who in PEOPLE}


def test_every_path_is_open_to_exactly_those_who_may(browsers):
    for path, allowed in GETS.items():
        for who, browser in browsers.items():
            answer = browser.get(path)
            redirected_home = path in ("/start", "/login") and answer.status_code == 302
            through = answer.status_code == 200 or (
                redirected_home and "/login" not in answer.location
            )
            assert through == (who in allowed), f"{who} {path}: {answer.status_code}"


def test_an_invitation_is_open_to_whoever_holds_its_link(web, browsers):
    world = web.world
    door = Inviting(world.database.job, world.settings, (world.alpha, "alpha"))
    path = urlsplit(door.link("new@x.example", "viewer")).path
    for who, browser in browsers.items():
        assert browser.get(path).status_code == 200, who
        taken = browser.post(path, data={}, headers=csrf(browser))
        assert taken.status_code == 422, who
    door.withdraw("new@x.example")
    for who, browser in browsers.items():
        assert browser.get(path).status_code == 404, who


def test_no_route_is_unknown_to_the_gate(web):
    unknown = {
        rule.endpoint
        for rule in web.app.url_map.iter_rules()
        if rule.endpoint not in ROUTES and not web.browser().get(str(rule)).status_code >= 400
    }
    assert unknown == set()


def test_it_requires_platform_admin_and_says_so_without_a_layout(web):
    answer = web.sign_in("bob").get(EXECUTIVE)
    assert answer.status_code == 403
    assert "platform_admin_required" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert "_dash" not in answer.text
    assert "%" not in answer.text


def test_a_stranger_is_sent_to_sign_in_and_back(web):
    browser = web.browser()
    answer = browser.get(EXECUTIVE + "?period=90")
    assert answer.status_code == 302
    assert answer.location == f"/login?next={EXECUTIVE}%3Fperiod%3D90"
    done = web.attempt(
        browser, "alice@x.example", "correct horse battery", EXECUTIVE + "?period=90"
    )
    assert done.location == EXECUTIVE + "?period=90"


@pytest.mark.parametrize("slug", ["ab", "a" * 31, "Alpha", "a--"])
@pytest.mark.parametrize("page", ["platform/executive", "analytics"])
def test_what_can_be_no_slug_is_no_address(web, slug, page):
    alice = web.sign_in("alice")
    assert alice.get(f"/ws/{slug}/{page}").status_code == 404
    assert alice.get(f"/ws/alpha/{page}").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        None,
        "/" + "x" * 3000,
        "/a\nb",
        "evil",
    ],
)
def test_sign_in_never_leads_elsewhere(target):
    assert local_target(target) == "/"


def test_a_revoked_platform_admin_is_out_with_the_next_request(web):
    browser = web.sign_in("alice")
    assert browser.get(EXECUTIVE).status_code == 200
    web.world.revoke(web.people["alice"], web.world.alpha)
    web.world.revoke(web.people["alice"], web.world.beta)
    assert browser.get(EXECUTIVE).status_code == 403
    assert browser.get(API).json["code"] == "platform_admin_required"
    assert browser.get("/ws/alpha/analytics").status_code == 404


def test_a_platform_admin_of_inactive_workspaces_sees_the_page_that_says_so(web):
    with web.world.database.job.begin() as connection:
        connection.execute(text("update workspace set is_active = false"))
    browser = web.sign_in("alice")
    assert browser.get(EXECUTIVE).status_code == 200
    found = browser.get(API).json
    assert found["scope"] == {
        "workspaces": 0,
        "left_out": {"inactive": 2, "other_region": 0},
        "unavailable": [],
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_change_from_another_site_is_refused(web, headers):
    browser = web.sign_in("alice")
    answer = browser.post("/exports", json={}, headers=csrf(browser) | headers)
    assert (answer.status_code, answer.json["code"]) == (403, "cross_site")


def test_a_change_without_the_csrf_token_is_refused(web):
    browser = web.sign_in("alice")
    for path in ("/exports", "/_dash-update-component"):
        answer = browser.post(path, json={})
        assert (answer.status_code, answer.json["code"]) == (403, "csrf_failed"), path
    assert browser.post("/logout").status_code == 403
    assert browser.get(EXECUTIVE).status_code == 200


def test_a_large_body_is_refused(web):
    browser = web.sign_in("alice")
    answer = browser.post("/exports", data=b"x" * 70_000, headers=csrf(browser))
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


def test_the_browser_is_told_to_be_strict(web):
    for path in ("/login", "/healthz", API):
        headers = web.browser().get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe-eval" not in policy
        assert "script-src 'self' 'sha256-" in policy
        assert "'unsafe-inline'" not in policy.split("style-src")[0]
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_metrics_count_requests_by_route_for_this_machine_only(web):
    web.sign_in("alice").get(EXECUTIVE)
    said = web.browser().get("/metrics").text
    assert 'vigilo_requests_total{route="/login",status="302"} 1.0' in said
    assert "alpha" not in said
    assert (
        web.browser().get("/metrics", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 403
    )


def test_health_says_nothing_about_data(web):
    assert web.browser().get("/healthz").text == "ok\n"
    assert web.browser().get("/readyz").text.splitlines()[0] == "ready"


def test_the_first_requests_of_a_process_may_come_at_once(web, monkeypatch):
    path = "/_dash-component-suites/dash/dash-renderer/build/dash_renderer.min.js"
    in_setup, answered = threading.Event(), threading.Event()

    def slow(_scripts: Scripts, **_options: object) -> list[str]:
        in_setup.set()
        answered.wait(10)
        return []

    monkeypatch.setattr(Scripts, "get_all_scripts", slow)
    first = threading.Thread(target=lambda: web.browser().get(path))
    first.start()
    in_setup.wait(0.5)
    answer = web.browser().get(path, headers={"Accept-Encoding": "br"})
    answered.set()
    first.join()
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "br"


@pytest.mark.parametrize("is_ready", [False, True])
def test_the_gate_and_the_frame_ask_once(database, settings, tmp_path, is_ready):
    """A page proves who asks in a transaction of the gate, of the badge of signals and of the figures' age;
    each costs five round trips. That the first answer has figures, and the news beside them, adds none."""
    # a cache of its own: worlds are alike, and another test's figures would do
    web = make(database, settings.model_copy(update={"cache_dir": tmp_path / "cache"}))
    alice, asked, own = web.sign_in("alice"), [], threading.get_ident()
    if is_ready:
        assert send(alice, body()).status_code == 200
    assert ('id="first-figures"' in alice.get(EXECUTIVE).text) is is_ready

    @event.listens_for(web.world.database.web, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_more):
        if threading.get_ident() == own:  # what is made ready behind a request is not its own
            asked.append(statement)

    assert alice.get(EXECUTIVE).status_code == 200
    assert sum("vigilo.challenge" in statement for statement in asked) == 3
    assert sum("from vigilo.my_workspaces()" in statement for statement in asked) == 2
