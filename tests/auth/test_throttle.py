"""Failed sign-ins: ten are told, attempts in flight are none, and a fault of ours locks nobody out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from auth import throttle
from tests.conftest import superuser
from tests.webworld import HASH, PASSWORD
from web.people.attempts import TOO_MANY

OFFICE = "203.0.113.9"
CUT = text(
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where pid <> pg_backend_pid() and usename like 'vigilo%'"
)


def attempt(web, email: str, password: str) -> TestResponse:
    """A sign-in from the office."""
    client = web.browser()
    client.environ_base["REMOTE_ADDR"] = OFFICE
    return web.attempt(client, email, password)


def failures(web) -> int:
    with web.world.database.owner.connect() as connection:
        return connection.execute(text("select count(*) from sign_in_failure")).scalar_one()


def test_of_forty_guesses_at_once_ten_are_judged(web):
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: attempt(web, "alice@x.example", f"wrong {n}"), range(40))
        )
    told = [answer.status_code for answer in answers]
    assert (told.count(401), told.count(429)) == (10, 30)
    assert failures(web) == 10


def test_the_right_guess_among_too_many_is_told_like_a_wrong_one(web):
    for n in range(10):
        attempt(web, "alice@x.example", f"wrong {n}")
    blocked = attempt(web, "alice@x.example", PASSWORD)
    assert (blocked.status_code, TOO_MANY in blocked.text) == (429, True)
    assert blocked.headers["Retry-After"] == "900"


def test_what_is_judged_at_once_is_noted_one_after_the_other(web):
    engine = web.world.database.owner
    with ThreadPoolExecutor(8) as threads:
        judged = list(
            threads.map(
                lambda _: throttle.note_attempt(engine, "a@x.example", OFFICE, is_right=False),
                range(40),
            )
        )
    assert judged.count(True) == 10


def test_twenty_people_with_right_passwords_behind_one_address_all_come_in(web):
    people = [f"p{n}@x.example" for n in range(20)]
    for email in people:
        web.world.person(email, password_hash=HASH)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda email: attempt(web, email, PASSWORD), people))
    assert {answer.status_code for answer in answers} == {302}
    assert failures(web) == 0


def test_a_right_password_clears_what_its_account_failed_before(web):
    for _ in range(3):
        for n in range(8):
            attempt(web, "alice@x.example", f"wrong {n}")
        assert attempt(web, "alice@x.example", PASSWORD).status_code == 302
    assert failures(web) == 0


def test_a_database_that_went_away_locks_nobody_out(web):
    """The server's end of every connection is cut in the middle of fifteen attempts."""
    database = web.world.database
    for _ in range(15):
        with superuser(database).connect() as connection:
            connection.execute(CUT)
        answer = attempt(web, "alice@x.example", PASSWORD)
        assert answer.status_code in (302, 503)
    assert failures(web) == 0
    assert attempt(web, "alice@x.example", PASSWORD).status_code == 302


def test_an_account_whose_lock_somebody_holds_is_told_to_come_back(web, monkeypatch):
    """Any role of the database may take the lock; who waits for it holds a connection that others need."""
    monkeypatch.setattr(throttle, "PATIENCE", "200ms")
    key = {"who": ["account alice@x.example"]}
    with web.world.database.web.begin() as connection:
        connection.execute(throttle.LOCK, key)
        connection.execute(text("set local idle_in_transaction_session_timeout = '60s'"))
        answer = attempt(web, "alice@x.example", PASSWORD)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert attempt(web, "bob@x.example", PASSWORD).status_code == 302
    assert attempt(web, "alice@x.example", PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_an_ipv6_network_is_one_address(address, counted):
    assert throttle.network(address) == counted
