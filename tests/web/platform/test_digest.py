"""The page of digests: made, tested, removed, ended from a mail; each noted, and nobody else's touched."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from auth.secret_key import secret_keys
from exports.digest import stopping
from storage.digests import channels
from tests.webworld import csrf

PATH = "/platform/signals/digest"


@pytest.fixture
def alice(web):
    return web.sign_in("alice")


def add(client, **form):
    values = {"kind": "mail", "cadence": "nightly", "address": "", **form}
    return client.post(PATH, data=values, headers=csrf(client), follow_redirects=True)


def known(web):
    with web.world.database.job.connect() as connection:
        return channels.all_channels(connection)


def actions(web):
    with web.world.database.job.connect() as connection:
        query = text(
            "select actor, action from audit_event where action like 'digest.%' order by id"
        )
        return [tuple(row) for row in connection.execute(query)]


def test_a_digest_by_mail_is_made_tested_and_removed(web, alice):
    page = add(alice, cadence="weekly", says_quiet="y").text
    assert "It begins with the next night." in page
    assert "Once a week, on Monday" in page
    assert "says so weekly when nothing is new" in page
    (channel,) = known(web)
    act = f"{PATH}/{channel.id}"
    answer = alice.post(act, data={"action": "test"}, headers=csrf(alice), follow_redirects=True)
    assert "A test is on its way to alice@x.example." in answer.text
    with web.world.database.job.connect() as connection:
        assert connection.execute(text("select subject from mail_outbox")).scalar()
    answer = alice.post(act, data={"action": "remove"}, headers=csrf(alice), follow_redirects=True)
    assert "Removed" in answer.text
    assert known(web) == []
    assert actions(web) == [
        ("alice@x.example", "digest.create"),
        ("alice@x.example", "digest.delete"),
    ]


def test_a_private_address_is_refused_and_a_public_one_never_shown_again(web, alice):
    page = add(alice, kind="slack", address="http://127.0.0.1:9999/x").text
    assert re.search(r'id="address-error" role="alert">[^<]*this server itself', page)
    assert 'aria-describedby="address-hint address-error" aria-invalid="true"' in page
    assert '<option selected value="slack">' in page
    assert known(web) == []
    page = add(alice, kind="webhook", address="https://93.184.216.34/secret-path").text
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{44}", page)
    assert secret
    page = alice.get(PATH).text
    assert "93.184.216.34" in page
    assert "secret-path" not in page
    assert secret[0] not in page
    with web.world.database.job.connect() as connection:
        stored = bytes(connection.execute(text("select address from digest_channel")).scalar_one())
    assert b"secret-path" not in stored


def test_another_s_digest_is_neither_seen_nor_removed(web, alice):
    web.world.member(web.people["dave"], web.world.alpha, "platform_admin")
    add(web.sign_in("dave"))
    (channel,) = known(web)
    assert "dave@x.example" not in alice.get(PATH).text
    for action in ("test", "remove"):
        answer = alice.post(f"{PATH}/{channel.id}", data={"action": action}, headers=csrf(alice))
        assert answer.status_code == 404
    assert len(known(web)) == 1


def test_the_link_of_a_mail_asks_first_and_ends_it_without_signing_in(web, alice, settings):
    add(alice)
    (channel,) = known(web)
    link = stopping.link(secret_keys(settings), "", channel.id)
    stranger = web.browser()
    assert "End this digest?" in stranger.get(link).text
    assert len(known(web)) == 1
    answer = stranger.post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert known(web) == []
    assert stranger.post(link).status_code == 200
    assert stranger.post(f"{stopping.PATH}WzFd.forged").status_code == 404
    assert actions(web)[-1] == ("alice@x.example", "digest.delete")
