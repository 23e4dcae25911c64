"""History of GitLab comes newest first, page by page, whatever happens to it meanwhile."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, pairwise, repeat
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from ingest.pulling import gathering, runner
from storage.context import job_in
from storage.snapshot import job
from tests.deep import all_but, long
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.test_github import killed_in
from tests.ingest.pulling.test_gitlab import deployment

NOW = datetime.now(UTC).replace(microsecond=0)
NUMBER = 450


@pytest.fixture
def gitlab():
    """A project whose deployments are 450 over 75 days, a failure in ten, of two environments."""
    with served(FakeGitLab()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        fake.deployments["1"] = [
            deployment(n, NOW - timedelta(hours=4 * n + 24), "failed" if n % 10 == 0 else "success")
            for n in range(1, NUMBER + 1)
        ]
        for each in fake.deployments["1"][::5]:
            each["environment"] = {"name": "staging", "tier": "staging"}
        yield fake


def connected(installed, fake, **more):
    return installed.make("gitlab", fake.token, group="acme", address=fake.base, **more)


def keys(installed):
    return {int(key.partition("@")[2]) for (key,) in installed.rows("deployment", "key")}


@pytest.fixture
def short_runs(monkeypatch):
    """Runs end after a page."""

    def shorten(patch):
        instants = chain([0.0, 0.0], repeat(runner.LONGEST_RUN + 1))
        patch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: next(instants)))
        patch.setattr(gathering, "MOST", 1)

    return shorten


def test_the_newest_days_are_there_first_and_the_rest_follows(
    installed, gitlab, short_runs, monkeypatch
):
    source = connected(installed, gitlab, changes="no")
    for number in range(1, 4):
        with monkeypatch.context() as patch:
            short_runs(patch)
            assert installed.sync(source).state == "done"
        assert keys(installed) == set(range(1, 100 * number + 1 - (number - 1)))
    gitlab.deployments["1"].append(deployment(900, NOW - timedelta(minutes=30)))
    installed.sync(source)
    assert keys(installed) == {*range(1, NUMBER + 1), 900}
    gitlab.asked.clear()
    assert installed.sync(source).requests == 2, "the list of projects, and a page"


def test_nothing_is_compared_while_older_ones_are_to_come(
    installed, gitlab, short_runs, monkeypatch
):
    source = connected(installed, gitlab)
    with monkeypatch.context() as patch:
        short_runs(patch)
        installed.sync(source)
    assert not [path for path in gitlab.asked if "/compare" in path]
    for _ in range(3):
        installed.sync(source)
    pairs = [
        tuple(int(part.partition("=")[2], 16) for part in path.partition("?")[2].split("&"))
        for path in gitlab.asked
        if "/compare" in path
    ]
    successes = [d for d in gitlab.deployments["1"] if d["status"] == "success"]
    true = set()
    for name in ("production", "staging"):
        own = sorted((d["id"] for d in successes if d["environment"]["name"] == name), reverse=True)
        true |= set(pairwise(own))
    assert set(pairs) == true
    assert len(pairs) == len(true)


@long("tests/ingest/pulling/laws/test_killed.py::test_the_figures_are_those_of_the_truth")
@pytest.mark.parametrize("request_number", all_but([4], [3, 4, 6]))
def test_killed_at_any_page_nothing_is_lost_and_nothing_comes_twice(
    installed, gitlab, request_number, tmp_path
):
    source = connected(installed, gitlab, changes="no")
    killed_in(installed, gitlab, source, request_number, tmp_path)
    assert max(keys(installed)) == (request_number - 2) * 100 - (request_number - 3)
    run = installed.sync(source)
    assert run.state == "done"
    assert keys(installed) == set(range(1, NUMBER + 1))
    asked = [path for path in gitlab.asked if "sort=desc" in path]
    assert len(asked) == NUMBER // 99 + 1 + 1, "no page twice but the one that was killed at"
    assert figures(installed, gitlab) == truth(gitlab)


def truth(fake) -> dict[str, tuple[int, int]]:
    """Production deployments and failed ones up to each day on which some ended."""
    told = [d for d in fake.deployments["1"] if d["environment"]["tier"] == "production"]
    ends = sorted(
        ((d["deployable"] or {}).get("finished_at", d["updated_at"])[:10], d["status"] == "failed")
        for d in told
    )
    sums = accumulate(ends, lambda so, end: (so[0] + 1, so[1] + end[1]), initial=(0, 0))
    return dict(zip((day for day, _ in ends), list(sums)[1:], strict=True))


def figures(installed, fake) -> dict[str, tuple[int, int]]:
    """Deployments and failed ones up to each day, as the snapshots have them."""
    days = sorted(truth(fake))
    first, last = (datetime.fromisoformat(day).date() for day in (days[0], days[-1]))
    job.backfill(installed.context.database, first, last, installed.context.settings)
    query = text(
        "select snapshot_date::text, ended_deployments_total, failed_deployments_total"
        " from workspace_usage_snapshot"
    )
    with job_in(installed.context.database.job, installed.world.alpha) as connection:
        rows = [(row[0], (int(row[1]), int(row[2]))) for row in connection.execute(query)]
    return {day: told for day, told in rows if day in truth(fake)}


def test_what_is_deleted_or_changes_meanwhile_moves_nothing_over_a_border(installed, gitlab):
    """A page that is numbered would lose the first of the one behind it."""
    chance, page_of = random.Random(3), gitlab.paged
    removed: set[int] = set()

    def moving(path, query, things):
        reply = page_of(path, query, things)
        if path.endswith("/deployments"):
            seen = [d["id"] for d in reply.document]
            for id in chance.sample(seen, min(3, len(seen))):
                removed.add(id)
            known = [d for d in gitlab.deployments["1"] if d["id"] not in removed]
            changed = chance.choice(known)
            changed["updated_at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            gitlab.deployments["1"] = known
        return reply

    gitlab.paged = moving
    source = connected(installed, gitlab, changes="no")
    installed.sync(source)
    gitlab.paged = page_of
    installed.sync(source)
    assert keys(installed) >= {d["id"] for d in gitlab.deployments["1"]}


def test_instants_that_are_told_cut_lose_nothing_at_a_border(installed, gitlab):
    """A border within a millisecond: those on it have finer instants than the sender tells."""
    at = NOW - timedelta(days=10)
    for each in gitlab.deployments["1"][40:240]:
        fine = at + timedelta(microseconds=each["id"] % 1000)
        each["updated_at"] = fine.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for number, each in enumerate(gitlab.deployments["1"][240:440]):
        fine = at - timedelta(microseconds=7 * number)
        each["updated_at"] = fine.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    source = connected(installed, gitlab, changes="no")
    assert installed.sync(source).state == "done"
    assert keys(installed) == set(range(1, NUMBER + 1))
