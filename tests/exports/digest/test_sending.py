"""Messages to real receivers: signed, tried again, refused, killed in the middle."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import create_engine, text

from exports import mail
from exports.digest import sending
from ingest.pulling.problems import SourceProblem
from storage.database import Database
from storage.roles import Roles
from tests.conftest import TODAY
from tests.exports.digest.conftest import SECRET, Digests, body
from tests.exports.digest.receiver import Receiver
from tests.exports.work.postbox import Postbox
from tests.exports.work.test_killed_workers import free_port


def queued(digests: Digests, kind: str, url: str) -> Digests:
    """A message to a receiver that waits to be sent."""
    digests.channel(kind, url)
    digests.drift()
    today = digests.on(TODAY)
    assert today.queue() == 1
    return today


def test_a_webhook_is_signed_over_id_time_and_body(digests: Digests):
    with Receiver() as receiver:
        today = queued(digests, "webhook", receiver.url)
        assert today.deliver() == 1
        assert today.deliver() == 0
    (post,) = receiver.posts
    id, at = post.headers["webhook-id"], post.headers["webhook-timestamp"]
    mac = hmac.new(SECRET, f"{id}.{at}.".encode() + post.body, hashlib.sha256).digest()
    assert post.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert abs(int(at) - time.time()) < 60
    assert post.path == "/hook?key=a%2Fb&x=1"
    told = json.loads(post.body)
    assert (told["id"], told["type"], told["night"]) == (id, "signals.digest", "2026-11-22")
    assert [d["workspace"] for d in told["new"]] == ["alpha"]
    assert told["new"][0]["sentence"] in told["sections"][0]["lines"][0]["text"]
    assert today.states() == [("sent",)]


def test_names_are_no_markup_in_slack_and_teams(digests: Digests):
    hostile = "<!channel> [x](https://evil.example) *b* & co"
    with digests.jobs.begin() as connection:
        connection.execute(text("update workspace set name = :n"), {"n": hostile})
    with Receiver() as receiver:
        digests.channel("slack", receiver.url)
        digests.channel("teams", receiver.url)
        digests.drift()
        today = digests.on(TODAY)
        assert (today.queue(), today.deliver()) == (2, 2)
    by_type = {("blocks" in (d := json.loads(p.body))): d for p in receiver.posts}
    slack, teams = by_type[True], by_type[False]
    for block in slack["blocks"]:
        if hostile in str(block):
            assert block["text"]["type"] == "plain_text"
    assert hostile not in slack["text"]
    card = teams["attachments"][0]["content"]
    assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
    assert hostile in card["body"][2]["inlines"][0]["text"]
    assert card["actions"][0]["url"].endswith("/platform/signals")


def test_refused_for_now_is_tried_again_under_the_same_id(digests: Digests):
    with Receiver(answers=[503, 429, 500]) as receiver:
        today = queued(digests, "webhook", receiver.url)
        now = datetime.now(UTC)
        taken = [today.deliver(now=now + timedelta(minutes=n)) for n in range(6)]
    assert taken == [0, 0, 0, 1, 0, 0]
    assert len(receiver.ids) == 4
    assert len(set(receiver.ids)) == 1
    assert today.known()[0].reason == ""


@pytest.mark.parametrize(("status", "words"), [(410, "answers 410"), (404, "answers 404"),
                                               (302, "another address")])  # fmt: skip
def test_refused_for_good_is_not_tried_again_and_the_page_says_why(digests: Digests, status, words):
    with Receiver(answers=[status]) as receiver:
        receiver.location = receiver.url if status == 302 else ""
        today = queued(digests, "slack", receiver.url)
        now = datetime.now(UTC)
        assert [today.deliver(now=now + timedelta(hours=n)) for n in range(3)] == [0, 0, 0]
    assert len(receiver.posts) == 1
    assert words in today.known()[0].reason
    assert today.states() == [("failed",)]


def test_away_for_a_day_is_given_up(digests: Digests):
    with Receiver() as receiver:
        url = receiver.url
    today = queued(digests, "slack", url)
    now = datetime.now(UTC)
    hours = (0, 1, 12, 23, 25, 30)
    assert [today.deliver(now=now + timedelta(hours=n)) for n in hours] == [0] * len(hours)
    assert today.states("state, attempt, unclear") == [("failed", 5, 0)]


def test_a_silent_receiver_gets_it_twice_at_most(digests: Digests, monkeypatch):
    monkeypatch.setattr("ingest.pulling.client.READ", 0.2)
    now = datetime.now(UTC)
    with Receiver(silence=0.6) as receiver:
        today = queued(digests, "webhook", receiver.url)
        for number in range(5):
            today.deliver(now=now + timedelta(minutes=5 * number))
        time.sleep(0.7)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    assert "silent twice" in today.known()[0].reason


def test_killed_senders_make_one_duplicate_at_most(digests: Digests):
    """Each sender is killed while the receiver has the message and has not answered."""
    with Receiver(silence=1.5) as receiver:
        today = queued(digests, "webhook", receiver.url)
        now = datetime.now(UTC)
        for number in range(4):
            moment = now + timedelta(minutes=5 * number)
            pid = sender(today, moment)
            deadline = time.monotonic() + (8 if number < 2 else 1)
            while len(receiver.posts) <= number and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        receiver.silence = 0.0
        assert today.deliver(now=now + timedelta(hours=1)) == 0
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    assert today.states() == [("failed",)]


def test_a_sender_killed_once_is_followed_by_one_that_succeeds(digests: Digests):
    with Receiver(silence=1.5) as receiver:
        today = queued(digests, "webhook", receiver.url)
        now = datetime.now(UTC)
        pid = sender(today, now)
        while not receiver.posts:
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        receiver.silence = 0.0
        assert today.deliver(now=now + timedelta(minutes=1)) == 0  # the lease still runs
        assert today.deliver(now=now + timedelta(minutes=3)) == 1
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


def sender(digests: Digests, moment: datetime) -> int:
    """A process of its own that sends what is due; its id."""
    url = digests.jobs.url
    pid = os.fork()
    if pid:
        return pid
    try:
        engine = create_engine(url, connect_args={"options": "-c timezone=UTC"})
        database = Database(engine, engine, None, Roles())
        sending.deliver(database, digests.settings, now=moment)
    finally:
        os._exit(0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:5432/x", "this server itself"),
        ("https://169.254.169.254/latest", "link-local"),
        ("https://10.1.2.3/hook", "is private"),
        ("https://user:pass@example.com/x", "no user and no password"),
        ("ftp://example.com/x", "begins with https"),
        ("https://[::ffff:127.0.0.1]/x", "this server itself"),
        ("https://2130706433/x", "this server itself"),
        ("http://93.184.216.34/x", "begins with https"),
        ("", "begins with https"),
    ],
)
def test_addresses_pass_the_one_guard(digests: Digests, url, words):
    strict = digests.settings.model_copy(update={"source_allow": ()})
    with pytest.raises(SourceProblem, match=words):
        sending.check(digests.web.world.database, strict, url)


def test_an_address_that_is_no_longer_allowed_is_not_asked(digests: Digests):
    with Receiver() as receiver:
        today = queued(digests, "webhook", receiver.url)
        today.settings = today.settings.model_copy(update={"source_allow": ()})
        assert today.deliver() == 0
    assert receiver.posts == []
    assert "this server itself" in today.known()[0].reason


def test_a_real_mail_server_gets_it_with_the_button_to_end_it(digests: Digests):
    long = f"https://vigilo.{'a-long-name-' * 6}.example.com"
    digests.settings = digests.settings.model_copy(update={"base_url": long})
    digests.channel()
    digests.drift()
    today = digests.on(TODAY)
    today.queue()
    postbox = Postbox()
    port = free_port()
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings = today.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
        assert mail.deliver(today.jobs, settings) == 1
        assert mail.deliver(today.jobs, settings) == 0
    finally:
        server.stop()
    (arrived,) = postbox.mails
    link = arrived["List-Unsubscribe"].strip().strip("<>")
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/digest/stop/" in link
    assert link in body(arrived, "plain")
    assert "http" not in body(arrived, "html").replace(settings.address, "")
