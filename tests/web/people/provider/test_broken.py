"""An identity provider that describes itself wrongly, is broken, slow or answers without end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest

from auth.provider import asking, client
from auth.provider.discovery import checked_parts
from tests.deep import every
from tests.served import until
from tests.webworld import EXECUTIVE, PASSWORD

DISCOVERY = "/.well-known/openid-configuration"
DOCUMENT = {
    "issuer": "https://idp.example",
    "authorization_endpoint": "https://idp.example/authorize",
    "token_endpoint": "https://login.idp.example/token",
    "jwks_uri": "https://idp.example/keys",
}


@pytest.mark.parametrize(
    "address",
    ["http://idp.example/x", "https://127.0.0.1/x", "https://localhost/x", "https://127.1/x", "https://2130706433/x",
     "https://[::1]/x", "https://0.0.0.0/x", "https://169.254.169.254/x", "https://a.localhost/x", "ftp://idp.example/x",
     "https:///x", "https://idp.example/x#y", "https://me@idp.example/x", "https://idp.example/ x", ""],
)  # fmt: skip
def test_a_provider_over_tls_leads_nowhere_else_than_over_tls_and_not_into_this_machine(address):
    assert checked_parts("https://idp.example/", DOCUMENT)["token_endpoint"].startswith(
        "https://login."
    )
    for field in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        with pytest.raises(ValueError, match="address of the provider"):
            checked_parts("https://idp.example", DOCUMENT | {field: address})
    document = DOCUMENT | {"end_session_endpoint": address}
    assert checked_parts("https://idp.example", document)["end_session_endpoint"] is None


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"issuer": "http://127.0.0.1:1"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "/relative"},
        {"authorization_endpoint": "https://user:pass@evil.example/"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": ["x"]},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": 5},
        {"jwks_uri": "http://[fe80::1]/jwks"},
        {"id_token_signing_alg_values_supported": ["none"]},
        {"id_token_signing_alg_values_supported": ["HS256"]},
        {"id_token_signing_alg_values_supported": "RS256"},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_wrongly_is_not_gone_to(site, said):
    site.north.lies.discovery = said
    browser = site.browser()
    answer = site.begin(browser)
    assert answer.status_code == 403
    assert "does not answer as it should" in answer.text
    site.north.lies.discovery = {}
    assert site.begin(browser).status_code == 302, "it was asked again once it was mended"


def raw(content: bytes, status: int = 200, **headers: str) -> flask.Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return flask.Response(content, status, {"Content-Type": "application/json", **named})


BROKEN = {
    "nothing": lambda: raw(b""),
    "no JSON": lambda: raw(b"<html>"),
    "a list": lambda: raw(b"[1]"),
    "a number": lambda: raw(b"5"),
    "null": lambda: raw(b"null"),
    "deep": lambda: raw(b"[" * 200_000),
    "10 MB": lambda: raw(json.dumps({"keys": [], "x": "y" * 10_000_000}).encode()),
    "a fault": lambda: raw(b"{}", 500),
    "not there": lambda: raw(b"{}", 404),
    "elsewhere": lambda: raw(b"", 307, Location="http://127.0.0.1:1/"),
    "no text": lambda: raw(b'{"issuer": "\\ud800", "keys": [{"kty": "\\u0000"}], "id_token": "\\ud800"}'),
    "odd": lambda: raw(b'{"keys": {"kty": 1}, "id_token": 5, "access_token": [], "expires_in": "x"}'),
    "packed": lambda: raw(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
}  # fmt: skip


@pytest.mark.parametrize("how", every(3, BROKEN))
@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/oauth2/token"])
def test_a_broken_provider_is_said_in_words(site, path, how):
    sub, _ = site.somebody()
    browser = site.browser()
    there = site.begin(browser) if path != DISCOVERY else None
    site.north.lies.answers[path] = BROKEN[how]
    if there is None:
        assert site.refused(browser, site.begin(browser))
    else:
        assert site.refused(browser, site.finish(browser, site.at_provider(there, sub)))
    assert site.web.sign_in("alice", PASSWORD).get(EXECUTIVE).status_code == 200


def test_thousands_of_keys_are_refused(site):
    sub, _ = site.somebody()
    keys = [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": str(n)} for n in range(5000)]
    site.north.lies.answers["/jwks"] = lambda: raw(json.dumps({"keys": keys}).encode())
    browser = site.browser()
    assert site.refused(browser, site.comes(sub, browser))


def trickle() -> flask.Response:
    """A byte now and then, for ever."""

    def pieces() -> Iterator[bytes]:
        for _ in range(2000):
            yield b" "
            time.sleep(0.05)

    return flask.Response(pieces(), content_type="application/json")


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/oauth2/token"])
def test_a_provider_that_trickles_is_given_up(site, path, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.5)
    sub, _ = site.somebody()
    browser = site.browser()
    there = site.begin(browser) if path != DISCOVERY else None
    back = there and site.at_provider(there, sub)
    site.north.lies.answers[path] = trickle
    begun = time.monotonic()
    assert site.refused(browser, site.finish(browser, back) if back else site.begin(browser))
    assert time.monotonic() - begun < 60, "it would have gone on for a hundred seconds"


def test_a_provider_that_hangs_holds_a_few_requests_alone(site, monkeypatch):
    """Anybody can begin a sign-in: those who do must not take every thread."""
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 120)
    let_go = threading.Event()
    together, most, lock = [0], [0], threading.Lock()

    def hang() -> flask.Response:
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        let_go.wait(60)
        with lock:
            together[0] -= 1
        return raw(b"{}")

    site.north.lies.answers[DISCOVERY] = hang
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(site.begin, site.browser()) for _ in range(12)]
        try:
            until(lambda: sum(each.done() for each in waiting) >= 12 - asking.AT_ONCE)
        finally:
            let_go.set()
        assert {each.result().status_code for each in waiting} == {403}
    assert most[0] <= asking.AT_ONCE


def test_a_description_that_can_not_be_read_again_stands_a_while(site, monkeypatch):
    sub, email = site.somebody()
    assert site.comes(sub).status_code == 302
    monkeypatch.setattr(client, "KNOWN_SECONDS", -1.0)
    site.north.lies.answers[DISCOVERY] = BROKEN["a fault"]
    browser = site.browser()
    site.comes(sub, browser)
    assert email in site.who(browser)
    assert DISCOVERY in site.north.lies.asked
