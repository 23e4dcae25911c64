"""Secrets that no key opens: how many of which kind, and what to type, until all is well again."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from auth import second_factor
from auth.secret_key import Keys
from exports.digest import sending
from ingest.door import senders
from ingest.pulling import store
from tests.conftest import superuser
from tests.webworld import make
from web.health import checkup, sealed

LOST, NOW = Keys("l" * 40), "n" * 40
KINDS = {
    "1 signed senders": (
        senders.PURPOSE,
        "insert into api_token (user_id, token_hash, scopes, signing_secret, name, hint)"
        " select id, '\\x01', '{ingest:alpha}', :sealed, '', '' from app_user where email = 'bob@x.example'"
        " returning id",
        "update api_token set revoked_at = now() where id = :id",
    ),
    "1 sources": (
        store.PURPOSE,
        "insert into source (kind, name, secret, made_by)"
        " select 'github', 'x', :sealed, id from app_user where email = 'bob@x.example' returning id",
        "update source set secret = null where id = :id",
    ),
    "1 addresses of digests": (
        sending.PURPOSE,
        "insert into digest_channel (user_id, kind, address, cadence)"
        " select id, 'slack', :sealed, 'nightly' from app_user where email = 'bob@x.example' returning id",
        "delete from digest_channel where id = :id",
    ),
    "1 secrets of digests": (
        sending.PURPOSE,
        "insert into digest_channel (user_id, kind, secret, cadence)"
        " select id, 'webhook', :sealed, 'nightly' from app_user where email = 'bob@x.example'"
        " returning id",
        "delete from digest_channel where id = :id",
    ),
    "1 second factors": (
        second_factor.PURPOSE,
        "update app_user set totp_secret = :sealed, totp_confirmed_at = now()"
        " where email = 'bob@x.example' returning id",
        "update app_user set totp_secret = null, totp_confirmed_at = null where id = :id",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_counted_and_is_well_with_the_key_or_once_it_is_replaced(
    database, settings, kind
):
    make(database, settings)
    own = settings.model_copy(update={"secret_key": NOW})
    found = own.model_copy(update={"secret_key_former": (LOST.current,)})
    purpose, insert, replaced = KINDS[kind]
    values = {"sealed": LOST.box(purpose).encrypt(b"secret")}
    with superuser(database).begin() as connection:
        id = connection.execute(text(insert), values).scalar_one()
    (problem,) = checkup.of_the_secrets(lambda: database, own)
    assert checkup.of_the_secrets(lambda: database, found) == []
    with superuser(database).begin() as connection:
        connection.execute(text(replaced), {"id": id})
    assert checkup.of_the_secrets(lambda: database, own) == []
    assert problem.detail == f"no key opens those of {kind}: {id}"
    assert "VIGILO_SECRET_KEY_FORMER" in problem.remedy
    assert not problem.must_not_serve


def test_doctor_tells_and_what_it_says_is_typed(database, settings):
    web = make(database, settings.model_copy(update={"secret_key": NOW}))
    box = LOST.box(second_factor.PURPOSE)
    with superuser(database).begin() as connection:
        connection.execute(
            text("update app_user set totp_secret = :s, totp_confirmed_at = now()"
                 " where email in ('bob@x.example', 'alice@x.example')"),
            {"s": box.encrypt(b"seed")},
        )  # fmt: skip
    with web.app.app_context():
        runner = web.app.test_cli_runner()
        told = runner.invoke(args=["doctor", "--no-address"])
        asked = re.search(r'psql -d vigilo -c "(.*)"', told.output)
        assert asked, told.output
        with superuser(database).connect() as connection:
            emails = connection.execute(text(asked[1])).scalars().all()
        assert len(emails) == 2
        for email in emails:
            done = runner.invoke(args=["user", "second-factor-off", email])
            assert done.exit_code == 0, done.output
        well = runner.invoke(args=["doctor", "--no-address"])
    assert "no key opens those of 2 second factors" in told.output
    assert "@x.example" not in told.output
    assert well.output == "All is well.\n"


def test_what_nobody_uses_any_more_is_nobodys_concern(database, settings):
    make(database, settings)
    with superuser(database).begin() as connection:
        for kind, (purpose, insert, _) in KINDS.items():
            if "sources" not in kind:
                connection.execute(text(insert), {"sealed": LOST.box(purpose).encrypt(b"s")})
        connection.execute(text("update api_token set revoked_at = now()"))
        connection.execute(
            text("update app_user set is_active = false where email = 'bob@x.example'")
        )
    own = settings.model_copy(update={"secret_key": NOW})
    assert checkup.of_the_secrets(lambda: database, own) == []


def test_every_sealed_column_of_the_schema_is_looked_at(server):
    """Every column of bytes that holds a secret of others is one of ``SEALED``, or no seal."""
    query = text(
        "select table_name || '.' || column_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'bytea'"
        " and column_name !~ 'hash' and column_name ~ 'secret|address|token$|key$|password'"
    )
    with server.owner.connect() as connection:
        there = set(connection.execute(query).scalars())
    assert there - {"sealing_key.key"} == {f"{each.table}.{each.column}" for each in sealed.SEALED}


def test_the_probe_says_so_and_serves(database, settings):
    web = make(database, settings.model_copy(update={"secret_key": NOW}))
    with superuser(database).begin() as connection:
        purpose, insert, _ = KINDS["1 second factors"]
        connection.execute(text(insert), {"sealed": LOST.box(purpose).encrypt(b"s")})
    told = web.browser().get("/readyz")
    assert told.status_code == 200
    assert "look at: secrets" in told.text
