"""A world with drifts of last night, and people who get digests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import text

from auth.secret_key import secret_keys
from exports.digest import due, sending
from settings import Settings
from storage.context import job_in
from storage.digests import channels
from storage.digests.channels import DigestChannel, NewChannel
from tests.webworld import DAY, WebWorld, make

CFR = "failed_deployments/ended_deployments"
SECRET = b"0123456789abcdef0123456789abcdef"


@dataclass
class Digests:
    """The installation on a day, and its people's digests."""

    web: WebWorld
    settings: Settings

    @property
    def jobs(self):
        return self.web.world.database.job

    def on(self, day: date) -> Digests:
        """Installation on another day: the night before it has been watched."""
        night = {"series": "deployments", "day": day - timedelta(days=1), "share": 1.0}
        with self.jobs.begin() as connection:
            connection.execute(
                text("insert into watch_day (series, day, share) values (:series, :day, :share)"
                     " on conflict do nothing"), night,
            )  # fmt: skip
        return replace(self, settings=self.settings.model_copy(update={"today": day}))

    def drift(self, slug: str = "alpha", night: date = DAY, series: str = CFR, **values: object):
        """A drift that a night tells for the first time."""
        signal = {"series": series, "opened_on": night, "grade": "drifting",
                  "since": night - timedelta(days=9), "give_or_take": 3, "evidence": 14.0,
                  "usual": 0.1, "now": 0.31, "extra": 17.2, "seen_on": night, **values}  # fmt: skip
        self.web.world.add(getattr(self.web.world, slug), "watch_signal", [signal])

    def end(self, slug: str, night: date) -> None:
        """Ends every drift of a workspace."""
        with job_in(self.jobs, getattr(self.web.world, slug)) as connection:
            connection.execute(text("update watch_signal set ended_on = :n"), {"n": night})

    def channel(self, kind: str = "mail", url: str = "", who: str = "alice", **values) -> int:
        """A channel of a person; of a webhook with the secret of these tests."""
        box = secret_keys(self.settings).box(sending.PURPOSE)
        sealed = (box.encrypt(url.encode()), "127.0.0.1") if url else (None, f"{who}@x.example")
        secret = box.encrypt(SECRET) if kind == "webhook" else None
        new = NewChannel(kind, values.get("cadence", "nightly"), values.get("says_quiet", False),
                         *sealed, secret)  # fmt: skip
        return channels.add(self.jobs, self.web.people[who].user_id, f"{who}@x.example", new)

    def known(self) -> list[DigestChannel]:
        with self.jobs.connect() as connection:
            return channels.all_channels(connection)

    def queue(self) -> int:
        return due.queue_due(self.web.world.database, self.settings)

    def deliver(self, **values) -> int:
        return sending.deliver(self.web.world.database, self.settings, **values)

    def states(self, columns: str = "state") -> list[tuple[object, ...]]:
        with self.jobs.connect() as connection:
            query = text(f"select {columns} from digest_notice order by created_at, id")
            return [tuple(row) for row in connection.execute(query)]

    def mails(self, columns: str = "recipient, subject, text, html, unsubscribe"):
        with self.jobs.connect() as connection:
            return connection.execute(
                text(f"select {columns} from mail_outbox order by created_at, recipient")
            ).all()


@pytest.fixture
def digests(database, settings, tmp_path) -> Digests:
    """Begun the day before: what last night tells is new."""
    own = settings.model_copy(
        update={"data_dir": tmp_path, "source_allow": ("127.0.0.0/8",), "today": DAY}
    )
    return Digests(make(database, settings), own).on(DAY)


def body(mail: EmailMessage, kind: str) -> str:
    """A part of a mail."""
    part = mail.get_body((kind,))
    assert part
    return str(part.get_content())
