"""Second factor: asked for after the password, taken once, guessed by nobody, never a way around either."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth import accounts, second_factor
from auth.accounts import AccountError
from auth.secret_key import secret_keys
from tests.web.people.test_account import send
from tests.webworld import EXECUTIVE, PASSWORD, WebWorld

STEP = timedelta(seconds=second_factor.STEP_SECONDS)


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC) + steps * STEP)


def enrolled(web: WebWorld, who: str = "alice") -> tuple[str, list[str]]:
    """Secret and recovery codes of somebody who switched it on by the page."""
    browser = web.sign_in(who)
    shown = send(browser, "/account/second-factor/enrol", password=PASSWORD).text
    secret = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", shown)
    assert secret
    assert "<svg" in shown
    done = send(browser, "/account/second-factor/confirm", code=code(secret[1], -1)).text
    codes = re.findall(r"<code>(\w{5}-\w{5}-\w{5})</code>", done)
    assert len(codes) == second_factor.CODES
    assert "10 recovery codes left" in browser.get("/account").text
    return secret[1], codes


def second(client: FlaskClient, given: str) -> TestResponse:
    """The second step, taken."""
    page = client.get("/second-factor")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    return client.post(
        "/second-factor", data={"code": given} | ({"csrf_token": token[1]} if token else {})
    )


def test_the_password_alone_opens_nothing(web):
    secret, _ = enrolled(web)
    browser = web.browser()
    first = web.attempt(browser, "alice@x.example", PASSWORD, EXECUTIVE)
    assert (first.status_code, first.location) == (302, "/second-factor")
    assert browser.get(EXECUTIVE).status_code == 302
    assert second(browser, "000000").status_code == 401
    done = second(browser, code(secret))
    assert (done.status_code, done.location) == (302, EXECUTIVE)
    assert browser.get(EXECUTIVE).status_code == 200


def test_a_code_opens_once(web):
    secret, codes = enrolled(web)
    now = code(secret)
    for given in (now, codes[0]):
        opened = []
        for _ in range(2):
            browser = web.browser()
            web.attempt(browser, "alice@x.example", PASSWORD)
            opened.append(second(browser, given).status_code)
        assert opened == [302, 401]


def test_guesses_are_counted_however_often_the_password_is_shown(web):
    secret, _ = enrolled(web)
    told = []
    for n in range(14):
        browser = web.browser()
        web.attempt(browser, "alice@x.example", PASSWORD)
        told.append(second(browser, f"{n:06}").status_code)
    assert told.count(401) == 10
    browser = web.browser()
    assert web.attempt(browser, "alice@x.example", PASSWORD).status_code == 429
    assert second(browser, code(secret)).status_code == 302
    assert browser.get(EXECUTIVE).status_code == 302


def test_the_second_step_without_the_first_leads_to_it(web):
    enrolled(web)
    answer = web.browser().get("/second-factor")
    assert (answer.status_code, answer.location) == (302, "/login")


def test_it_is_set_up_and_taken_away_with_the_password_alone(web):
    browser = web.sign_in("alice")
    refused = send(browser, "/account/second-factor/enrol", password="a wrong one").text
    assert "That is not your password." in refused
    enrolled(web)
    again = send(browser, "/account/second-factor/enrol", password=PASSWORD).text
    assert "A second factor is on already." in again
    renewed = send(browser, "/account/second-factor/codes", password=PASSWORD).text
    assert len(re.findall(r"<code>(\w{5}-\w{5}-\w{5})</code>", renewed)) == 10
    assert "That is not" in send(browser, "/account/second-factor/off", password="no").text
    send(browser, "/account/second-factor/off", password=PASSWORD)
    assert web.sign_in("alice").get(EXECUTIVE).status_code == 200


def test_a_secret_that_was_not_confirmed_asks_for_nothing(web):
    browser = web.sign_in("alice")
    send(browser, "/account/second-factor/enrol", password=PASSWORD)
    wrong = send(browser, "/account/second-factor/confirm", code="123")
    assert "not right" in wrong.text
    assert web.sign_in("alice").get(EXECUTIVE).status_code == 200


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-61, False), (-30, True), (30, True), (61, False)]
)
def test_clocks_differ_by_a_step(web, seconds, is_taken):
    jobs, keys = web.world.database.job, secret_keys(web.world.settings)
    secret = second_factor.enrol(jobs, keys, web.people["alice"], "X").secret
    now = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
    given = pyotp.TOTP(secret).at(now + timedelta(seconds=seconds))
    if is_taken:
        assert second_factor.confirm(jobs, keys, web.people["alice"], given, now)
    else:
        with pytest.raises(AccountError):
            second_factor.confirm(jobs, keys, web.people["alice"], given, now)


def test_a_password_that_was_changed_meanwhile_is_asked_for_anew(web):
    """A person who notices that their password is known changes it: what was begun with it ends."""
    secret, _ = enrolled(web)
    browser = web.browser()
    web.attempt(browser, "alice@x.example", PASSWORD)
    accounts.set_password(web.world.database.job, "alice@x.example", "another horse battery")
    answer = browser.get("/second-factor")
    assert (answer.status_code, answer.location) == (302, "/login")
    assert second(browser, code(secret)).location == "/login"
    assert browser.get(EXECUTIVE).status_code == 302
