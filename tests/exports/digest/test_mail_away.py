"""Digests and packs that come by themselves while the mail server is away, silent, or the sender is killed:
each arrives, at most one of them twice, under the same id."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import create_engine, text

from exports import mail, schedule, worker
from exports.worker import ExportContext
from tests.conftest import TODAY
from tests.exports.digest.conftest import Digests
from tests.exports.work.postbox import Postbox
from tests.exports.work.test_killed_workers import free_port

MONDAY = date(2026, 11, 30)


class SlowPostbox(Postbox):
    """Takes a mail, and answers only after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def handle_DATA(self, server, session, envelope):
        """Takes a mail."""
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self.seconds)
        return answer


@contextmanager
def served(postbox: Postbox, port: int) -> Iterator[Postbox]:
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield postbox
    finally:
        server.stop()


@pytest.fixture
def away(digests: Digests) -> tuple[Digests, int]:
    """A digest that waits for a mail server that is not there, and its port."""
    digests.channel()
    digests.drift()
    today, port = digests.on(TODAY), free_port()
    today.settings = today.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
    assert today.queue() == 1
    return today, port


def outbox(digests: Digests) -> tuple[str, int]:
    with digests.jobs.connect() as connection:
        row = connection.execute(text("select state, handed_over from mail_outbox")).one()
    return row.state, row.handed_over


def test_a_digest_waits_for_the_mail_server_and_arrives_once(away):
    today, port = away
    begun = datetime.now(UTC)
    for minute in range(0, 60, 3):
        assert mail.deliver(today.jobs, today.settings, begun + timedelta(minutes=minute)) == 0
    assert outbox(today) == ("queued", 0)
    postbox = Postbox()
    postbox.refusals = 2
    with served(postbox, port):
        for minute in (95, 130, 165, 200):
            mail.deliver(today.jobs, today.settings, begun + timedelta(minutes=minute))
    assert len(postbox.ids) == 1
    assert outbox(today) == ("sent", 1)


def test_a_scheduled_pack_waits_for_the_mail_server_and_arrives_once(digests: Digests):
    port = free_port()
    update = {"today": MONDAY, "smtp_url": f"smtp://127.0.0.1:{port}"}
    alice, database = digests.web.people["alice"], digests.web.world.database
    before = digests.settings
    schedule.subscribe(database.job, alice, "alice@x.example", "weekly", "pdf", before.now())
    place = ExportContext(database, before.model_copy(update=update))
    for _ in range(3):
        schedule.queue_due(place.database, place.settings)
        while worker.make_next(place):
            pass
    begun = datetime.now(UTC)
    for minute in range(0, 60, 5):
        moment = begun + timedelta(minutes=minute)
        assert mail.deliver(digests.jobs, place.settings, moment) == 0
    with served(Postbox(), port) as postbox:
        for minute in (95, 130):
            mail.deliver(digests.jobs, place.settings, begun + timedelta(minutes=minute))
    (arrived,) = postbox.mails
    assert arrived["To"] == "alice@x.example"
    assert "2026-11-23 to 2026-11-29" in arrived["Subject"]


def test_killed_between_the_sending_and_the_note_it_comes_twice_at_most(away):
    """Each sender dies while the server has the mail and has not answered."""
    today, port = away
    begun = datetime.now(UTC)
    with served(SlowPostbox(3.0), port) as postbox:
        for number in range(4):
            pid = sender(today, begun + timedelta(minutes=5 * number))
            deadline = time.monotonic() + (15 if number < 2 else 1.5)
            while len(postbox.mails) <= number and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        postbox.seconds = 0.0
        later = begun + timedelta(hours=1)
        assert mail.deliver(today.jobs, today.settings, later) == 0
    assert len(postbox.ids) == 2
    assert len(set(postbox.ids)) == 1
    assert outbox(today) == ("failed", 2)


def test_killed_once_it_is_followed_by_one_that_succeeds(away):
    today, port = away
    begun = datetime.now(UTC)
    with served(SlowPostbox(3.0), port) as postbox:
        pid = sender(today, begun)
        while not postbox.mails:
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        postbox.seconds = 0.0
        assert mail.deliver(today.jobs, today.settings, begun + timedelta(minutes=1)) == 0
        assert mail.deliver(today.jobs, today.settings, begun + timedelta(minutes=3)) == 1
    assert len(postbox.ids) == 2
    assert len(set(postbox.ids)) == 1


def test_a_server_that_never_answers_gets_it_twice_at_most(away, monkeypatch):
    monkeypatch.setattr(mail, "TIMEOUT", 0.4)
    today, port = away
    begun = datetime.now(UTC)
    with served(SlowPostbox(1.0), port) as postbox:
        for number in range(5):
            moment = begun + timedelta(minutes=5 * number)
            assert mail.deliver(today.jobs, today.settings, moment) == 0
    assert len(postbox.ids) == 2
    assert outbox(today) == ("failed", 2)


def sender(digests: Digests, moment: datetime) -> int:
    """A process of its own that sends the mails that are due; its id."""
    url = digests.jobs.url
    pid = os.fork()
    if pid:
        return pid
    try:
        engine = create_engine(url, connect_args={"options": "-c timezone=UTC"})
        mail.deliver(engine, digests.settings, moment)
    finally:
        os._exit(0)
