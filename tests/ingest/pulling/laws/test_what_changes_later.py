"""Settings and secrets that change after a source was connected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregators.vocabulary import formats
from ingest.pulling import store
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def github():
    """A repository of one organisation."""
    with served(FakeGitHub()) as fake:
        fake.repository(1, "acme/payments")
        yield fake


def test_another_setting_reads_again_what_was_read_by_the_one_before(installed, github):
    github.runs["acme/payments"] = [
        {"id": n, "created_at": stamp(NOW - timedelta(days=n)), "conclusion": "success",
         "run_started_at": stamp(NOW - timedelta(days=n)), "updated_at": stamp(NOW - timedelta(days=n))}
        for n in range(1, 4)
    ]  # fmt: skip
    config = {
        "owner": "acme",
        "address": github.base,
        "counts": "workflow runs",
        "workflow": "a.yml",
    }
    source = installed.make("github", github.token, **config)
    assert installed.sync(source).written == 3
    jobs, email = installed.context.database.job, installed.admin.email
    store.change(jobs, source, email, config=config)
    github.asked.clear()
    installed.sync(source)
    asked = len(github.asked)
    store.change(jobs, source, email, config={**config, "workflow": "b.yml"})
    for run in github.runs["acme/payments"]:
        run["id"] += 100
    assert installed.sync(source).written == 3, "history of the other workflow"
    assert len(github.asked) > asked


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S +0000"])
def test_a_secret_that_expires_soon_is_told_two_weeks_before(installed, github, form):
    source = installed.make("github", github.token, owner="acme", address=github.base)
    for days, code in ((40, ""), (13, "token_expires"), (40, "")):
        at = NOW + timedelta(days=days)
        github.also = {"github-authentication-token-expiration": at.strftime(form)}
        run = installed.sync(source)
        assert (run.state, run.error_code) == ("done", code)
        assert (f"expires on {formats.day(at)}" in run.message) is bool(code)
        assert installed.source(source).state == "healthy"
