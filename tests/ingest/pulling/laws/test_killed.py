"""Thousands of deployments through every fault, killed again and again: the figures are the truth."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest.pulling import store
from storage.context import job_in
from storage.snapshot import job
from tests.deep import DEEP
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import deployment, environment

REPOSITORIES, EACH, DAYS = (10, 2_000, 80) if DEEP else (3, 200, 40)
KILLED = 12 if DEEP else 2
FAULTS = ("429", "403", "500", "502", "cut")
RUN = """
import sys, time
from app import create_app
from ingest.pulling import client
from ingest.pulling.runner import SourceContext, run_next
client.FIRST_WAIT = 0.01
client.Client.__init__.__defaults__ = tuple(
    (lambda seconds: None) if d is time.sleep else d for d in client.Client.__init__.__defaults__
)
installation = create_app().installation
run_next(SourceContext(installation.database, installation.settings), int(sys.argv[1]))
"""


@pytest.fixture
def github():
    """Repositories of one organisation; a failure in nine, staging in five."""
    now = datetime.now(UTC).replace(microsecond=0)
    with served(FakeGitHub()) as fake:
        for r in range(REPOSITORIES):
            name = f"acme/service-{r}"
            fake.repository(r + 1, name)
            step = timedelta(days=DAYS) / EACH
            fake.deployments[name] = [
                deployment(
                    (r + 1) * 100_000 + EACH - n,
                    now - step * n - timedelta(hours=30),
                    "FAILURE" if (n + r) % 9 == 0 else "SUCCESS",
                    "staging" if n % 5 == 0 else "production",
                )
                for n in range(EACH)
            ]
        yield fake


def truth(fake) -> dict[str, tuple[int, int]]:
    """Production deployments and failed ones up to each UTC day on which some ended."""
    all_of, failed = Counter[str](), Counter[str]()
    for deployments in fake.deployments.values():
        for each in deployments:
            if each["environment"] == "production":
                end = each["statuses"]["nodes"][0]
                day = end["createdAt"][:10]
                all_of[day] += 1
                failed[day] += end["state"] == "FAILURE"
    days = sorted(all_of)
    sums = zip(
        accumulate(all_of[d] for d in days), accumulate(failed[d] for d in days), strict=True
    )
    return dict(zip(days, sums, strict=True))


def test_the_figures_are_those_of_the_truth(installed, github, tmp_path):
    chance = random.Random(5)
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    for number in range(KILLED):
        github.faults = [chance.choice((None, None, *FAULTS)) for _ in range(12)]
        installed.world.sql("update source set next_at = now(), failures = 0")
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(source)],
            cwd=Path(__file__).parents[4],
            env=environment(installed, tmp_path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        asked = len(github.asked)
        deadline = time.monotonic() + 60
        while len(github.asked) == asked and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 1.2))
        process.kill()
        process.wait()
        if number == 0:  # one is renamed, and keeps its number
            github.repositories["acme/renamed"] = github.repositories.pop("acme/service-1") | {
                "full_name": "acme/renamed", "name": "renamed",
            }  # fmt: skip
            github.deployments["acme/renamed"] = github.deployments.pop("acme/service-1")
    github.faults = []
    installed.world.sql("update source set failures = 0")
    while True:
        run = installed.sync(source)
        assert run.state == "done", run
        if installed.source(source).next_at > datetime.now(UTC):
            break
    assert {day: told for day, told in figures(installed, github).items() if told[0]} == truth(
        github
    )
    with installed.context.database.job.connect() as connection:
        names = {s["name"] for s in store.every_scope(connection, source) if s["state"] == "mapped"}
    assert "acme/renamed" in names
    assert len(installed.rows("deployment", "key")) == REPOSITORIES * EACH


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
        return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}
