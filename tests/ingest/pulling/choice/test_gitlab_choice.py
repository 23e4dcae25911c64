"""Projects of GitLab that differ in what their deployments are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest.pulling import store
from ingest.pulling.choice import settling
from tests.ingest.pulling.choice.repositories import NOW, choices, seen, standing
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.test_gitlab import deployment, stamp

OWN = "each project's own"


def release(tag: str, days: float, **more):
    return {"tag_name": tag, "released_at": stamp(NOW - timedelta(days=days)), **more}


def tag(name: str, days: float, made: float | None = None):
    at = stamp(NOW - timedelta(days=made)) if made is not None else None
    return {
        "name": name,
        "created_at": at,
        "commit": {"created_at": stamp(NOW - timedelta(days=days))},
    }


def merge(number: int, days: float, branch: str = "main"):
    at = stamp(NOW - timedelta(days=days))
    return {"iid": number, "merged_at": at, "updated_at": at, "target_branch": branch}


@pytest.fixture
def gitlab():
    """Seven projects, each with another right answer."""
    with served(FakeGitLab()) as fake:
        names = ("deploys", "releases", "tags", "merges", "review", "trunk", "empty")
        fake.projects = [
            {"id": n, "path_with_namespace": f"acme/{name}"} for n, name in enumerate(names, 1)
        ]
        fake.deployments["1"] = [deployment(n, NOW - timedelta(days=n)) for n in (1, 2)]
        for id in "12":
            fake.releases[id] = [release("v9.0", -3, upcoming_release=True), release("v1.0", 3)]
        for id in "123":
            fake.tags[id] = [tag("nightly", 1), tag("v1.0", 3), tag("v0.9", 400, 5)]
        for id in "1234":
            fake.merged[id] = [merge(1, 2), merge(2, 3, "side")]
        fake.deployments["5"] = [
            deployment(50, NOW - timedelta(days=1))
            | {"environment": {"name": "review/x", "tier": "development"}}
        ]
        fake.merged["5"] = [merge(7, 5)]
        fake.branches["6"], fake.merged["6"] = "trunk", [merge(8, 1), merge(9, 1, "trunk")]
        fake.without_merges = {"7"}
        yield fake


@pytest.fixture
def source(installed, gitlab):
    config = {"group": "acme", "address": gitlab.base, "changes": "no", "counts": OWN}
    made = installed.make("gitlab", gitlab.token, **config)
    assert installed.sync(made).state == "done"
    return made


def test_each_project_has_the_first_that_is_not_empty(installed, source):
    assert choices(installed, source) == {
        "deploys": ("production deployments", "seen"), "releases": ("releases", "seen"),
        "tags": ("tags", "seen"), "merges": ("merges", "seen"), "review": ("merges", "seen"),
        "trunk": ("merges", "seen"), "empty": ("production deployments", ""),
    }  # fmt: skip
    assert standing(installed) == [
        "acme/merges@merge-1", "acme/releases@v1.0", "acme/review@merge-7", "acme/tags@v0.9",
        "acme/tags@v1.0", "acme/trunk@merge-9", "gitlab@1", "gitlab@2",
    ]  # fmt: skip
    assert seen(installed, source, "deploys") == {
        "deployments": "2", "releases": "1", "tags": "2", "merges": "1",
    }  # fmt: skip
    assert seen(installed, source, "empty")["merges"] == "not seen"


def test_what_is_new_comes_and_another_choice_turns(installed, source, gitlab):
    gitlab.merged["4"].append(merge(3, 0))
    gitlab.releases["2"].insert(0, release("v2.0", 0))
    gitlab.tags["3"].append(tag("v0.1", 900, 0))
    gitlab.asked.clear()
    installed.sync(source)
    assert {"acme/merges@merge-3", "acme/releases@v2.0", "acme/tags@v0.1"} <= {*standing(installed)}
    before = standing(installed)
    jobs, by = installed.context.database.job, "alice@x.example"
    settling.choose(jobs, source, "1", "releases", by)
    run = installed.sync(source)
    assert "2 production deployments count no more" in run.message
    assert {*standing(installed)} == {*before} - {"gitlab@1", "gitlab@2"} | {"acme/deploys@v1.0"}
    settling.choose(jobs, source, "1", "deployments", by)
    installed.sync(source)
    assert standing(installed) == before


def test_one_connected_before_there_was_a_choice_keeps_its_deployments(installed, gitlab):
    """Settings of before have nothing of it; the migration says what they were."""
    config = {"group": "acme", "address": gitlab.base, "changes": "no", "counts": "deployments"}
    made = installed.make("gitlab", gitlab.token, **config)
    installed.world.sql("update source set config = config - 'tags'")
    installed.sync(made)
    assert standing(installed) == ["gitlab@1", "gitlab@2"]
    known = store.find_source(installed.context.database.job, made)
    assert "tags" not in known.config
