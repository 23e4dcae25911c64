"""PagerDuty against a stateful fake: the first acknowledgement, reopened and merged ones, services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.pulling import store
from ingest.sources import pagerduty as source_of_pagerduty
from tests.ingest.pulling.senders.fake import Reply, served
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def incident(id: str, at: datetime, status: str = "resolved", service: str = "P1", **more):
    return {
        "id": id,
        "title": id,
        "created_at": stamp(at),
        "status": status,
        "urgency": "high",
        "service": {"id": service},
        "resolved_at": stamp(at + timedelta(hours=1)) if status == "resolved" else None,
        "updated_at": stamp(at + timedelta(hours=1)),
        "acknowledgements": [],
        **more,
    }


def entry(id: str, kind: str, at: datetime):
    return {"type": f"{kind}_log_entry", "created_at": stamp(at), "incident": {"id": id}}


@pytest.fixture
def pagerduty():
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}, {"id": "P2", "name": "search"}]
        for n in range(40):
            at = NOW - timedelta(days=2 * n, hours=3)
            fake.incidents[f"Q{n:03}"] = incident(f"Q{n:03}", at)
            fake.log += [
                entry(f"Q{n:03}", "trigger", at),
                entry(f"Q{n:03}", "acknowledge", at + timedelta(minutes=2)),
                entry(f"Q{n:03}", "acknowledge", at + timedelta(minutes=30)),
                entry(f"Q{n:03}", "resolve", at + timedelta(hours=1)),
            ]
        yield fake


def make(installed, pagerduty, home="alpha"):
    return installed.make("pagerduty", pagerduty.token, home=home, address=pagerduty.base)


def minutes(installed):
    columns = "key, extract(epoch from acknowledged_at - opened_at) / 60, is_over"
    return {key: (int(m), over) for key, m, over in installed.rows("incident", columns)}


def test_history_comes_with_the_first_acknowledgement(installed, pagerduty):
    run = installed.sync(make(installed, pagerduty))
    assert (run.state, run.refused) == ("done", 0), run
    assert (
        minutes(installed) == {f"Q{n:03}": (2, True) for n in range(40)}
        or len(minutes(installed)) == 40
    )
    assert {m for m, _ in minutes(installed).values()} == {2}


def test_what_changed_since_is_asked_for_as_it_is_now(installed, pagerduty):
    source = make(installed, pagerduty)
    installed.sync(source)
    pagerduty.incidents["Q030"] |= {"status": "triggered", "resolved_at": None}
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    pagerduty.incidents["Q030"]["updated_at"] = stamp(now)
    pagerduty.log.append(entry("Q030", "annotate", now))
    pagerduty.asked.clear()
    run = installed.sync(source)
    assert run.state == "done"
    assert "/incidents/Q030" in pagerduty.asked
    assert installed.rows("incident", "key, resolved_at is null")[30] == ("Q030", True)


def test_a_window_that_holds_too_many_is_halved(installed, pagerduty, monkeypatch):
    monkeypatch.setattr(source_of_pagerduty, "DEEPEST", 900)
    pagerduty.deepest = 1_000
    for n in range(1_050):
        at = NOW - timedelta(seconds=400 * n)
        pagerduty.log.append(entry(f"Q{n % 40:03}", "annotate", at))
    pagerduty.log.sort(key=lambda e: e["created_at"])
    assert installed.sync(make(installed, pagerduty)).state == "done"
    assert len(minutes(installed)) == 40


def test_incidents_of_unmapped_services_are_told(installed, pagerduty):
    pagerduty.incidents["Q001"]["service"] = {"id": "P2"}
    source = make(installed, pagerduty, home=None)
    rules = [("payments", installed.world.alpha)]
    store.set_rules(installed.context.database.job, source, rules, "alice@x.example")
    run = installed.sync(source)
    assert run.state == "done", run
    assert "1 incidents are of services that feed no workspace." in run.message
    assert len(minutes(installed)) == 39


def test_a_service_that_is_mapped_later_brings_its_history(installed, pagerduty):
    for n in range(3):
        at = NOW - timedelta(days=20 * n + 5)
        pagerduty.incidents[f"S{n}"] = incident(f"S{n}", at, service="P2")
    source = make(installed, pagerduty, home=None)
    jobs, email = installed.context.database.job, installed.admin.email
    store.set_rules(jobs, source, [("payments", installed.world.alpha)], email)
    while installed.sync(source).read:
        pass
    assert len(installed.rows("incident", "key")) == 40
    rules = [("payments", installed.world.alpha), ("search", installed.world.alpha)]
    store.set_rules(jobs, source, rules, email)
    assert installed.sync(source).written == 3
    assert len(installed.rows("incident", "key")) == 43


def test_a_service_whose_new_name_a_pattern_takes_brings_its_history(installed, pagerduty):
    pagerduty.services[1]["name"] = "legacy"
    for n in range(3):
        at = NOW - timedelta(days=20 * n + 5)
        pagerduty.incidents[f"S{n}"] = incident(f"S{n}", at, service="P2")
    source = make(installed, pagerduty, home=None)
    rules = [(name, installed.world.alpha) for name in ("payments", "search")]
    store.set_rules(installed.context.database.job, source, rules, installed.admin.email)
    while installed.sync(source).read:
        pass
    pagerduty.services[1]["name"] = "search"
    assert installed.sync(source).written == 3
    asked = len(pagerduty.asked)
    installed.sync(source)
    assert len(pagerduty.asked) - asked < 8, "once"


def test_its_reset_is_a_wait_and_not_an_instant(installed, pagerduty):
    quota = {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "7"}
    pagerduty.faults = [Reply(429, {"error": "slow"}, quota)]
    assert installed.sync(make(installed, pagerduty)).state == "done"
    assert installed.waits == [7.0]
