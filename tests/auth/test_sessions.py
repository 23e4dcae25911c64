"""Sign-in and sessions: rotated, dead after sign-out, throttled, silent about accounts."""

from __future__ import annotations

import pytest
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import text

from app import create_app
from auth import accounts, credentials
from auth.passwords import WeakPassword, hash_password, verify_password
from auth.sessions import ServerSession
from tests.webworld import EXECUTIVE, PASSWORD, csrf
from web.people.attempts import TOO_MANY
from web.sign_in import WRONG


def cookie(client) -> str:
    found = client.get_cookie("vigilo")
    return found.value if found else ""


def sessions(web) -> int:
    with web.world.database.owner.connect() as connection:
        return connection.execute(text("select count(*) from web_session")).scalar_one()


def test_the_database_holds_only_a_hash(web):
    browser = web.sign_in("alice")
    with web.world.database.owner.connect() as connection:
        stored = connection.execute(
            text("select id_hash from web_session where user_id is not null")
        )
        (kept,) = stored.scalars()
    assert cookie(browser).encode() not in bytes(kept)
    assert len(bytes(kept)) == 32


def test_the_id_changes_at_sign_in_and_the_old_one_is_dead(web):
    browser = web.browser()
    browser.get("/login")
    before = cookie(browser)
    web.attempt(browser, "alice@x.example", PASSWORD)
    assert before
    assert cookie(browser) != before
    fixed = web.browser()
    fixed.set_cookie("vigilo", before)
    assert fixed.get(EXECUTIVE).status_code == 302


def test_a_copied_cookie_is_dead_after_sign_out(web):
    browser = web.sign_in("alice")
    thief = web.browser()
    thief.set_cookie("vigilo", cookie(browser))
    assert thief.get(EXECUTIVE).status_code == 200
    assert browser.post("/logout", headers=csrf(browser)).status_code == 302
    assert thief.get(EXECUTIVE).status_code == 302
    assert browser.get(EXECUTIVE).status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        "update app_user set is_active = false",
        "update app_user set password_changed_at = now() + interval '1 second'",
        "update web_session set seen_at = now() - interval '13 hours'",
        "update web_session set expires_at = now()",
    ],
)
def test_a_session_ends_with_the_account_the_password_and_time(web, change):
    browser = web.sign_in("alice")
    assert browser.get(EXECUTIVE).status_code == 200
    with web.world.database.owner.begin() as connection:
        connection.execute(text(change))
    assert browser.get(EXECUTIVE).status_code == 302


def test_visitors_leave_no_row(web):
    for path in ("/healthz", "/assets/base.css", "/", EXECUTIVE, "/login", "/login?next=/start"):
        web.browser().get(path)
    for _ in range(3):
        web.attempt(web.browser(), "alice@x.example", "wrong password")
    assert sessions(web) == 0


def test_a_visitors_cookie_can_not_be_written_by_them(web):
    forged = web.browser()
    forged.set_cookie("vigilo", "~eyJfdXNlcl9pZCI6IjEifQ.aaaaaa.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
    assert forged.get(EXECUTIVE).status_code == 302
    signer = URLSafeTimedSerializer(web.app.config["SECRET_KEY"], salt="another purpose")
    forged.set_cookie("vigilo", "~" + signer.dumps({"_user_id": "1"}))
    assert forged.get(EXECUTIVE).status_code == 302


def test_known_and_unknown_addresses_answer_alike(web):
    known = web.attempt(web.browser(), "alice@x.example", "wrong password")
    unknown = web.attempt(web.browser(), "nobody@x.example", "wrong password")
    assert known.status_code == unknown.status_code == 401
    assert WRONG in known.text
    assert (
        known.text.replace("alice", "").split("csrf")[0]
        == unknown.text.replace("nobody", "").split("csrf")[0]
    )


def test_ten_failures_block_the_account_even_with_the_right_password(web):
    for _ in range(10):
        assert web.attempt(web.browser(), "alice@x.example", "wrong password").status_code == 401
    blocked = web.attempt(web.browser(), "alice@x.example", PASSWORD)
    assert (blocked.status_code, TOO_MANY in blocked.text) == (429, True)
    with web.world.database.owner.begin() as connection:
        connection.execute(text("update sign_in_failure set at = at - interval '16 minutes'"))
    assert web.attempt(web.browser(), "alice@x.example", PASSWORD).status_code == 302


def test_a_request_under_way_does_not_bring_a_session_back(web):
    browser = web.sign_in("alice")
    id = cookie(browser)
    under_way = ServerSession(id, {"_user_id": "1"})
    under_way["late"] = True
    browser.post("/logout", headers=csrf(browser))
    answer = web.app.response_class()
    web.app.session_interface.save_session(web.app, under_way, answer)
    assert sessions(web) == 0


def test_ten_failures_block_the_address_over_all_accounts(web):
    for i in range(10):
        web.attempt(web.browser(), f"guess{i}@x.example", "wrong password")
    assert web.attempt(web.browser(), "alice@x.example", PASSWORD).status_code == 429


def test_empty_fields_are_named_beside_the_field(web):
    page = web.attempt(web.browser(), "", "")
    assert "Enter your e-mail address." in page.text
    assert 'aria-describedby="email-error"' in page.text


def test_passwords_are_argon2id_and_bounded():
    stored = hash_password("a good password")
    assert stored.startswith("$argon2id$")
    assert verify_password(stored, "a good password")
    assert not verify_password(stored, "a good passwore")
    assert not verify_password(None, "nobody has this password")
    for wrong in ("short", "x" * 201):
        with pytest.raises(WeakPassword):
            hash_password(wrong)


def test_cookies_are_host_bound_and_secure_outside_debug(web):
    settings = web.world.settings.model_copy(
        update={"debug": False, "base_url": "https://vigilo.example.com"}
    )
    app = create_app(settings, web.world.database)
    answer = app.test_client().get("/login", base_url="https://vigilo.example.com")
    made = answer.headers["Set-Cookie"]
    assert made.startswith("__Host-vigilo=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in made
    assert "Domain" not in made
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_sessions_that_open_nothing_any_more_are_deleted(web):
    web.sign_in("alice")
    web.sign_in("bob")
    web.world.sql(
        "update web_session set seen_at = now() - interval '13 hours'"
        " where user_id = (select id from app_user where email = 'bob@x.example')"
    )
    assert credentials.forget_ended(web.world.database.job) == 1
    assert sessions(web) == 1


def test_a_password_that_is_changed_while_it_is_looked_at_opens_nothing(web, monkeypatch):
    """Under load a sign-in waits for its turn for seconds."""
    real = accounts.verify_password

    def slowly(stored: str | None, password: str) -> bool:
        is_right = real(stored, password)
        accounts.set_password(web.world.database.job, "alice@x.example", "another horse battery")
        return is_right

    monkeypatch.setattr(accounts, "verify_password", slowly)
    browser = web.browser()
    assert web.attempt(browser, "alice@x.example", PASSWORD).status_code == 401
    assert browser.get(EXECUTIVE).status_code == 302
