"""Senders' official descriptions hold our requests and our fakes: a fake that lies proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.ingest.pulling.senders import described
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def github():
    """Deployments of every outcome, releases, runs, commits; it keeps what it was asked and answered."""
    with served(FakeGitHub()) as fake:
        fake.repository(1, "acme/payments")
        fake.repository(2, "acme/docs")
        ends = ("SUCCESS", "FAILURE", "SUCCESS", "ERROR", "INACTIVE", "IN_PROGRESS")
        for n, state in enumerate(ends):
            at = stamp(NOW - timedelta(hours=n + 1))
            fake.deployments["acme/payments"].append(
                {
                    "databaseId": 100 - n, "createdAt": at, "updatedAt": at,
                    "environment": "production", "commitOid": f"{100 - n:040x}",
                    "statuses": {"nodes": [{"state": state, "createdAt": at}]},
                }
            )  # fmt: skip
        fake.commits[f"{98:040x}", f"{100:040x}"] = [
            {
                "sha": f"{99:040x}",
                "commit": {"author": {"date": stamp(NOW)}},
                "parents": ["98", "97"],
            }
        ]
        fake.releases["acme/payments"] = [{"tag_name": "v1.0.0", "published_at": stamp(NOW)}]
        fake.runs["acme/payments"] = [
            {"id": 5, "created_at": stamp(NOW), "run_started_at": stamp(NOW), "updated_at": stamp(NOW),
             "conclusion": "success"}
        ]  # fmt: skip
        fake.tags["acme/payments"] = [
            {"name": "v1.0.0", "committed": stamp(NOW)},
            {"name": "v1.1.0", "committed": stamp(NOW), "tagged": stamp(NOW)},
            {"name": "v1.2.0", "committed": stamp(NOW), "tagged": None},
        ]
        fake.pulls["acme/payments"] = [{"number": 1, "merged": stamp(NOW), "authored": stamp(NOW)}]
        fake.without_actions = {"acme/docs"}
        fake.exchanges = []
        yield fake


OWN = "each repository's own"


def synced(installed, fake, kind="github", **config):
    """Everything that a source and its test ask, twice over."""
    config = {"owner": "acme"} | config if kind == "github" else config
    source = installed.make(kind, fake.token, address=fake.base, **config)
    assert installed.sync(source).state == "done"
    assert installed.sync(source).state == "done"
    return fake.exchanges


@pytest.mark.parametrize(
    "config",
    [{}, {"counts": "releases"}, {"counts": "workflow runs", "workflow": "deploy.yml"},
     {"counts": "workflow runs"}, {"counts": OWN}, {"counts": OWN, "workflow": "deploy.yml"}],
)  # fmt: skip
def test_githubs_rest_api(installed, github, config):
    description = described.openapi(described.GITHUB)
    rest = [e for e in synced(installed, github, **config) if e.method == "GET"]
    assert rest
    assert [fault for e in rest for fault in description.wrong(e)] == []


@pytest.mark.parametrize("counts", ["deployments", "tags", "merges", OWN, "busy"])
def test_githubs_graphql(installed, github, counts):
    described.graphql()
    if counts == "busy":  # a page full of previews has one more question
        node = github.deployments["acme/payments"][0]
        github.deployments["acme/docs"] = [
            {**node, "databaseId": n, "environment": f"pr-{n}"} for n in range(1000, 1120)
        ]
        counts = OWN
    queries = [e for e in synced(installed, github, counts=counts) if e.method == "POST"]
    assert queries
    for exchange in queries:
        asked = exchange.asked
        wrong = described.wrong_in_query(asked["query"], asked["variables"], exchange.document)
        assert wrong == []


def test_a_lie_is_caught(installed, github):
    description = described.openapi(described.GITHUB)
    exchanges = synced(installed, github)
    statuses = next(e for e in exchanges if e.path.endswith("/statuses") and e.document)
    lie = replace(statuses, document=[{**statuses.document[0], "state": "bogus"}])
    assert any("bogus" in fault for fault in description.wrong(lie))
    (repositories, *_) = (e for e in exchanges if e.path == "/orgs/acme/repos")
    assert description.wrong(replace(repositories, query={"per_page": "abc"}))
    assert description.wrong(replace(repositories, query={"colour": "red"}))
    assert description.wrong(replace(repositories, path="/orgs/acme/cats"))
    query = next(e for e in exchanges if e.method == "POST")
    asked = query.asked["query"].replace("createdAt", "finishedAt", 1)
    assert described.wrong_in_query(asked, query.asked["variables"], query.document)


def test_pagerdutys_rest_api(installed):
    description = described.openapi(described.PAGERDUTY)
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}]
        fake.report("Q1", NOW - timedelta(days=2), service="P1", ended=NOW - timedelta(days=1))
        fake.report("Q2", NOW - timedelta(hours=2), service="P1")
        fake.exchanges = []
        exchanges = synced(installed, fake, "pagerduty")
    assert {e.path for e in exchanges} >= {"/services", "/incidents", "/log_entries"}
    assert [fault for e in exchanges for fault in description.wrong(e)] == []
