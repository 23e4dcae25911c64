"""Alerts from a real Prometheus: runs of samples are incidents, and close what a webhook left open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ingest.door import deliveries
from tests.ingest.pulling.senders.fake import Fake, Reply, served
from tests.ingest.pulling.senders.prometheus import STEP, alerting

NOW = datetime.now(UTC).replace(microsecond=0)
RUNS = ((7200, 6000), (5900, 5405))
"""Seconds ago at which the alert began to fire and fired last; between them it was over for 100 s."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """A server whose history holds the samples of an alert."""
    with alerting(tmp_path_factory.mktemp("alerts"), NOW, RUNS) as base:
        yield base


def incidents(installed):
    return installed.rows("incident", "opened_at, resolved_at, severity")


def at(seconds_ago: int) -> datetime:
    return NOW - timedelta(seconds=seconds_ago)


def test_runs_of_samples_are_incidents_with_their_ends(installed, prometheus):
    source = installed.make("prometheus", address=prometheus)
    run = installed.sync(source)
    assert run.state == "done", run
    expected = [(at(first), at(last - STEP), "p1") for first, last in RUNS]
    assert incidents(installed) == expected
    again = installed.sync(source)
    assert (again.state, again.written) == ("done", 0)
    assert incidents(installed) == expected


def test_an_end_that_a_webhook_lost_is_repaired(installed, prometheus):
    labels = {"alertname": "Down", "severity": "critical", "job": "shop"}
    hook = {
        "version": "4",
        "groupKey": "{}",
        "status": "firing",
        "externalURL": "http://alertmanager.example",
        "alerts": [
            {
                "labels": labels,
                "startsAt": at(RUNS[1][0]).isoformat().replace("+00:00", "Z"),
                "endsAt": "0001-01-01T00:00:00Z",
                "status": "firing",
            }
        ],
    }
    database, alpha = installed.context.database, installed.world.alpha
    deliveries.accept(database, alpha, "alertmanager", json.dumps(hook).encode())
    deliveries.drain(database, alpha)
    assert incidents(installed) == [(at(RUNS[1][0]), None, "p1")]
    source = installed.make(
        "prometheus", address=prometheus, external_url="http://alertmanager.example"
    )
    installed.sync(source)
    assert incidents(installed) == [(at(first), at(last - STEP), "p1") for first, last in RUNS]


class FakeAlertmanager(Fake):
    """A list of alerts that are there now."""

    def authorised(self, headers):
        return True

    def get(self, path, query, headers):
        alert = {
            "labels": {"alertname": "Slow", "severity": "warning"},
            "annotations": {"summary": "It is slow"},
            "startsAt": at(60).isoformat().replace("+00:00", "Z"),
            "status": {"state": "suppressed"},
        }
        return Reply(200, [alert])


def test_what_fires_now_comes_from_alertmanager(installed, prometheus):
    with served(FakeAlertmanager()) as alertmanager:
        source = installed.make("prometheus", address=prometheus, alertmanager=alertmanager.base)
        assert installed.sync(source).state == "done"
    assert (at(60), None) in [(opened, ended) for opened, ended, _ in incidents(installed)]
