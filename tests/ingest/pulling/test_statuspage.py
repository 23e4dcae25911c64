"""Statuspage against a stateful fake: pages, what stays open, what is deleted, the public page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ingest.pulling.senders.fake import Reply, served
from tests.ingest.pulling.senders.statuspage import FakeStatuspage

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def page():
    """A page with 230 incidents; the oldest of them is open still."""
    with served(FakeStatuspage()) as fake:
        for n in range(230):
            at = NOW - timedelta(hours=6 * n + 2)
            fake.report(f"i{n:03}", at, None if n == 229 else at + timedelta(hours=1))
        yield fake


def make(installed, fake, page="kctbh9vrtdwd"):
    return installed.make("statuspage", fake.token if page else "", page=page, address=fake.base)


def incidents(installed):
    return installed.rows("incident", "key, resolved_at, left_out")


def test_history_comes_whole_and_an_increment_is_one_page(installed, page):
    source = make(installed, page)
    run = installed.sync(source)
    assert (run.state, run.refused) == ("done", 0), run
    assert [key for key, *_ in incidents(installed)] == [f"i{n:03}" for n in range(230)]
    page.report("new", NOW)
    page.asked.clear()
    run = installed.sync(source)
    assert (run.requests, run.written) == (2, 1), "a page, and the one that is open"
    assert ("new", None, None) in incidents(installed)


def test_one_that_is_long_open_is_asked_for_until_it_is_over(installed, page):
    source = make(installed, page)
    installed.sync(source)
    page.incidents[229] |= {"status": "resolved", "resolved_at": NOW.isoformat()}
    installed.sync(source)
    assert incidents(installed)[229] == ("i229", NOW, None)
    page.asked.clear()
    installed.sync(source)
    assert len(page.asked) == 1


def test_one_that_was_deleted_is_withdrawn_and_planned_maintenance_left_out(installed, page):
    page.report("planned", NOW - timedelta(hours=3), impact="maintenance")
    source = make(installed, page)
    installed.sync(source)
    del page.incidents[5]
    run = installed.sync(source)
    assert run.state == "done"
    assert [key for key, _, why in incidents(installed) if why == "withdrawn"] == ["i005"]
    assert "planned" not in [key for key, *_ in incidents(installed)]


def test_a_public_page_needs_no_secret(installed, page):
    run = installed.sync(make(installed, page, page=""))
    assert (run.state, run.requests, run.written) == ("done", 1, 50)


@pytest.mark.parametrize(
    ("reply", "code"),
    [(Reply(401, {"error": "Could not authenticate"}), "token_invalid"),
     (Reply(404, {"error": "Record not found"}), "not_found_or_hidden"),
     (Reply(200, {"not": "a list"}), "changed_shape"),
     (Reply(200, [{"id": "x"}]), "changed_shape"),
     (Reply(200, [7]), "changed_shape")],
)  # fmt: skip
def test_faults_have_their_codes(installed, page, reply, code):
    page.faults = [reply]
    assert installed.sync(make(installed, page)).error_code == code


def test_its_own_status_for_too_many_requests_is_waited_for(installed, page):
    page.faults = [Reply(420, {"error": "Enhance your calm"})]
    assert installed.sync(make(installed, page)).state == "done"
    assert installed.waits[0] == pytest.approx(4.0)
