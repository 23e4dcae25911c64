"""Pulled is pushed: one history, told by webhooks and read by sources, makes the same records."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest

from ingest.door import deliveries
from tests.deep import all_but
from tests.ingest.history import senders
from tests.ingest.history.true_history import History, Step, Trouble, TrueDeployment
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty

DEPLOYMENTS = "key, service, environment, production, created_at, completed_at, outcome"
INCIDENTS = "key, opened_at, acknowledged_at, resolved_at, severity"


def history(seed: int) -> History:
    """Twenty deployments and twenty incidents of the last weeks."""
    chance = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    deployed, troubles = [], []
    for n in range(20):
        begun = now - timedelta(days=n + 2, minutes=chance.randrange(600))
        gaps = accumulate(chance.randrange(1, 90) for _ in range(chance.randrange(4)))
        states = ("queued", "in_progress", "success", "failure", "error", "inactive")
        statuses = tuple((begun + timedelta(minutes=g), chance.choice(states)) for g in gaps)
        service, is_production = chance.choice(("shop", "desk")), chance.random() < 0.7
        deployed.append(TrueDeployment(n + 1, service, is_production, begun, statuses, ()))
        priority = chance.choice(("P1", "P2", "P3"))
        verbs = chance.choice(
            ((), ("acknowledge",), ("acknowledge", "resolve"), ("acknowledge", "acknowledge", "resolve"),
             ("acknowledge", "resolve", "reopen"), ("resolve", "reopen", "resolve"))
        )  # fmt: skip
        steps = tuple(
            Step(begun + timedelta(minutes=7 * m), v, priority) for m, v in enumerate(verbs, 1)
        )
        troubles.append(Trouble(f"Q{n}", begun, priority, steps))
    return History(tuple(troubles), tuple(deployed), ())


def on_github(fake: FakeGitHub, told: History) -> None:
    """Fills the fake; each environment has the sender's own word on whether it is production."""
    for number, service in enumerate(("shop", "desk"), 1):
        fake.repository(number, f"acme/{service}")
        fake.deployments[f"acme/{service}"] = [
            {
                "databaseId": d.number,
                "createdAt": senders.text_of(d.created),
                "updatedAt": senders.text_of(max([d.created, *(at for at, _ in d.statuses)])),
                "environment": environment(d),
                "production": d.is_production,
                "commitOid": f"{d.number:040x}",
                "statuses": {
                    "nodes": [
                        {"state": state.upper(), "createdAt": senders.text_of(at)}
                        for at, state in reversed(d.statuses)
                    ]
                },
            }
            for d in sorted(told.deliveries, key=lambda d: d.created, reverse=True)
            if d.service == service
        ]


def environment(deployment: TrueDeployment) -> str:
    """Names that say nothing, or the wrong thing."""
    return "blue" if deployment.is_production else "prod-rehearsal"


@pytest.mark.parametrize("seed", all_but([1], [1, 2]))
def test_deployments_of_github(installed, seed):
    told = history(seed)
    with served(FakeGitHub()) as fake:
        on_github(fake, told)
        source = installed.make("github", fake.token, owner="acme", address=fake.base, changes="no")
        assert installed.sync(source).state == "done"
    by_number = {d.number: d for d in told.deliveries}
    for hook in senders.github_hooks(told):
        hook["deployment"]["environment"] = environment(by_number[hook["deployment"]["id"]])
        push(installed, "github", hook)
    pushed = installed.rows("deployment", DEPLOYMENTS, "beta")
    known = {row[0] for row in pushed}
    assert len(known) > 8
    pulled = installed.rows("deployment", DEPLOYMENTS, "alpha")
    assert [row for row in pulled if row[0] in known] == pushed
    assert all(row[5] is None for row in pulled if row[0] not in known), "no webhook of a status"


@pytest.mark.parametrize("seed", all_but([1], [1, 2]))
def test_incidents_of_pagerduty(installed, seed):
    told = history(seed)
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}]
        for whole in senders.pagerduty_list(told):
            (incident,) = whole["incidents"]
            fake.log += [
                e | {"incident": {"id": incident["id"]}} for e in incident.pop("log_entries")
            ]
            is_over = incident["status"] == "resolved"
            ended = incident.pop("last_status_change_at")
            fake.incidents[incident["id"]] = {
                **incident,
                "service": {"id": "P1"},
                "priority": {"id": "PP", **incident["priority"]},
                "resolved_at": ended if is_over else None,
            }
        for entry in fake.log:
            if entry["type"] == "reopen_log_entry":
                entry["type"] = "annotate_log_entry"  # PagerDuty knows no entry of reopening
        source = installed.make("pagerduty", fake.token, address=fake.base)
        assert installed.sync(source).state == "done"
    for hook in senders.pagerduty_hooks(told):
        push(installed, "pagerduty", hook)
    pushed = installed.rows("incident", INCIDENTS, "beta")
    assert len(pushed) == 20
    assert installed.rows("incident", INCIDENTS, "alpha") == pushed


def push(installed, form: str, hook: object) -> None:
    """A webhook at the signed door."""
    database, beta = installed.context.database, installed.world.beta
    deliveries.accept(database, beta, form, json.dumps(hook).encode())
    deliveries.drain(database, beta)
