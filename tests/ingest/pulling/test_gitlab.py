"""GitLab against a stateful fake: increments by change, projects without environments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.gitlab import FakeGitLab

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def deployment(number: int, at: datetime, status: str = "success"):
    return {
        "id": number,
        "iid": number,
        "sha": f"{number:040x}",
        "status": status,
        "created_at": stamp(at),
        "updated_at": stamp(at + timedelta(minutes=5)),
        "environment": {"name": "production", "tier": "production"},
        "deployable": None if number % 2 else {"finished_at": stamp(at + timedelta(minutes=5))},
    }


@pytest.fixture
def gitlab():
    with served(FakeGitLab()) as fake:
        fake.projects = [
            {"id": 1, "path_with_namespace": "acme/payments"},
            {"id": 2, "path_with_namespace": "acme/handbook"},
        ]
        fake.deployments["1"] = [
            deployment(n, NOW - timedelta(hours=6 * n), "failed" if n % 10 == 0 else "success")
            for n in range(1, 231)
        ]
        yield fake


def test_history_increments_and_a_project_without_environments(installed, gitlab):
    source = installed.make("gitlab", gitlab.token, group="acme", address=gitlab.base, changes="no")
    run = installed.sync(source)
    assert run.state == "done", run
    assert "acme/handbook: environments are turned off" in run.message
    rows = installed.rows("deployment", "key, outcome, service")
    assert len(rows) == 230
    assert len([r for r in rows if r[1] == "failed"]) == 23
    assert {r[2] for r in rows} == {"payments"}
    running = deployment(900, NOW - timedelta(days=20), "running")
    running["updated_at"] = stamp(NOW)
    gitlab.deployments["1"].append(running)
    gitlab.asked.clear()
    again = installed.sync(source)
    assert again.requests <= 4
    running |= {"status": "success", "updated_at": stamp(NOW + timedelta(minutes=1))}
    installed.sync(source)
    assert ("gitlab@900", "successful") in installed.rows("deployment", "key, outcome")


def test_a_wrong_token_is_said(installed, gitlab):
    source = installed.make("gitlab", "glpat-wrong-00000", group="acme", address=gitlab.base)
    run = installed.sync(source)
    assert (run.state, run.error_code) == ("failed", "token_invalid")
