"""Histories of half a year for the tests' senders, and the SLO that the real Prometheus of a demonstration
knows."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tests.ingest.pulling.senders.cert_manager import FakeKubernetes
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty

DAYS, NOW = 180, datetime.now(UTC).replace(microsecond=0)
CHANCE = random.Random(7)
Commits = Mapping[tuple[str, str], list[tuple[str, str]]]
"""Key and time of the commits between two others."""


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def commits_between(successes: Iterable[tuple[datetime, str]]) -> Commits:
    """Commits between each success and the one before it, one to three, a few minutes to four days old."""
    ended = sorted(successes)
    return {
        (before, sha): [
            (
                f"{int(sha, 16) * 10 + n + 1:040x}",
                stamp(at - timedelta(hours=CHANCE.uniform(0.2, 96))),
            )
            for n in range(CHANCE.randint(1, 3))
        ]
        for (_, before), (at, sha) in pairwise(ended)
    }


def github() -> FakeGitHub:
    fake = FakeGitHub()
    for number, name in enumerate(("payments-api", "payments-web", "search", "identity"), 1):
        path = f"northwind/{name}"
        fake.repository(number, path)
        successes: dict[str, list[tuple[datetime, str]]] = {"production": [], "staging": []}
        for n in range(DAYS * 2):
            at = NOW - timedelta(hours=12 * n + CHANCE.uniform(0, 6))
            state = "FAILURE" if CHANCE.random() < 0.12 else "SUCCESS"
            end = at + timedelta(minutes=CHANCE.uniform(2, 20))
            environment, sha = (
                ("production" if n % 4 else "staging"),
                f"{number * 100_000 + n:040x}",
            )
            if state == "SUCCESS":
                successes[environment].append((end, sha))
            fake.deployments[path].append(
                {
                    "databaseId": number * 100_000 + n,
                    "createdAt": stamp(at),
                    "updatedAt": stamp(end),
                    "environment": environment,
                    "commitOid": sha,
                    "statuses": {"nodes": [{"state": state, "createdAt": stamp(end)}]},
                }
            )
        for ended in successes.values():
            for pair, commits in commits_between(ended).items():
                fake.commits[pair] = [
                    {"sha": key, "commit": {"author": {"date": at}}} for key, at in commits
                ]
    return fake


def gitlab() -> FakeGitLab:
    fake = FakeGitLab()
    fake.projects = [{"id": 1, "path_with_namespace": "northwind/ledger"}]
    fake.deployments["1"] = [
        {
            "id": n,
            "iid": n,
            "sha": f"{n:040x}",
            "status": "failed" if n % 9 == 0 else "success",
            "created_at": stamp(NOW - timedelta(days=n)),
            "updated_at": stamp(NOW - timedelta(days=n) + timedelta(minutes=8)),
            "environment": {"name": "production", "tier": "production"},
            "deployable": None,
        }
        for n in range(1, DAYS)
    ]
    ended = (
        (NOW - timedelta(days=n) + timedelta(minutes=8), f"{n:040x}")
        for n in range(1, DAYS)
        if n % 9
    )
    for pair, commits in commits_between(ended).items():
        fake.commits[pair] = [{"id": key, "authored_date": at} for key, at in commits]
    return fake


def pagerduty() -> FakePagerDuty:
    fake = FakePagerDuty()
    fake.services = [{"id": "P1", "name": "payments"}, {"id": "P2", "name": "search"}]
    for n in range(DAYS):
        at = NOW - timedelta(days=n, hours=CHANCE.uniform(0, 20))
        id, ended = f"Q{n:04}", stamp(at + timedelta(minutes=CHANCE.uniform(20, 400)))
        fake.incidents[id] = {
            "id": id,
            "title": f"Error budget burns ({n})",
            "created_at": stamp(at),
            "status": "resolved",
            "urgency": CHANCE.choice(["high", "low"]),
            "service": {"id": CHANCE.choice(["P1", "P2"])},
            "resolved_at": ended,
            "updated_at": ended,
        }
        acknowledged = stamp(at + timedelta(minutes=CHANCE.uniform(1, 9)))
        fake.log += [
            {"type": f"{kind}_log_entry", "created_at": instant, "incident": {"id": id}}
            for kind, instant in (("acknowledge", acknowledged), ("resolve", ended))
        ]
    return fake


def kubernetes() -> FakeKubernetes:
    fake = FakeKubernetes()
    for namespace, name in (("payments", "checkout"), ("payments", "ledger"), ("search", "index")):
        for revision in (1, 2, 3):
            fake.issue(namespace, name, revision, NOW - timedelta(days=200 - 60 * revision))
    fake.issue("search", "crawler", 1, NOW - timedelta(days=85))
    return fake


SLO = """version: prometheus/v1
service: payments
slos:
  - name: requests-availability
    objective: 99.5
    sli:
      events:
        error_query: "sum(rate(requests_total{code='500'}[{{.window}}]))"
        total_query: "sum(rate(requests_total[{{.window}}]))"
"""
STEP, SLO_DAYS = timedelta(minutes=10), 21


def samples() -> list[str]:
    """Lines of OpenMetrics: requests of three weeks, of which about three in a thousand fail."""
    lines = ["# TYPE requests counter"]
    for code, each in (("200", 400), ("500", 1)):
        total = 0
        for n in range(SLO_DAYS * 24 * 6):
            at = NOW - SLO_DAYS * timedelta(days=1) + n * STEP
            total += each + (CHANCE.randint(0, 1) if code == "500" else CHANCE.randint(0, 90))
            lines.append(f'requests_total{{code="{code}"}} {total} {at.timestamp():.0f}')
    return lines
