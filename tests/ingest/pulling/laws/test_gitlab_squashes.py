"""Squashes of merge requests of GitLab as changes: since their first commit; and lists that change while
they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling import runner
from tests.deep import all_but
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.test_github import deployment as of_github
from tests.ingest.pulling.test_github import killed_in
from tests.ingest.pulling.test_gitlab import deployment, stamp

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MERGE = NOW - 2 * HOUR
FIRST = MERGE - 5 * DAY


def sha(number: int) -> str:
    return f"{number:040x}"


def commit(number: int, at: datetime, *parents: int):
    return {"id": sha(number), "authored_date": stamp(at), "parent_ids": [sha(p) for p in parents]}


def merged(number: int, squash: int | None, at: datetime):
    return {
        "iid": number,
        "merged_at": stamp(at),
        "updated_at": stamp(at),
        "target_branch": "main",
        "squash_commit_sha": None if squash is None else sha(squash),
    }


@pytest.fixture
def gitlab():
    """Two successes; what the second one brought is each test's own."""
    with served(FakeGitLab()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        fake.deployments["1"] = [deployment(2, NOW - HOUR), deployment(1, NOW - 20 * DAY)]
        fake.merged["1"] = []
        yield fake


def connected(installed, gitlab, **more):
    return installed.make("gitlab", gitlab.token, group="acme", address=gitlab.base, **more)


def changes(installed):
    return installed.rows("deployment_change", "deployment, key, committed_at")


def squashed(gitlab, number: int = 7, squash: int = 50, at: datetime = MERGE, first=FIRST):
    """A merge request of three commits that was squashed."""
    gitlab.merged["1"].append(merged(number, squash, at))
    gitlab.of_merge["1", str(number)] = [
        commit(900, at - HOUR), commit(901, first + HOUR), commit(902, first)
    ]  # fmt: skip
    return commit(squash, at, 1)


def test_a_squash_begins_with_its_first_commit(installed, gitlab):
    gitlab.commits[sha(1), sha(2)] = [squashed(gitlab), commit(60, NOW - 3 * HOUR, 50)]
    source = connected(installed, gitlab)
    assert installed.sync(source).state == "done"
    assert changes(installed) == [
        ("gitlab@2", sha(50), FIRST), ("gitlab@2", sha(60), NOW - 3 * HOUR)
    ]  # fmt: skip
    gitlab.asked.clear()
    assert installed.sync(source).written == 0
    assert not [path for path in gitlab.asked if "merge_requests" in str(path)]


def test_a_merge_of_two_parents_is_no_change(installed, gitlab):
    gitlab.commits[sha(1), sha(2)] = [commit(50, FIRST, 1), commit(60, MERGE, 1, 50)]
    gitlab.merged["1"] = [merged(7, None, MERGE)]
    installed.sync(connected(installed, gitlab))
    assert changes(installed) == [("gitlab@2", sha(50), FIRST)]


def test_the_first_of_many_commits_stands_on_a_later_page(installed, gitlab):
    gitlab.commits[sha(1), sha(2)] = [squashed(gitlab)]
    gitlab.of_merge["1", "7"] = [commit(900 + n, MERGE - n * HOUR) for n in range(1, 251)]
    installed.sync(connected(installed, gitlab))
    assert changes(installed) == [("gitlab@2", sha(50), MERGE - 250 * HOUR)]


def test_a_rebase_that_lies_later_than_the_squash_changes_nothing(installed, gitlab):
    gitlab.commits[sha(1), sha(2)] = [squashed(gitlab)]
    gitlab.of_merge["1", "7"] = [commit(900, MERGE + HOUR)]
    installed.sync(connected(installed, gitlab))
    assert changes(installed) == [("gitlab@2", sha(50), MERGE)]


def test_commits_that_are_gone_leave_the_squash_its_own_time(installed, gitlab):
    gitlab.commits[sha(1), sha(2)] = [squashed(gitlab)]
    gitlab.of_merge.clear()
    assert installed.sync(connected(installed, gitlab)).state == "done"
    assert changes(installed) == [("gitlab@2", sha(50), MERGE)]


def test_a_token_that_may_not_read_merge_requests_is_told(installed, gitlab):
    gitlab.commits[sha(1), sha(2)] = [squashed(gitlab)]
    gitlab.without_merges = {"1"}
    run = installed.sync(connected(installed, gitlab))
    assert run.state == "done"
    assert "merge requests can not be read, so squashes begin at the merge" in run.message
    assert changes(installed) == [("gitlab@2", sha(50), MERGE)]


@pytest.mark.parametrize("request_number", all_but([5], [3, 5, 7, 30, 40]))
def test_killed_at_any_request_the_changes_are_those_of_a_whole_run(
    installed, gitlab, request_number, tmp_path
):
    """Two lists of merge requests would not be read whole in one run: sixty squashes in two deployments."""
    gitlab.deployments["1"].insert(0, deployment(3, NOW - HOUR / 2))
    times = [FIRST - n * HOUR for n in range(60)]
    commits = [squashed(gitlab, 100 + n, 500 + n, MERGE, at) for n, at in enumerate(times)]
    gitlab.commits[sha(1), sha(2)], gitlab.commits[sha(2), sha(3)] = commits[:30], commits[30:]
    source = connected(installed, gitlab)
    killed_in(installed, gitlab, source, request_number, tmp_path)
    assert installed.sync(source).state == "done"
    assert changes(installed) == [
        (f"gitlab@{2 if n < 30 else 3}", sha(500 + n), at) for n, at in enumerate(times)
    ]


class Changing(FakeGitLab):
    """GitLab whose oldest merge request is commented on after each page of the list."""

    def get(self, path, query, headers):
        reply = super().get(path, query, headers)
        if path.endswith("/merge_requests"):
            first = min(self.merged["1"], key=lambda m: m["updated_at"])
            first["updated_at"] = stamp(NOW)
        return reply


@pytest.mark.parametrize("counts", ["deployments", "merges"])
def test_a_list_that_changes_while_it_is_read_leaves_nothing_out(installed, counts):
    with served(Changing()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        fake.deployments["1"] = [deployment(2, NOW - HOUR), deployment(1, NOW - 20 * DAY)]
        fake.merged["1"] = []
        fake.commits[sha(1), sha(2)] = [
            squashed(fake, n, 500 + n, MERGE - n * HOUR, FIRST - n * HOUR) for n in range(350)
        ]
        source = connected(installed, fake, counts=counts)
        assert installed.sync(source).state == "done"
    if counts == "merges":
        assert len(installed.rows("deployment", "key")) == 350
    else:
        begun = {key: at for _, key, at in changes(installed)}
        assert begun == {sha(500 + n): FIRST - n * HOUR for n in range(350)}


def test_many_of_one_instant_are_read_to_the_end(installed, gitlab):
    gitlab.merged["1"] = [merged(n, None, MERGE) for n in range(350)]
    assert installed.sync(connected(installed, gitlab, counts="merges")).state == "done"
    assert len(installed.rows("deployment", "key")) == 350


def tried(installed, source) -> list[str]:
    shown = installed.source(source)
    return runner.try_source(runner.open_pull(installed.context, shown), shown.kind)[0]


def test_the_test_of_gitlab_says_what_may_not_be_seen(installed, gitlab):
    source = connected(installed, gitlab)
    assert tried(installed, source)[-1] == "Deployments can be read."
    gitlab.deployments.clear()
    assert tried(installed, source)[-1] == (
        "acme/payments: environments are turned off, or the token may not see them."
    )


@pytest.mark.parametrize(
    ("without", "said"),
    [((), "Pull requests can be read."),
     (("acme/payments",), "Pull requests can not be read, so squashes begin at the merge.")],
)  # fmt: skip
def test_the_test_of_github_asks_for_pull_requests(installed, without, said):
    with served(FakeGitHub()) as github:
        github.repository(1, "acme/payments")
        github.deployments["acme/payments"] = [of_github(1, NOW - DAY)]
        github.without_pulls = set(without)
        source = installed.make("github", github.token, owner="acme", address=github.base)
        assert tried(installed, source)[-2:] == ["Deployments can be read.", said]
