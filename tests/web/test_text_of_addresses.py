"""Paths, queries and headers: a clean 4xx that names what is no text, never a server error."""

from __future__ import annotations

import re

import pytest

from tests.deep import every
from tests.web.hostile import DIGITS, MEMBERS, get, refused
from tests.webworld import API, EXECUTIVE, csrf

PATHS = (
    "/\x00",
    "/login\x00",
    "/assets/\x00.css",
    "/assets/a\x00b/base.css",
    "/ws/al\x00pha/analytics",
    "/ws/al\x00pha/platform/executive",
    "/ws/\x00/admin/members",
    "/ws/alpha/records/do\x00ra.csv",
    "/exports/\x00",
    "/api/v1/\x00",
    "/_dash-component-suites/\x00/x.js",
    "/healthz\x00",
    "/ws/\xff\xfe/analytics",
    "/ws/\xed\xa0\x80/analytics",
    "/" + "a" * 20_000,
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["alice", None])
def test_a_path_that_is_no_text_is_refused(shared_web, alice, path, who):
    refused(get(alice if who else shared_web.browser(), path), "path")


MISSING_PATHS = (
    "/_dash-component-suites/a/b",
    "/_dash-component-suites/dash/../../app.py",
    "/_dash-component-suites/dash/none.v1m2.js",
    "/exports/schedule/٢٨/remove",
    f"/exports/schedule/{DIGITS}/remove",
    f"/exports/schedule/{2**63}/remove",
    "/exports/schedule/-1/remove",
    "/exports/schedule/1.5/remove",
    f"/ws/{'a' * 300}/analytics",
    f"/ws/{'a' * 300}/admin/members",
    f"/ws/{'a' * 300}/records/dora.csv",
    "/ws/ALPHA/admin/members",
    "/ws/älpha/admin/members",
    "/exports/00000000-0000-0000-0000-00000000000g",
    "/exports/00000000-0000-0000-0000-000000000000/cancel",
)


@pytest.mark.parametrize("path", MISSING_PATHS)
def test_a_path_that_leads_nowhere_is_a_clean_refusal(alice, path):
    for answer in (alice.get(path), alice.post(path, headers=csrf(alice))):
        assert answer.status_code in (400, 404, 405), (path, answer.status_code)


QUERIES = (
    (API, "period=%00", "period"),
    (API, "period=28%00", "period"),
    (API, "domain=dora&domain=%00", "domain"),
    (API, "%00=1", None),
    (API, "period=%ff", "period"),
    (API, "period=%ed%a0%80", "period"),
    (API, "period=\xff", "period"),
    (API, f"limit={DIGITS}", "limit"),
    (API, "limit=%D9%A2%D9%A8", "limit"),
    (API, f"limit={2**63}", "limit"),
    (API, "period=%D9%A2%D9%A8", "period"),
    (API, "offset=-1", "offset"),
    (API, "offset=1.5", "offset"),
    (API, "offset=1e3", "offset"),
    (API, "offset=NaN", "offset"),
    (API, f"domain={'x' * 12_000}", "domain"),
    (API, "start=%D9%A2026-01-01&end=2026-01-02", "start"),
    ("/login", "next=%00", "next"),
    ("/login", "next=/%ff", "next"),
    ("/start", "choose=%00", "choose"),
    ("/healthz", "x=%00", "x"),
    (MEMBERS, "revoke=%00", "revoke"),
    (EXECUTIVE, "period=%00", "period"),
    ("/ws/alpha/records/dora.csv", "period=28&filter=%00", "filter"),
    ("/ws/alpha/records/dora.csv", 'filter={"failed":{"type":"equals","filter":"\\ud800"}}', None),
    ("/ws/alpha/records/dora.csv", 'filter={"failed":{"type":"equals","filter":"\\u0000"}}', None),
    ("/ws/alpha/records/dora.csv", f'filter={{"changes":{{"type":"equals","filter":{10**30}}}}}', None),
    ("/ws/alpha/records/dora.csv", 'filter={"changes":{"type":"equals","filter":NaN}}', None),
    ("/ws/alpha/records/dora.csv", 'filter={"changes":{"type":"equals","filter":Infinity}}', None),
    ("/ws/alpha/records/dora.csv", 'filter={"changes":{"type":"equals","filter":1e400}}', None),
    ("/ws/alpha/records/dora.csv", f'filter={{"changes":{{"type":"equals","filter":{DIGITS}}}}}', None),
    ("/ws/alpha/records/dora.csv", 'filter={"changes":1,"changes":2}', None),
    ("/ws/alpha/records/dora.csv", f"filter={'[' * 5000}", "filter"),
    ("/ws/alpha/records/dora.csv", f"sort={'[' * 500}{']' * 500}", None),
    ("/ws/alpha/records/dora.csv", "sort=7", "sort"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "query", "field"), QUERIES)
def test_a_query_that_is_no_text_is_refused_by_name(alice, path, query, field):
    refused(get(alice, path, query), field)


@pytest.mark.parametrize("query", ["next=%00", "x=%00", "period=%ff"])
def test_a_stranger_is_refused_as_well(shared_web, query):
    for path in ("/login", EXECUTIVE, "/nowhere", API):
        refused(get(shared_web.browser(), path, query), query.partition("=")[0])


def test_an_address_that_no_sign_in_leads_back_to_makes_no_header_that_a_proxy_refuses(shared_web):
    answer = get(shared_web.browser(), "/exports", "filter=" + "a" * 7900, HTTP_ACCEPT="text/html")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login"


BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", [p for p in PATHS if not p.startswith(("/api", "/_dash"))])
@pytest.mark.parametrize("who", ["alice", None])
def test_a_browser_is_shown_a_page_about_a_path_that_is_no_text(shared_web, alice, path, who):
    answer = get(alice if who else shared_web.browser(), path, **BROWSER)
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert "<h1>The address can not be read</h1>" in answer.text
    assert "The path is no " in answer.text
    assert "Follow the link again" in answer.text
    assert "request <code>" in answer.text


@pytest.mark.parametrize("path", [p for p in PATHS if p.startswith(("/api", "/_dash"))])
def test_a_browser_is_told_as_a_program_is_what_only_programs_ask_for(alice, path):
    refused(get(alice, path, **BROWSER), "path")


@pytest.mark.parametrize("query", ["period=%00", "next=%00", "x=%ff"])
@pytest.mark.parametrize("path", ["/login", EXECUTIVE, "/nowhere", "/exports", "/assets/base.css"])
def test_a_browser_is_shown_a_page_about_a_query_that_is_no_text(alice, path, query):
    answer = get(alice, path, query, **BROWSER)
    assert answer.status_code == 422
    assert "<h1>The address can not be read</h1>" in answer.text
    name = query.partition("=")[0]
    assert re.search(
        rf"<p>{name.capitalize()} (holds the character U\+0000|is no UTF-8)\. Follow", answer.text
    )
    assert "%00" not in answer.text


def test_a_form_that_is_no_text_is_told_on_a_page_and_not_as_an_address(alice):
    answer = alice.post(
        "/exports", data={"period": "\0"}, headers=csrf(alice) | {"Accept": "text/html"}
    )
    assert answer.status_code == 422
    assert "<h1>That did not work</h1>" in answer.text
    assert "Period holds the character U+0000. Go back and try again." in answer.text


HEADERS = (
    ("Cookie", "vigilo=\x00"),
    ("Cookie", "vigilo=" + "a" * 20_000),
    ("Cookie", "vigilo=a; _csrf_token=\x00"),
    ("Authorization", "Bearer vgl_\x00"),
    ("Authorization", "Bearer " + "x" * 20_000),
    ("X-CSRFToken", "\x00"),
    ("If-None-Match", 'W/"\x00"'),
    ("Accept", "text/html\x00"),
    ("Prefer", "\x01"),
    ("Origin", "http://\x00"),
    ("Referer", "\x7f"),
    ("X-Unknown", "a\x00b"),
)


@pytest.mark.parametrize(("name", "value"), HEADERS)
def test_a_header_that_is_no_text_is_refused_by_name(shared_web, name, value):
    key = f"HTTP_{name.upper().replace('-', '_')}"
    refused(get(shared_web.app.test_client(use_cookies=False), API, **{key: value}), name.title())


ODD_HEADERS = (
    ("COOKIE", 'vigilo="\\377\\000"'),
    ("COOKIE", "vigilo=\xff\xfe"),
    ("COOKIE", "vigilo"),
    ("COOKIE", "=;=;;;vigilo=,"),
    ("AUTHORIZATION", "Bearer"),
    ("AUTHORIZATION", "Bearer \xff"),
    ("AUTHORIZATION", "Basic ===="),
    ("AUTHORIZATION", "Digest x"),
    ("ACCEPT_ENCODING", "br;q=x, gzip;q=-1, *;q=1e400"),
    ("ACCEPT", ";;;q=;q="),
    ("IF_NONE_MATCH", '"unclosed'),
    ("IF_MODIFIED_SINCE", "yesterday"),
    ("RANGE", "bytes=9999999999999999999999-"),
    ("HOST", "["),
    ("HOST", "a b"),
    ("HOST", "x:99999999999"),
    ("ORIGIN", "["),
    ("X_FORWARDED_FOR", ",,,"),
    ("X_FORWARDED_PROTO", "\xff"),
)


@pytest.mark.parametrize(("name", "value"), every(4, ODD_HEADERS, several=True))
@pytest.mark.parametrize("path", [API, EXECUTIVE, "/login", "/assets/base.css", "/exports"])
def test_an_odd_header_is_no_error_of_ours(shared_web, alice, path, name, value):
    for client in (alice, shared_web.app.test_client(use_cookies=False)):
        assert get(client, path, **{f"HTTP_{name}": value}).status_code < 500
