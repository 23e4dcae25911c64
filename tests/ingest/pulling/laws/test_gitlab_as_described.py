"""GitLab's description of its REST API holds our requests and our fake: what of it is used stands here in
short, and the whole is asked too where it was put into ``var/descriptions`` by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ingest.pulling.senders import described
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.test_gitlab import deployment

NOW = datetime.now(UTC).replace(microsecond=0)
TEXT, NUMBER, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
INSTANT = {"type": "string", "format": "date-time"}
SHA = {"type": "string", "pattern": "^[0-9a-f]{40}$"}


def among(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def thing(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def answered(schema: dict[str, Any], **parameters: dict[str, Any]) -> dict[str, Any]:
    """An operation that answers so, and what it may be asked."""
    named = [{"name": n, "in": "query", "schema": s} for n, s in parameters.items()]
    content = {"application/json": {"schema": schema}}
    return {"get": {"parameters": named, "responses": {"200": {"content": content}}}}


PAGES = {"page": NUMBER, "per_page": {"type": "integer", "minimum": 1, "maximum": 100}}
STATUS = among("created", "running", "success", "failed", "canceled", "skipped", "blocked")
DEPLOYMENT = thing(
    id=NUMBER,
    iid=NUMBER,
    sha=SHA,
    status=STATUS,
    created_at=INSTANT,
    updated_at=INSTANT,
    environment=thing(name=TEXT),
    deployable={**thing(finished_at={**INSTANT, "nullable": True}), "nullable": True},
)
COMMIT = thing(id=SHA, authored_date=INSTANT, parent_ids={"type": "array", "items": SHA})
PROJECT = "/api/v4/projects/{id}"
FACTS = {
    "paths": {
        "/api/v4/version": answered(thing(version=TEXT)),
        "/api/v4/groups/{id}/projects": answered(
            {"type": "array", "items": thing(id=NUMBER, path_with_namespace=TEXT)},
            include_subgroups=TRUTH,
            archived=TRUTH,
            order_by=among(
                "id", "name", "path", "created_at", "updated_at", "last_activity_at",
                "similarity", "star_count",
            ),
            pagination=among("keyset"),
            **PAGES,
        ),
        f"{PROJECT}/deployments": answered(
            {"type": "array", "items": DEPLOYMENT},
            order_by=among("id", "iid", "created_at", "updated_at", "finished_at"),
            sort=among("asc", "desc"),
            updated_after=INSTANT,
            updated_before=INSTANT,
            finished_after=INSTANT,
            finished_before=INSTANT,
            environment=TEXT,
            status=STATUS,
            **PAGES,
        ),
        f"{PROJECT}/deployments/{{deployment_id}}": answered(DEPLOYMENT),
        PROJECT: answered(thing(id=NUMBER, default_branch=TEXT)),
        f"{PROJECT}/releases": answered(
            {"type": "array", "items": thing(tag_name=TEXT, released_at=INSTANT)},
            order_by=among("released_at", "created_at"),
            sort=among("asc", "desc"),
            include_html_description=TRUTH,
            updated_before=INSTANT,
            updated_after=INSTANT,
            **PAGES,
        ),
        f"{PROJECT}/repository/tags": answered(
            {
                "type": "array",
                "items": thing(
                    name=TEXT,
                    created_at={**INSTANT, "nullable": True},
                    commit=thing(created_at=INSTANT),
                ),
            },
            order_by=among("name", "updated", "version"),
            sort=among("asc", "desc"),
            search=TEXT,
            page_token=TEXT,
            **PAGES,
        ),
        f"{PROJECT}/merge_requests": answered(
            {
                "type": "array",
                "items": thing(
                    iid=NUMBER,
                    merged_at={**INSTANT, "nullable": True},
                    updated_at=INSTANT,
                    target_branch=TEXT,
                    squash_commit_sha={**SHA, "nullable": True},
                ),
            },
            state=among("opened", "closed", "locked", "merged", "all"),
            target_branch=TEXT,
            order_by=among(
                "created_at", "label_priority", "milestone_due", "popularity", "priority", "title",
                "updated_at", "merged_at",
            ),
            sort=among("asc", "desc"),
            updated_after=INSTANT,
            updated_before=INSTANT,
            **PAGES,
        ),
        f"{PROJECT}/merge_requests/{{merge_request_iid}}/commits": answered(
            {"type": "array", "items": COMMIT}, **PAGES
        ),
        f"{PROJECT}/repository/compare": answered(
            thing(commits={"type": "array", "items": COMMIT}),
            **{"from": TEXT},
            to=TEXT,
            from_project_id=NUMBER,
            straight=TRUTH,
            unidiff=TRUTH,
        ),
    }
}  # fmt: skip
"""From ``doc/api/openapi/openapi_v3.yaml`` of GitLab (the lists of deployments, their orders, statuses and
instants), ``doc/api/groups.md``, ``doc/api/repositories.md``, ``doc/api/releases/index.md``,
``doc/api/tags.md`` and ``doc/api/merge_requests.md``."""
SHAS = frozenset({"from", "to"})
"""Parameters that may be of digits alone and look like numbers."""


@pytest.fixture
def exchanges(installed):
    """Everything that a source and its test ask, of deployments of every status, twice over."""
    with served(FakeGitLab()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        fake.deployments["1"] = [
            deployment(n, NOW - timedelta(hours=6 * n), status)
            for n, status in enumerate([*STATUS["enum"], "success", *["failed"] * 200], 1)
        ]
        span = (f"{8:040x}", f"{3:040x}")
        squash = {"id": f"{9:040x}", "authored_date": "2026-11-01T10:00:00.000Z", "parent_ids": []}
        fake.commits[span] = [squash]
        at = "2026-11-01T10:00:00.000Z"
        fake.merged["1"] = [
            {"iid": 7, "merged_at": at, "updated_at": at, "target_branch": "main",
             "squash_commit_sha": squash["id"]}
        ]  # fmt: skip
        fake.of_merge["1", "7"] = [squash]
        fake.exchanges = []
        source = installed.make("gitlab", fake.token, group="acme", address=fake.base)
        for _ in range(2):
            run = installed.sync(source)
            assert run.state == "done", run
        yield fake.exchanges


@pytest.mark.parametrize("counts", ["each project's own", "releases", "tags", "merges"])
def test_what_else_a_deployment_may_be_is_asked_as_gitlab_says(installed, counts):
    description = described.Description(FACTS, SHAS)
    with served(FakeGitLab()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        at = NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        fake.releases["1"] = [{"tag_name": "v1", "released_at": at}]
        fake.tags["1"] = [{"name": "v1", "created_at": None, "commit": {"created_at": at}}]
        fake.merged["1"] = [
            {"iid": 1, "merged_at": at, "updated_at": at, "target_branch": "main",
             "squash_commit_sha": None}
        ]  # fmt: skip
        fake.exchanges = []
        source = installed.make(
            "gitlab", fake.token, group="acme", address=fake.base, counts=counts
        )
        for _ in range(2):
            assert installed.sync(source).state == "done"
        assert [fault for e in fake.exchanges for fault in description.wrong(e)] == []
        assert len({e.path for e in fake.exchanges}) >= (6 if "own" in counts else 2)


def test_what_is_asked_and_answered_is_what_gitlab_says_of_it(installed, exchanges):
    description = described.Description(FACTS, SHAS)
    assert {e.path.rpartition("/")[2] for e in exchanges} >= {
        "projects", "deployments", "compare", "merge_requests", "commits",
    }  # fmt: skip
    assert [fault for e in exchanges for fault in description.wrong(e)] == []


def test_a_lie_is_caught(exchanges):
    description = described.Description(FACTS, SHAS)
    listed = next(e for e in exchanges if e.path.endswith("/deployments") and e.document)
    for lie in ({"status": "succeeded"}, {"sha": "main"}, {"updated_at": "yesterday"}, {"id": "1"}):
        assert description.wrong(replace(listed, document=[{**listed.document[0], **lie}])), lie
    for query in ({"order_by": "ref"}, {"sort": "newest"}, {"since": "1"}, {"per_page": "1000"},
                  {"updated_after": "yesterday"}):  # fmt: skip
        assert description.wrong(replace(listed, query=query)), query


def test_the_whole_description_says_the_same(exchanges):
    description = described.openapi(described.GITLAB)
    lists = [e for e in exchanges if "/deployments" in e.path]
    assert [fault for e in lists for fault in description.wrong(e)] == []
