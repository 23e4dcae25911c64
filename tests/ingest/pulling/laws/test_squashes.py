"""Squashes of pull requests of GitHub as changes: since their first commit, and nothing counts twice."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, pairwise, repeat
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from aggregators.dora.records import lead_times
from ingest.pulling import gathering, runner
from storage.context import job_in
from tests.deep import all_but, long
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import deployment, killed_in, stamp

NOW = datetime.now(UTC).replace(microsecond=0)
NAME = "acme/payments"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sha(number: int) -> str:
    return f"{number:040x}"


def commit(number: int, at: datetime, *parents: int):
    return {
        "sha": sha(number),
        "commit": {"author": {"date": stamp(at)}},
        "parents": [sha(p) for p in parents],
    }


def merged(number: int, oid: int | None, at: datetime, first: datetime | None, **more):
    """A pull request; a squash where nothing else is said."""
    return {
        "number": number,
        "oid": None if oid is None else sha(oid),
        "merged": stamp(at),
        "authored": stamp(first) if first else None,
        **more,
    }


@pytest.fixture
def github():
    """Two successes, the second an hour ago; what it brought is each test's own."""
    with served(FakeGitHub()) as fake:
        fake.repository(1, NAME)
        fake.deployments[NAME] = [deployment(2, NOW - HOUR), deployment(1, NOW - 20 * DAY)]
        fake.pulls[NAME] = []
        yield fake


def connected(installed, github, **more):
    return installed.make("github", github.token, owner="acme", address=github.base, **more)


def brought(github, *commits, base=1, head=2):
    github.commits[sha(base), sha(head)] = list(commits)


def changes(installed):
    return installed.rows("deployment_change", "deployment, key, committed_at")


def hours(installed) -> list[tuple[str, float]]:
    """Lead times in hours, each with the deployment that it belongs to."""
    query = text(f"select key, seconds from ({lead_times('true')}) l order by key, seconds")
    with job_in(installed.context.database.job, installed.world.alpha) as connection:
        rows = connection.execute(query, {"w": installed.world.alpha, "zone": "UTC"})
        return [(row.key, round(row.seconds / 3600, 2)) for row in rows]


MERGE = NOW - 2 * HOUR
FIRST = MERGE - 5 * DAY


def test_a_squash_of_three_commits_over_five_days_begins_with_the_first(installed, github):
    brought(github, commit(50, MERGE, 1))
    github.pulls[NAME] = [merged(7, 50, MERGE, FIRST, ended=stamp(MERGE - HOUR))]
    source = connected(installed, github)
    assert installed.sync(source).state == "done"
    assert changes(installed) == [("2", sha(50), FIRST)]
    deployed = NOW - HOUR + timedelta(minutes=5)
    assert hours(installed) == [("2", round((deployed - FIRST).total_seconds() / 3600, 2))]
    github.asked.clear()
    again = installed.sync(source)
    assert (again.written, again.requests) == (0, 2), "repositories, deployments, no pull request"


def test_the_commits_of_a_rebase_begin_each_by_itself(installed, github):
    times = [FIRST, FIRST + 2 * DAY, MERGE - HOUR]
    brought(github, *(commit(50 + n, at, 1) for n, at in enumerate(times)))
    last = stamp(times[-1])
    github.pulls[NAME] = [merged(7, 52, MERGE, FIRST, ended=last, made=last)]
    installed.sync(connected(installed, github))
    assert changes(installed) == [("2", sha(50 + n), at) for n, at in enumerate(times)]


def test_a_merge_of_two_parents_counts_by_the_commits_that_it_brings(installed, github):
    times = [FIRST, FIRST + 2 * DAY, MERGE - HOUR]
    branch = [commit(50 + n, at, 1) for n, at in enumerate(times)]
    brought(github, *branch, commit(60, MERGE, 1, 52))
    github.pulls[NAME] = [merged(7, 60, MERGE, FIRST, ended=stamp(times[-1]), parents=2)]
    installed.sync(connected(installed, github))
    assert changes(installed) == [("2", sha(50 + n), at) for n, at in enumerate(times)]


def test_what_was_merged_once_and_deployed_twice_counts_once(installed, github):
    github.deployments[NAME].insert(0, deployment(3, NOW - HOUR / 2))
    github.deployments[NAME].append(deployment(10, NOW - 21 * DAY, environment="prod-eu"))
    github.deployments[NAME].insert(0, deployment(11, NOW - HOUR / 4, environment="prod-eu"))
    squash = commit(50, MERGE, 1)
    brought(github, squash)
    brought(github, squash, base=2, head=3)
    brought(github, squash, base=10, head=11)
    github.pulls[NAME] = [merged(7, 50, MERGE, FIRST)]
    installed.sync(connected(installed, github))
    assert {row[1:] for row in changes(installed)} == {(sha(50), FIRST)}
    assert len(changes(installed)) == 3
    assert [key for key, _ in hours(installed)] == ["2"], "the first that carries it"


@pytest.mark.parametrize(
    "pull",
    [
        merged(7, 50, MERGE, None),
        merged(7, None, MERGE, FIRST),
        merged(7, 50, MERGE, FIRST, broken=True),
        merged(7, 50, MERGE, MERGE + DAY),
        merged(7, 51, MERGE, FIRST),
    ],
    ids=["no commits", "no merge commit", "null", "a clock that is ahead", "another commit's"],
)
def test_without_a_first_commit_the_squash_begins_by_itself(installed, github, pull):
    brought(github, commit(50, MERGE, 1), commit(55, MERGE, 1))
    github.pulls[NAME] = [pull, merged(8, 55, MERGE, FIRST)]
    run = installed.sync(connected(installed, github))
    assert (run.state, run.refused) == ("done", 0), run
    assert changes(installed) == [("2", sha(50), MERGE), ("2", sha(55), FIRST)]


def test_one_from_a_fork_into_another_branch_begins_with_its_first_commit(installed, github):
    brought(github, commit(50, MERGE, 1))
    github.pulls[NAME] = [merged(7, 50, MERGE, FIRST, base="release/2")]
    installed.sync(connected(installed, github))
    assert changes(installed) == [("2", sha(50), FIRST)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_that_name_one_commit_the_earliest_begin_counts(installed, github, order):
    brought(github, commit(50, MERGE, 1))
    others = [merged(1000 + n, 1000 + n, MERGE - n * HOUR / 9, FIRST) for n in range(1, 120)]
    ends = [merged(7, 50, MERGE, FIRST - DAY), merged(8, 50, MERGE - 3 * DAY, FIRST)][::order]
    ends[0]["updated"], ends[1]["updated"] = stamp(NOW), stamp(NOW - 4 * DAY)
    github.pulls[NAME] = [*others, *ends]
    installed.sync(connected(installed, github))
    assert changes(installed) == [("2", sha(50), FIRST - DAY)]


def many(github, count: int = 260, each: int = 10):
    """Squashes of three weeks, each some of them deployed; the changes that they are."""
    step = timedelta(seconds=19 * DAY // timedelta(seconds=count))
    at = {n: NOW - 20 * DAY + step * n for n in range(1, count + 1)}
    first = {n: at[n] - (n % 7 + 1) * DAY for n in at}
    github.pulls[NAME] = [merged(n, 10_000 + n, at[n], first[n]) for n in at]
    heads = [n for n in at if n % each == 0]
    github.deployments[NAME] = [deployment(n, at[n] + timedelta(minutes=1)) for n in heads[::-1]]
    for base, head in pairwise(heads):
        squashes = (commit(10_000 + n, at[n], 1) for n in range(base + 1, head + 1))
        brought(github, *squashes, base=base, head=head)
    deployed = range(each + 1, heads[-1] + 1)
    return sorted((str(-(-n // each) * each), sha(10_000 + n), first[n]) for n in deployed)


def test_hundreds_cost_a_request_a_hundred_and_the_next_run_none(installed, github):
    truth = many(github)
    source = connected(installed, github, changes="no")
    before = installed.sync(source).requests
    source = connected(installed, github)
    run = installed.sync(source)
    assert changes(installed) == truth
    assert run.requests == before + 25 + 3, "25 comparisons, three pages of pull requests"
    github.deployments[NAME].insert(0, deployment(500, NOW))
    github.pulls[NAME].append(merged(500, 10_500, NOW - HOUR, NOW - 3 * DAY))
    brought(github, commit(10_500, NOW - HOUR, 1), base=260, head=500)
    run = installed.sync(source)
    assert run.requests == 4, "repositories, deployments, a page of pull requests, a comparison"
    assert changes(installed) == sorted([*truth, ("500", sha(10_500), NOW - 3 * DAY)])


@pytest.mark.parametrize("seed", all_but([0], range(2)))
def test_in_other_pages_and_runs_and_with_late_merges_the_record_is_the_same(
    installed, github, seed, monkeypatch
):
    """Each run ends after a few pages; in between what was merged long ago gets a comment, which moves it
    to the top, and the newest deployments and merges come last."""
    chance = random.Random(seed)
    truth = many(github, 80, 8)
    github.largest = 10
    whole, pulls = github.deployments[NAME], github.pulls[NAME]
    github.deployments[NAME], github.pulls[NAME] = whole[2:], pulls[:64]
    source = connected(installed, github)
    for n in range(16):
        looks = chain(repeat(0.0, chance.randrange(1, 6)), repeat(runner.LONGEST_RUN + 1))
        with monkeypatch.context() as short:
            short.setattr(gathering, "MOST", 1)
            short.setattr(runner, "time", SimpleNamespace(monotonic=partial(next, looks)))
            installed.sync(source)
        chance.choice(github.pulls[NAME])["updated"] = stamp(NOW - HOUR + n * timedelta(minutes=1))
        if n == 8:
            for late in pulls[64:]:
                late["updated"] = stamp(NOW - HOUR / 2)
            github.deployments[NAME], github.pulls[NAME] = whole, pulls
    installed.sync(source)
    assert changes(installed) == truth
    assert installed.sync(source).written == 0


def test_what_is_merged_while_the_list_is_cut_is_read_before_it_is_compared(
    installed, github, monkeypatch
):
    """The run ends behind the first page of pull requests; the next one goes on behind that page, and what
    was merged and deployed meanwhile stands before it."""
    truth = many(github)
    github.exchanges = []

    def clock() -> float:
        is_read = any("pullRequests(" in (e.asked or {}).get("query", "") for e in github.exchanges)
        return runner.LONGEST_RUN + 1 if is_read else 0.0

    source = connected(installed, github)
    with monkeypatch.context() as short:
        short.setattr(runner, "time", SimpleNamespace(monotonic=clock))
        installed.sync(source)
    assert changes(installed) == []
    github.deployments[NAME].insert(0, deployment(500, NOW))
    github.pulls[NAME].append(merged(500, 10_500, NOW - HOUR, NOW - 3 * DAY))
    brought(github, commit(10_500, NOW - HOUR, 1), base=260, head=500)
    installed.sync(source)
    assert changes(installed) == sorted([*truth, ("500", sha(10_500), NOW - 3 * DAY)])


@long("tests/ingest/pulling/laws/test_killed.py::test_the_figures_are_those_of_the_truth")
@pytest.mark.parametrize("request_number", all_but([5], [4, 5, 6, 7, 20]))
def test_killed_at_any_page_nothing_is_lost_and_nothing_comes_twice(
    installed, github, request_number, tmp_path
):
    truth = many(github)
    source = connected(installed, github)
    killed_in(installed, github, source, request_number, tmp_path)
    assert installed.sync(source).state == "done"
    assert changes(installed) == truth
    assert installed.sync(source).written == 0


def test_a_token_that_may_not_read_pull_requests_has_changes_as_before(installed, github):
    brought(github, commit(50, MERGE, 1))
    github.pulls[NAME] = [merged(7, 50, MERGE, FIRST)]
    github.without_pulls = {NAME}
    source = connected(installed, github)
    run = installed.sync(source)
    assert run.state == "done"
    assert "pull requests can not be read" in run.message
    assert changes(installed) == [("2", sha(50), MERGE)]
