"""Each repository has its own choice: the first of which it has any in the last 28 days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling.choice.counts import ChoiceCount, first_of
from tests.ingest.pulling.choice.repositories import (
    NOW,
    OWN,
    choices,
    deployed,
    merge,
    named,
    release,
    run,
    seen,
    standing,
    tag,
)
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub


@pytest.fixture
def github():
    with served(FakeGitHub()) as fake:
        yield fake


def connected(installed, github, **more):
    config = {"owner": "acme", "address": github.base, "counts": OWN, "changes": "no"} | more
    return installed.make("github", github.token, **config)


def test_the_first_that_is_not_empty_is_chosen_for_each(installed, github):
    """Everything that a repository may have, each with all that stands behind it in the order."""
    names = ("deploys", "runs", "releases", "tags", "merges")
    named(github, *names)
    for number, name in enumerate(names):
        path = f"acme/{name}"
        github.pulls[path] = [merge(1, 2)]
        github.tags[path] = [tag("v1.0", 3)] if number < 4 else []
        github.releases[path] = [release(1, 3)] if number < 3 else []
        github.runs[path] = [run(number * 10 + 1, 4)] if number < 2 else []
    github.deployments["acme/deploys"] = deployed(1, 2)
    source = connected(installed, github)
    assert installed.sync(source).state == "done"
    assert choices(installed, source) == {
        "deploys": ("production deployments", "seen"),
        "runs": ("runs of deploy.yml", "seen"),
        "releases": ("releases", "seen"),
        "tags": ("tags", "seen"),
        "merges": ("merges", "seen"),
    }
    assert standing(installed) == sorted(
        [
            "1",
            "2",
            "acme/merges@merge-1",
            "acme/releases@v1.0",
            "acme/runs@run-11",
            "acme/tags@v1.0",
        ]
    )
    assert seen(installed, source, "deploys") == {
        "deployments": "2", "workflow runs": "1", "releases": "1", "tags": "1", "merges": "1",
    }  # fmt: skip


def odd(github) -> dict[str, tuple[str, str]]:
    """Twelve repositories that mislead, and what is right for each."""
    named(
        github, "old", "empty", "early", "renamed", "staged", "blind", "forked", "month", "trunk",
        "loose", "waiting", "ci",
    )  # fmt: skip
    github.repositories["acme/old"]["archived"] = True
    github.deployments["acme/old"] = deployed(1)
    github.releases["acme/early"] = [release(1, 2, prerelease=True), release(2, 3, draft=True)]
    github.tags["acme/early"] = [tag("v1.0-rc.1", 2)]
    github.pulls["acme/early"] = [merge(1, 1)]
    github.gone_workflows = {"gone.yml"}
    github.runs["acme/renamed"] = [run(1, 3, "deploy-prod.yml"), run(2, 1, "deploy-staging.yml"),
                                   run(3, 1, "deploy-staging.yml")]  # fmt: skip
    github.deployments["acme/staged"] = deployed(1, 2, 3, environment="staging", first=50)
    github.releases["acme/staged"] = [release(7, 4)]
    github.without_actions = {"acme/blind"}
    github.tags["acme/blind"] = [tag("2026.11", 5)]
    github.forks = {"acme/forked"}
    github.tags["acme/forked"] = [tag("v9.9.9", 2)]
    github.deployments["acme/month"] = deployed(29, first=90)
    github.branches["acme/trunk"] = "trunk"
    github.pulls["acme/trunk"] = [merge(5, 1, base="main"), merge(6, 2, base="trunk")]
    github.tags["acme/loose"] = [tag("latest", 1), tag("nightly", 1, tagged=None)]
    github.pulls["acme/loose"] = [merge(9, 30), merge(10, 3)]
    github.deployments["acme/waiting"] = deployed(0.1, state="", first=95)
    github.pulls["acme/waiting"] = [merge(11, 3)]
    github.runs["acme/ci"] = [run(20, 1, "ci.yml"), run(21, 1, "deploy-preview.yml")]
    github.releases["acme/ci"] = [release(1, 40)]
    nothing = ("production deployments", "")
    return {
        "empty": nothing, "early": ("merges", "seen"), "renamed": ("runs of deploy-prod.yml", "seen"),
        "staged": ("releases", "seen"), "blind": ("tags", "seen"), "forked": nothing, "month": nothing,
        "trunk": ("merges", "seen"), "loose": ("merges", "seen"), "waiting": ("merges", "seen"),
        "ci": nothing,
    }  # fmt: skip


def test_repositories_that_mislead(installed, github):
    expected = odd(github)
    source = connected(installed, github)
    assert installed.sync(source).state == "done"
    assert choices(installed, source) == expected
    assert standing(installed) == [
        "90", "acme/blind@2026.11", "acme/early@merge-1", "acme/loose@merge-10", "acme/loose@merge-9",
        "acme/renamed@run-1", "acme/staged@v7.0", "acme/trunk@merge-6", "acme/waiting@merge-11",
    ]  # fmt: skip
    assert seen(installed, source, "blind")["workflow runs"] == "not seen"


def test_a_workflow_of_the_settings_that_is_gone_is_not_chosen(installed, github):
    odd(github)
    source = connected(installed, github, workflow="gone.yml")
    assert installed.sync(source).state == "done"
    assert choices(installed, source)["renamed"] == ("production deployments", "")


def test_counting_costs_few_requests_and_is_done_once(installed, github):
    """Forty repositories: a query for ten, and a request for the runs of each."""
    named(github, *(f"r{n}" for n in range(40)))
    for path in github.repositories:
        github.pulls[path] = [merge(1, 1)]
    source = connected(installed, github)
    github.exchanges = []
    assert installed.sync(source).state == "done"
    queries = [e for e in github.exchanges if e.method == "POST" and "o0" in e.asked["variables"]]
    assert len(queries) == 4
    assert len([e for e in github.exchanges if "/actions/" in e.path]) == 40
    github.exchanges = []
    installed.sync(source)
    assert len(github.exchanges) == 1 + 40, "the list, and a page of merges of each"


def test_github_breaks_a_large_count_off_and_smaller_ones_go_on(installed, github):
    named(github, "a", "b", "c", "d")
    github.most_counted = 1
    for path in github.repositories:
        github.tags[path] = [tag("v1.2.3", 1)]
    source = connected(installed, github)
    assert installed.sync(source).state == "done"
    assert {choice for choice, _ in choices(installed, source).values()} == {"tags"}


def test_a_page_full_of_previews_hides_no_production(installed, github):
    named(github, "busy")
    previews = deployed(*(n / 24 for n in range(130)), environment="pr-1", first=1000)
    github.deployments["acme/busy"] = [*previews, *deployed(20, 21)]
    source = connected(installed, github)
    assert installed.sync(source).state == "done"
    assert seen(installed, source, "busy")["deployments"] == "2"
    assert choices(installed, source) == {"busy": ("production deployments", "seen")}


def test_githubs_word_on_production_is_asked_for(installed, github):
    named(github, "eu")
    nodes = deployed(1, 2, environment="eu-west")
    github.deployments["acme/eu"] = [{**node, "production": True} for node in nodes]
    github.pulls["acme/eu"] = [merge(1, 1)]
    source = connected(installed, github)
    assert installed.sync(source).state == "done"
    assert choices(installed, source) == {"eu": ("production deployments", "seen")}
    assert standing(installed) == ["1", "2"]


def test_one_that_has_nothing_is_looked_at_again_a_day_later(installed, github):
    named(github, "young")
    source = connected(installed, github)
    installed.sync(source)
    github.releases["acme/young"] = [release(1, 0)]
    installed.sync(source)
    assert choices(installed, source) == {"young": ("production deployments", "")}
    at = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    installed.world.sql(
        f"update source_scope set counts_seen = jsonb_set(counts_seen, '{{at}}', to_jsonb('{at}'::text))"
    )
    installed.sync(source)
    assert choices(installed, source) == {"young": ("releases", "seen")}
    assert standing(installed) == ["acme/young@v1.0"]


def test_the_sources_setting_decides_for_all(installed, github):
    named(github, "a", "b")
    github.deployments["acme/a"] = deployed(1)
    github.pulls["acme/a"], github.pulls["acme/b"] = [merge(1, 1)], [merge(2, 1)]
    source = connected(installed, github, counts="merges")
    installed.sync(source)
    assert choices(installed, source) == {"a": ("merges", "source"), "b": ("merges", "source")}
    assert standing(installed) == ["acme/a@merge-1", "acme/b@merge-2"]


def test_a_hidden_repository_and_a_deleted_one_stop_no_other(installed, github):
    named(github, "here", "hidden")
    github.pulls["acme/here"] = [merge(1, 1)]
    source = connected(installed, github)
    get = github.get

    def without(path, query, headers):
        github.repositories.pop("acme/hidden", None) if "/actions/" in path else None
        return get(path, query, headers)

    github.get = without
    assert installed.sync(source).state == "done"
    assert standing(installed) == ["acme/here@merge-1"]


def test_merges_are_changes_since_their_first_commits(installed, github):
    named(github, "m")
    github.pulls["acme/m"] = [merge(n, n) for n in range(1, 131)]
    source = connected(installed, github, changes="yes")
    assert installed.sync(source).state == "done"
    assert len(standing(installed)) == 89, "the history that is wanted"
    rows = installed.rows("deployment_change", "deployment, key, committed_at")
    assert ("acme/m@merge-3", f"{3:040x}", NOW - timedelta(days=3, hours=5)) in rows
    github.asked.clear()
    github.pulls["acme/m"].insert(0, merge(200, 0))
    assert installed.sync(source).written >= 1
    assert "acme/m@merge-200" in standing(installed)
    assert len(github.asked) <= 3


def test_an_old_commit_that_is_tagged_today_is_found_behind_hundreds(installed, github):
    named(github, "t")
    github.tags["acme/t"] = [tag(f"v1.{n}", n / 10) for n in range(230)]
    source = connected(installed, github, counts="tags")
    installed.sync(source)
    assert len(standing(installed)) == 230
    github.asked.clear()
    installed.sync(source)
    assert len(github.asked) == 2, "the list of repositories, and the first page of tags"
    hour = (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    github.tags["acme/t"].append(tag("v0.9.1", 2000, tagged=hour))
    installed.sync(source)
    assert "acme/t@v0.9.1" in standing(installed)


def test_nothing_is_chosen_where_nothing_was_counted():
    assert first_of([ChoiceCount("deployments", None), ChoiceCount("tags", 0)]) is None
