"""Whoever loses a session, an account or a role while an answer is sent gets no more of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg2 import OperationalError as Away
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from reading.workspace_page import NotAMember
from tests.webworld import WebWorld, csrf, settled
from web.bounds import streams
from web.people import right_to_answer
from web.people.right_to_answer import RightToAnswer, Withdrawn

RECORDS = "/ws/alpha/records/dora.csv?period=28"
AUDIT = "/platform/audit.csv?days=28"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces of a few lines, and a question between any two."""
    monkeypatch.setattr(streams, "PIECE", 256)
    monkeypatch.setattr(right_to_answer, "EVERY_SECONDS", 0.0)


def sign_out(web: WebWorld, who: str) -> None:
    run(web, "delete from web_session where user_id = :u", who)


def deactivate(web: WebWorld, who: str) -> None:
    run(web, "update app_user set is_active = false where id = :u", who)


def lose(web: WebWorld, who: str) -> None:
    web.world.revoke(web.people[who], web.world.alpha)


def run(web: WebWorld, statement: str, who: str) -> None:
    with web.world.database.job.begin() as connection:
        connection.execute(text(statement), {"u": web.people[who].user_id})


def asked(web: WebWorld, who: str, path: str) -> TestResponse:
    """The answer, of which nothing has been read yet."""
    return web.sign_in(who).get(path, buffered=False)


LOSSES = [sign_out, deactivate, lose]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("who", "path"), [("viewer", RECORDS), ("alice", AUDIT)])
def test_no_more_rows_after_a_loss(web, who, path, loss):
    for _ in range(5):  # events enough for two pieces
        web.sign_in(who).get(RECORDS)
    answer = asked(web, who, path)
    pieces = iter(answer.response)
    assert answer.status_code == 200
    assert next(pieces)
    loss(web, who)
    with pytest.raises(Withdrawn):
        next(pieces)
    answer.close()
    with web.world.database.job.begin() as connection:
        last = connection.execute(
            text("select action, subject, details from audit_event order by id desc limit 1")
        ).one()
    assert (last.action, last.subject) == ("access.deny", path.partition("?")[0])
    assert last.details["broken_off"] is True


@pytest.mark.parametrize("loss", LOSSES)
def test_no_more_of_an_export_after_a_loss(web, loss):
    alice = web.sign_in("alice")
    made = settled(alice, alice.post("/exports", json={"period": "7"}, headers=csrf(alice)))
    answer = alice.get(made.json["href"], buffered=False)
    pieces = iter(answer.response)
    assert next(pieces).startswith(b"%PDF-")
    loss(web, "alice")
    with pytest.raises(Withdrawn):
        next(pieces)
    answer.close()


def test_a_list_that_is_being_written_ends_with_its_readers_role(web, monkeypatch):
    """Nothing was sent yet: the refusal is told as any other."""
    asks: list[str] = []
    real = right_to_answer.memberships.membership

    def loses_it_meanwhile(connection: Connection, slug: str) -> object:
        asks.append(slug)
        if len(asks) == 1:
            lose(web, "viewer")
        return real(connection, slug)

    monkeypatch.setattr(right_to_answer.memberships, "membership", loses_it_meanwhile)
    assert web.sign_in("viewer").get(RECORDS).status_code == 404


class Moments:
    """A clock that is set by hand, and a right that is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Exception | None) -> None:
        monkeypatch.setattr(right_to_answer, "EVERY_SECONDS", 5.0)
        self.now, self.asked, self.noted = 100.0, 0, 0
        self._answers = iter(answers)
        self.right = RightToAnswer(self._ask, self._note, lambda: self.now)

    def _ask(self) -> None:
        self.asked += 1
        if error := next(self._answers):
            raise error

    def _note(self) -> None:
        self.noted += 1

    def pieces(self, *seconds: float) -> Iterator[float]:
        """Pieces of which each is ready so many seconds after the one before."""
        for passing in seconds:
            self.now += passing
            yield passing


AWAY = OperationalError("select", {}, Away("gone"))


def test_it_is_asked_for_every_five_seconds_and_no_oftener(monkeypatch):
    moments = Moments(monkeypatch, None, None)
    sent = list(moments.right.sending(moments.pieces(1, 3, 2, 1, 3, 5)))
    assert len(sent) == 6
    assert (moments.asked, moments.noted) == (2, 0)


def test_a_database_that_is_away_ends_a_download_after_half_a_minute(monkeypatch):
    moments = Moments(monkeypatch, AWAY, None, *[AWAY] * 6)
    sent: list[float] = []
    with pytest.raises(Withdrawn):
        sent.extend(moments.right.sending(moments.pieces(*[6] * 20)))
    assert len(sent) == 6, "two, then four within thirty seconds of the last answer"
    assert moments.noted == 1


def test_what_ends_it_before_anything_is_sent_is_told_as_it_is(monkeypatch):
    moments = Moments(monkeypatch, NotAMember("alpha"))
    with pytest.raises(NotAMember):
        list(moments.right.over(moments.pieces(5)))
    assert moments.noted == 0
