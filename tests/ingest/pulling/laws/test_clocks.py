"""Clocks: ours may be an hour off, and the same is read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty
from tests.ingest.pulling.senders.prometheus import alerting

HOUR = timedelta(hours=1)
OFF = pytest.mark.parametrize("off", [-HOUR, timedelta(0), HOUR], ids=["behind", "right", "ahead"])


@contextmanager
def clock_off(off, fake=None):
    """Our clock is off; the sender's is right."""
    if fake is not None:
        fake.ahead = -off
    with time_machine.travel(datetime.now(UTC) + off, tick=True):
        yield


@OFF
def test_an_incident_that_changes_between_two_syncs(installed, off):
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=10)
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}]
        fake.report("Q1", now - timedelta(minutes=30))
        source = installed.make("pagerduty", fake.token, address=fake.base)
        with clock_off(off, fake):
            installed.sync(source)
        assert installed.rows("incident", "key, resolved_at") == [("Q1", None)]
        fake.report("Q1", now - timedelta(minutes=30), ended=now)
        with clock_off(off, fake):
            installed.sync(source)
    assert installed.rows("incident", "key, resolved_at") == [("Q1", now)]


@OFF
def test_runs_of_the_last_hour(installed, off):
    now = datetime.now(UTC).replace(microsecond=0)
    with served(FakeGitHub()) as fake:
        fake.repository(1, "acme/payments")
        at = (now - timedelta(minutes=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
        fake.runs["acme/payments"] = [
            {"id": 5, "created_at": at, "run_started_at": at, "updated_at": at, "conclusion": "success"}
        ]  # fmt: skip
        source = installed.make(
            "github", fake.token, owner="acme", address=fake.base, counts="workflow runs"
        )
        with clock_off(off, fake):
            assert installed.sync(source).state == "done"
    assert installed.rows("deployment", "key") == [("acme/payments@run-5",)]


@OFF
def test_an_alert_that_fires_still(installed, off, tmp_path):
    now = datetime.now(UTC).replace(microsecond=0)
    with alerting(tmp_path, now, [(600, 0)]) as prometheus:
        source = installed.make("prometheus", address=prometheus)
        with clock_off(off):
            assert installed.sync(source).state == "done"
    columns = "opened_at, resolved_at"
    assert installed.rows("incident", columns) == [(now - timedelta(seconds=600), None)]
