"""Records that vanish at the sender: noticed once a week, and withdrawn where their ids are gone alone."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import pytest

from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.test_github import deployment as on_github
from tests.ingest.pulling.test_gitlab import deployment as on_gitlab

NOW = datetime.now(UTC).replace(microsecond=0)
LEFT_OUT = "key, left_out"


@pytest.fixture(params=["github", "gitlab"])
def sender(request, installed):
    """A fake with fifteen deployments, the list that it serves, and a source of it, synced once."""
    fake = FakeGitHub() if request.param == "github" else FakeGitLab()
    with served(fake):
        if isinstance(fake, FakeGitHub):
            fake.repository(1, "acme/payments")
            some = [on_github(20 - n, NOW - timedelta(days=n, hours=1)) for n in range(15)]
            deployments = fake.deployments["acme/payments"] = some
            config = {"owner": "acme", "changes": "no"}
        else:
            fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
            some = [on_gitlab(20 - n, NOW - timedelta(days=n, hours=1)) for n in range(15)]
            deployments = fake.deployments["1"] = some
            config = {"group": "acme", "changes": "no"}
        source = installed.make(request.param, fake.token, address=fake.base, **config)
        assert installed.sync(source).state == "done"
        yield fake, deployments, source


def a_week_later(installed, source):
    installed.world.sql(
        "update source_stream set cursor = jsonb_set(cursor, '{at}',"
        f" to_jsonb('{(NOW - timedelta(days=8)).isoformat()}'::text)) where stream = 'listed'"
    )
    return installed.sync(source)


def withdrawn(installed):
    return [key for key, why in installed.rows("deployment", LEFT_OUT) if why == "withdrawn"]


def test_one_that_was_deleted_counts_no_more(installed, sender):
    _, deployments, source = sender
    gone = deployments.pop(6)
    assert installed.sync(source).written == 0
    assert withdrawn(installed) == [], "not before the list is whole"
    run = a_week_later(installed, source)
    (key,) = withdrawn(installed)
    assert str(gone.get("databaseId") or gone["id"]) in key
    assert "1 vanished at the sender" in run.message
    assert installed.due() <= (NOW - timedelta(days=6)).date()
    assert a_week_later(installed, source).message == ""


def test_a_list_that_is_cut_short_withdraws_nothing(installed, sender):
    fake, deployments, source = sender
    kept, deployments[:] = list(deployments), []
    fake.faults = [None, *["500"] * 20]
    assert a_week_later(installed, source).state == "failed"
    assert withdrawn(installed) == []
    fake.faults, deployments[:] = [], kept
    assert a_week_later(installed, source).state == "done"
    assert withdrawn(installed) == []


def test_one_that_a_list_skips_and_that_is_there_stays(installed, sender, monkeypatch):
    fake, deployments, source = sender
    skipped = deployments[6]
    number = str(skipped.get("databaseId") or skipped["id"])
    post, paged = type(fake).post, type(fake).paged

    def without(things):
        return [d for d in things if str(d.get("databaseId") or d["id"]) != number]

    def short_post(self, path, document):
        reply = post(self, path, document)
        page = reply.document["data"]["repository"]["deployments"]
        page["nodes"] = without(page["nodes"])
        return reply

    monkeypatch.setattr(type(fake), "post", short_post)
    monkeypatch.setattr(
        type(fake), "paged", lambda self, p, q, things: paged(self, p, q, without(things))
    )
    run = a_week_later(installed, source)
    assert run.state == "done"
    assert any(path.endswith(f"/deployments/{number}") for path in fake.asked)
    assert withdrawn(installed) == []


def test_what_changes_while_pages_are_read_moves_nothing_over_a_border(installed):
    """Numbered pages would lose the first of the second page."""
    with served(FakeGitLab()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        fake.deployments["1"] = [
            on_gitlab(n, NOW - timedelta(days=20) + timedelta(minutes=n)) for n in range(1, 151)
        ]
        paged = fake.paged

        def moving(path, query, things):
            reply = paged(path, query, copy.deepcopy(things))
            if path.endswith("/deployments"):
                fake.deployments["1"][0]["updated_at"] = NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            return reply

        fake.paged = moving
        source = installed.make("gitlab", fake.token, group="acme", address=fake.base, changes="no")
        assert installed.sync(source).state == "done"
    assert len(installed.rows("deployment", "key")) == 150
