"""Lists without an end: a sender that goes on for ever is told, and asked for little."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling import runner
from tests.deep import every
from tests.ingest.pulling.senders.cert_manager import FakeKubernetes
from tests.ingest.pulling.senders.fake import Fake, Reply, served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty
from tests.ingest.pulling.senders.statuspage import FakeStatuspage
from tests.ingest.pulling.test_github import deployment as on_github
from tests.ingest.pulling.test_gitlab import deployment as on_gitlab
from tests.ingest.pulling.test_pagerduty import entry, incident

NOW = datetime.now(UTC).replace(microsecond=0)
REPOSITORY = "acme/payments"


def github(**more) -> tuple[FakeGitHub, dict[str, str]]:
    fake = FakeGitHub()
    fake.repository(1, REPOSITORY)
    fake.deployments[REPOSITORY] = [
        on_github(900 - n, NOW - timedelta(hours=n + 1)) for n in range(150)
    ]
    return fake, {"owner": "acme", "changes": "no", **more}


def gitlab(**more) -> tuple[FakeGitLab, dict[str, str]]:
    fake = FakeGitLab()
    fake.projects = [{"id": 1, "path_with_namespace": REPOSITORY}]
    fake.deployments["1"] = [on_gitlab(n, NOW - timedelta(hours=n)) for n in range(1, 151)]
    return fake, {"group": "acme", "changes": "no", **more}


def answering(fake: Fake, path: str, change) -> None:
    """Answers of one path are changed."""
    get = fake.get

    def lying(asked, query, headers):
        reply = get(asked, query, headers)
        return change(reply, asked, query) if asked.endswith(path) else reply

    fake.get = lying


def same_link(fake):
    """The header leads to the page that it stands on."""

    def change(reply, asked, query):
        words = "&".join(f"{k}={v}" for k, v in query.items())
        return Reply(200, reply.document, {"Link": f'<{fake.base}{asked}?{words}>; rel="next"'})

    return change


def circle(fake):
    """The header leads from each of two pages to the other."""
    turn = itertools.cycle("12")

    def change(reply, asked, query):
        return Reply(
            200, reply.document, {"Link": f'<{fake.base}{asked}?page={next(turn)}>; rel="next"'}
        )

    return change


def numbered(fake):
    """Each page leads to one that was never there, with what was on the first."""
    number = itertools.count(2)

    def change(reply, asked, query):
        return Reply(
            200, reply.document, {"Link": f'<{fake.base}{asked}?page={next(number)}>; rel="next"'}
        )

    return change


def repositories_without_end(how):
    def make():
        fake, config = github()
        answering(fake, "/orgs/acme/repos", how(fake))
        return "github", fake, config

    return make


def projects_without_end(how):
    def make():
        fake, config = gitlab()
        answering(fake, "/groups/acme/projects", how(fake))
        return "gitlab", fake, config

    return make


def deployments_without_end(how):
    def make():
        fake, config = gitlab()
        answering(fake, "/projects/1/deployments", how(fake))
        return "gitlab", fake, config

    return make


def a_cursor_that_stays():
    fake, config = github()
    post = fake.post

    def lying(path, document):
        reply = post(path, {**document, "variables": {**document["variables"], "after": None}})
        page = reply.document["data"]["repository"]["deployments"]
        page["pageInfo"] = {"hasNextPage": True, "endCursor": "always-the-same"}
        return reply

    fake.post = lying
    return "github", fake, config


def a_cursor_of_nothing():
    fake, config = github()
    post = fake.post

    def lying(path, document):
        reply = post(path, document)
        page = reply.document["data"]["repository"]["deployments"]
        page["pageInfo"] = {"hasNextPage": True, "endCursor": None}
        return reply

    fake.post = lying
    return "github", fake, config


def a_cursor_that_moves_over_the_same():
    fake, config = github()
    post, number = fake.post, itertools.count(1)

    def lying(path, document):
        reply = post(path, {**document, "variables": {**document["variables"], "after": None}})
        page = reply.document["data"]["repository"]["deployments"]
        page["pageInfo"] = {"hasNextPage": True, "endCursor": str(next(number))}
        return reply

    fake.post = lying
    return "github", fake, config


def comparisons_without_end():
    fake, config = github(changes="yes")
    get = fake.get

    def lying(asked, query, headers):
        if "/compare/" not in asked:
            return get(asked, query, headers)
        document = {"ahead_by": 1, "behind_by": 0, "commits": []}
        return Reply(200, document, {"Link": f'<{fake.base}{asked}>; rel="next"'})

    fake.get = lying
    return "github", fake, config


def releases_without_end():
    fake, config = github(counts="releases")
    answering(fake, "/releases", same_link(fake))
    return "github", fake, config


def more_incidents_always():
    fake = FakePagerDuty()
    fake.services = [{"id": "P1", "name": "payments"}]
    for n in range(3):
        at, id = NOW - timedelta(hours=n + 2), f"Q{n}"
        fake.incidents[id] = incident(id, at)
        fake.log.append(entry(id, "acknowledge", at))

    def change(reply, asked, query):
        return Reply(200, {**reply.document, "more": True})

    answering(fake, "/incidents", change)
    return "pagerduty", fake, {}


def incidents_from_the_start_always():
    fake = FakeStatuspage()
    for n in range(120):
        at = NOW - timedelta(hours=n + 2)
        fake.report(f"i{n:03}", at, at + timedelta(hours=1))
    get = fake.get
    fake.get = lambda asked, query, headers: get(asked, {**query, "page": "1"}, headers)
    return "statuspage", fake, {"page": "kctbh9vrtdwd"}


def a_list_that_always_continues():
    fake = FakeKubernetes()
    fake.issue("payments", "checkout", 1, NOW - timedelta(days=60))

    def change(reply, asked, query):
        return Reply(200, {**reply.document, "metadata": {"continue": "0"}})

    answering(fake, "/certificates", change)
    return "cert-manager", fake, {}


LIES = [
    *(repositories_without_end(how) for how in (same_link, circle, numbered)),
    *(projects_without_end(how) for how in (same_link, circle, numbered)),
    *(deployments_without_end(how) for how in (same_link, circle, numbered)),
    a_cursor_that_stays, a_cursor_of_nothing, a_cursor_that_moves_over_the_same,
    comparisons_without_end, releases_without_end, more_incidents_always,
    incidents_from_the_start_always, a_list_that_always_continues,
]  # fmt: skip


@pytest.mark.parametrize(
    "lie", every(3, LIES), ids=lambda lie: lie.__name__ if lie.__name__ != "make" else ""
)
def test_a_list_without_an_end_ends(installed, lie, monkeypatch):
    """By what repeats; and where nothing can be told by that, by the bounds of a run."""
    monkeypatch.setattr(runner, "MOST_REQUESTS", 400, raising=False)
    monkeypatch.setattr(runner, "LONGEST_RUN", 20.0)
    kind, fake, config = lie()
    began = time.monotonic()
    with served(fake):
        run = installed.sync(installed.make(kind, fake.token, address=fake.base, **config))
        assert len(fake.asked) <= 420, (run, len(fake.asked))
    assert time.monotonic() - began < 120
    assert (run.state, run.error_code) in (
        ("failed", "changed_shape"), ("failed", "too_large"), ("done", ""),
    ), run  # fmt: skip
    if run.state == "done":
        assert len(installed.rows("deployment", "key")) == 150, "all of it, by another way"
