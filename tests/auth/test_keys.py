"""The installation's key: made once, rotated without anyone noticing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from auth import tokens
from auth.secret_key import Keys, renew, secret_keys
from ingest.door import senders
from settings import load as load_settings
from tests.webworld import EXECUTIVE, csrf
from web.server.application import DRAINER

OLD, NEW = "o" * 40, "n" * 40
EVENT = json.dumps({"deployment": {}}).encode()


STARTED: list[Flask] = []


@pytest.fixture(autouse=True)
def _nobody_works_on() -> Iterator[None]:
    """Stops the exports of what a test started: they would write while the next one empties the tables."""
    yield
    while STARTED:
        STARTED.pop().extensions["vigilo.exports"].stop()


def serving(web, **keys):
    """Restarts the installation with other keys."""
    app = create_app(web.world.settings.model_copy(update=keys), web.world.database)
    STARTED.append(app)
    app.mount()
    app.extensions[DRAINER].stop()
    return app


def browser_at(app, before):
    """A browser that goes on at another process with the cookies that it has."""
    client = app.test_client()
    for name in ("vigilo", "_csrf_token"):
        if cookie := before.get_cookie(name):
            client.set_cookie(name, cookie.value)
    return client


def rotated(app) -> Result:
    """Runs the command."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=["secrets", "rotate"])


def test_a_key_is_made_once_and_needed_with_an_external_database(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    keys = secret_keys(settings)
    assert secret_keys(settings) == keys
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
    with pytest.raises(SystemExit, match="VIGILO_SECRET_KEY"):
        secret_keys(load_settings(data_dir=tmp_path, database_url="postgresql://x@y/z"))


def test_a_key_of_the_data_directory_is_renewed_and_the_former_one_kept(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    first = secret_keys(settings).current
    assert renew(settings)
    keys = secret_keys(settings)
    assert keys.current != first
    assert keys.former == (first,)
    assert (tmp_path / "secret-key-former").stat().st_mode & 0o077 == 0
    assert not renew(load_settings(data_dir=tmp_path, secret_key=NEW))


def test_a_short_former_key_is_refused():
    with pytest.raises(SystemExit, match=r"VIGILO_SECRET_KEY_FORMER.*32 characters"):
        load_settings(secret_key_former="short,shorter")


def test_who_is_signed_in_notices_nothing_of_a_new_key(web):
    web.app = serving(web, secret_key=OLD)
    alice = web.sign_in("alice")
    sent = csrf(alice)
    after = browser_at(serving(web, secret_key=NEW, secret_key_former=(OLD,)), alice)
    assert after.get(EXECUTIVE).status_code == 200
    assert after.post("/exports", json={}, headers=sent).status_code < 300
    renewed = csrf(after)
    assert renewed != sent, "the cookie is signed anew"
    alone = browser_at(serving(web, secret_key=NEW), after)
    assert alone.post("/exports", json={}, headers=renewed).status_code < 300


def test_without_the_former_key_the_first_change_fails_and_the_next_does_not(web):
    web.app = serving(web, secret_key=OLD)
    alice = web.sign_in("alice")
    sent = csrf(alice)
    after = browser_at(serving(web, secret_key=NEW), alice)
    assert after.post("/exports", json={}, headers=sent).json["code"] == "csrf_failed"
    assert after.post("/exports", json={}, headers=csrf(after)).status_code < 300


def test_what_senders_sign_with_opens_after_a_rotation_without_the_former_key(web):
    database = web.world.database
    tokens.create(
        database.job,
        "engineer@x.example",
        scope=senders.scope("alpha"),
        signing_secret=senders.seal_secret(Keys(OLD), "a sender's secret"),
    )
    done = rotated(serving(web, secret_key=NEW, secret_key_former=(OLD,)))
    assert "1 secrets are sealed under the current key." in done.output, done.output
    signature = "sha256=" + hmac.new(b"a sender's secret", EVENT, hashlib.sha256).hexdigest()
    answer = (
        serving(web, secret_key=NEW)
        .test_client()
        .post(
            "/api/v1/ws/alpha/ingest/github",
            data=EVENT,
            headers={"X-Hub-Signature-256": signature, "Content-Type": "application/json"},
        )
    )
    assert answer.status_code == 202, answer.text


def test_secrets_that_no_key_opens_are_counted(web):
    tokens.create(
        web.world.database.job,
        "bob@x.example",
        signing_secret=senders.seal_secret(Keys(OLD), "x" * 9),
    )
    done = rotated(serving(web, secret_key=NEW))
    assert done.exit_code == 1
    assert "1 secrets open with no key" in done.output


@pytest.mark.parametrize(
    "written",
    [
        f"{OLD}\r\n".encode(),
        f"\ufeff{OLD}\n".encode(),
        f"  {OLD} \t\n\n".encode(),
        f"\ufeff{OLD}\r\n".encode(),
    ],
)
def test_a_key_file_means_the_same_however_an_editor_has_saved_it(tmp_path, written):
    (tmp_path / "secret-key").write_bytes(written)
    (tmp_path / "secret-key-former").write_bytes(f"\ufeff{NEW}\r\n".encode())
    assert secret_keys(load_settings(data_dir=tmp_path)) == Keys(OLD, (NEW,))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"", "holds no key of at least 32 characters"),
        (OLD[:20].encode(), "holds no key of at least 32 characters"),
        (f"{OLD}\n{NEW}\n".encode(), "on a line of its own"),
        (OLD.encode("utf-16"), "is no text in UTF-8"),
    ],
)
def test_a_key_file_that_was_cut_or_spoilt_is_told_with_where_another_lies(
    tmp_path, written, words
):
    (tmp_path / "secret-key").write_bytes(written)
    with pytest.raises(
        SystemExit, match=f"secret-key: .*{words}.*[Aa] backup has it as.*secret-key"
    ):
        secret_keys(load_settings(data_dir=tmp_path))
    assert (tmp_path / "secret-key").read_bytes() == written
