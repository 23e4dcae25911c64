"""A history of GitHub longer than a run: what waits at its end, what stands between, lists as before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from ingest.pulling import gathering, runner
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import deployment, stamp

NOW = datetime.now(UTC).replace(microsecond=0)
NAME = "acme/payments"


@pytest.fixture
def github():
    with served(FakeGitHub()) as fake:
        fake.repository(1, NAME)
        yield fake


def connected(installed, github, **more):
    return installed.make("github", github.token, owner="acme", address=github.base, **more)


def test_behind_hundreds_that_ended_one_that_waits_is_asked_for(installed, github):
    github.deployments[NAME] = [
        deployment(9000 - n, NOW - timedelta(hours=n + 1)) for n in range(600)
    ]
    late = deployment(500, NOW - timedelta(days=30), state="")
    github.deployments[NAME].append(late)
    source = connected(installed, github, changes="no")
    installed.sync(source)
    late["statuses"]["nodes"].insert(0, {"state": "SUCCESS", "createdAt": stamp(NOW)})
    installed.sync(source)
    assert ("500", "successful") in installed.rows("deployment", "key, outcome")


def test_nothing_is_compared_while_older_ones_are_to_come(installed, github, monkeypatch):
    """A run that ends in the middle of history has only the newer of each pair."""
    github.deployments[NAME] = [
        deployment(900 - n, NOW - timedelta(hours=n + 1)) for n in range(250)
    ]
    source = connected(installed, github)
    instants = chain([0.0, 0.0], repeat(runner.LONGEST_RUN + 1))
    with monkeypatch.context() as short:
        short.setattr(runner, "time", SimpleNamespace(monotonic=lambda: next(instants)))
        short.setattr(gathering, "MOST", 1)
        installed.sync(source)
    assert len(installed.rows("deployment", "key")) == 100
    installed.sync(source)
    compared = [path.partition("/compare/")[2] for path in github.asked if "/compare/" in path]
    pairs = [path.partition("?")[0].split("...") for path in compared]
    assert len(pairs) == 249
    assert all(int(head, 16) == int(base, 16) + 1 for base, head in pairs)


def test_a_list_of_repositories_that_is_the_same_is_not_sent_again(installed, github):
    for number in range(2, 231):
        github.repository(number, f"acme/service-{number}")
    github.deployments[NAME] = [deployment(1, NOW)]
    source = connected(installed, github, changes="no")
    installed.sync(source)
    github.exchanges = []
    assert installed.sync(source).state == "done"
    lists = [e.status for e in github.exchanges if e.path == "/orgs/acme/repos"]
    assert lists == [304, 304, 304]
    assert len(installed.parts(source)) == 230
    github.repository(231, "acme/new")
    del github.repositories[f"acme/service-{2}"]
    installed.sync(source)
    parts = installed.parts(source)
    assert parts["acme/new"] == "mapped"
    assert parts["acme/service-2"] == "gone"
    assert len([state for state in parts.values() if state == "mapped"]) == 230
