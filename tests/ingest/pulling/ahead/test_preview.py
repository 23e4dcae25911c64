"""A look ahead says of the last weeks what the sync then does, asks little, and keeps nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from ingest.desk import meanings
from ingest.pulling import store
from ingest.pulling.ahead import choosing
from ingest.pulling.ahead import preview as looks
from ingest.pulling.ahead.preview import PreviewTarget, preview
from ingest.pulling.problems import SourceProblem
from ingest.pulling.store import NewSource
from storage.context import job_in
from storage.tables import metadata
from tests.deep import long
from tests.ingest.pulling.real import nginx
from tests.ingest.pulling.senders.cert_manager import FakeKubernetes
from tests.ingest.pulling.senders.fake import Reply, served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.senders.gitlab import FakeGitLab
from tests.ingest.pulling.senders.pagerduty import FakePagerDuty
from tests.ingest.pulling.senders.prometheus import alerting
from tests.ingest.pulling.senders.statuspage import FakeStatuspage
from tests.ingest.pulling.test_files import HEADER, ROW
from tests.ingest.pulling.test_github import deployment
from tests.ingest.pulling.test_gitlab import deployment as gitlab_deployment
from tests.ingest.pulling.test_pagerduty import entry, incident

NOW = datetime.now(UTC).replace(microsecond=0)
ALPHA = PreviewTarget("alpha")


@pytest.fixture
def kept(installed):
    """Counts the rows of each table; a test compares them before and after."""

    def counted() -> dict[str, int]:
        told = {}
        for table in metadata.sorted_tables:
            query = text(f"select count(*) from {table.name}")
            if "workspace_id" in table.c:
                for id in (installed.world.alpha, installed.world.beta):
                    with job_in(installed.context.database.job, id) as connection:
                        told[f"{table.name} {id}"] = connection.execute(query).scalar_one()
            else:
                with installed.context.database.owner.connect() as connection:
                    told[table.name] = connection.execute(query).scalar_one()
        return told

    return counted


@pytest.fixture
def look(installed, kept):
    """A look ahead that leaves the database as it was."""

    def look_at(kind, secret="", target=ALPHA, days=90, **config):
        before = kept()
        made = preview(installed.context, kind, config, secret, target, days)
        assert kept() == before
        assert made.counting + sum(made.in_no_figure.values()) + made.refused == made.read
        return made

    return look_at


def backfilled(installed, fake, kind, days, **config):
    """Requests of a real history, and records of it; an increment of few requests ends it."""
    new = NewSource(kind, kind, config, fake.token, installed.world.alpha, 15, days)
    by = (installed.admin.user_id, installed.admin.email)
    id = store.create(installed.context.database.job, installed.context.box, new, by)
    requests, read = 0, 0
    while True:
        run = installed.sync(id)
        assert run.state == "done", run
        if requests and run.requests <= 8:
            return requests, read
        requests, read = requests + run.requests, read + run.read


def words(told):
    return [(w.about, w.word, w.meaning, w.origin, w.records, w.counted) for w in told.words]


def is_near(told: int, true: int) -> bool:
    """Within a fifth, or three."""
    return abs(told - true) <= max(0.2 * true, 3)


@pytest.fixture
def github():
    """Two repositories: one of 600 deployments over 300 days, one of none. A third is staging."""
    with served(FakeGitHub()) as fake:
        for number, name in enumerate(("acme/payments", "acme/docs"), 1):
            fake.repository(number, name)
        environments = ("production", "staging", "production")
        fake.deployments["acme/payments"] = [
            deployment(
                9_000 - n, NOW - timedelta(hours=12 * n + 1), "FAILURE" if n % 10 == 0 else "SUCCESS",
                environments[n % 3],
            )
            for n in range(600)
        ]  # fmt: skip
        yield fake


def test_github_says_what_counts_and_what_history_costs(installed, look, github):
    config = {"owner": "acme", "address": github.base}
    told = look("github", github.token, days=300, **config)
    assert told.read == 100
    assert told.in_no_figure == {"environment 'staging' is not production": 33}
    assert (told.refused, told.known, told.counting) == (0, 0, 67)
    assert [(p.name, p.workspace, p.recent) for p in told.parts] == [
        ("acme/docs", "alpha", 0),
        ("acme/payments", "alpha", 56),
    ]
    assert words(told) == [
        ("environment", "production", "production", "default", 67, 67),
        ("environment", "staging", None, "unknown", 33, 0),
    ]
    assert told.requests < 13
    estimates = {e.days: e.requests for e in told.estimates}
    assert list(estimates) == [28, 90, 300, 400]
    for days in (28, 300):
        requests, _ = backfilled(installed, github, "github", days, **config)
        assert is_near(estimates[days], requests), (days, estimates[days], requests)
        installed.world.sql("delete from source")


def test_what_is_there_already_is_told(installed, look, github):
    config = {"owner": "acme", "address": github.base, "changes": "no"}
    _, read = backfilled(installed, github, "github", 28, **config)
    told = look("github", github.token, **config)
    assert (told.read, told.known) == (read, read)


def test_an_organisations_parts_are_mapped_by_patterns(look, github):
    config = {"owner": "acme", "address": github.base, "changes": "no"}
    target = PreviewTarget("", [("acme/pay*", "beta")], "alpha")
    told = look("github", github.token, target, **config)
    assert [(p.name, p.workspace, p.recent) for p in told.parts] == [
        ("acme/docs", "", None),
        ("acme/payments", "beta", 56),
    ]
    assert (told.as_of, told.read) == ("", 100)
    told = look("github", github.token, PreviewTarget("", [], "alpha"), **config)
    assert [(p.workspace, p.recent) for p in told.parts] == [("", 0), ("", 56)]
    assert (told.as_of, told.read) == ("alpha", 100)


def test_a_large_organisation_is_looked_at_in_part(look, github):
    for number in range(3, 303):
        github.repository(number, f"acme/service-{number:03}")
        github.deployments[f"acme/service-{number:03}"] = [
            deployment(20_000 + number, NOW - timedelta(days=1))
        ]
    told = look("github", github.token, owner="acme", address=github.base, changes="no")
    assert looks.CUT in told.notes
    assert len(github.asked) == told.requests <= looks.READING + 12 + choosing.COUNTED + 3
    (history,) = [e for e in told.estimates if e.days == 28]
    assert is_near(history.requests, 4 + 2 * 302), history


def test_a_quota_that_is_nearly_used_is_left_alone(look, github):
    quota = {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "900",
        "x-ratelimit-reset": str(int(time.time()) + 1200),
    }
    own = list(github.repositories.values())
    github.faults = [None, None, None, Reply(200, own, quota)]
    told = look("github", github.token, owner="acme", address=github.base)
    assert told.read == 0
    assert any("limit is reached until" in note for note in told.notes)
    assert len(github.asked) == 4
    assert all(e.seconds > 1100 for e in told.estimates if e.requests)


def test_a_sender_that_asks_for_a_wait_is_not_waited_for(installed, look, github):
    github.faults = [None, None, None, None, Reply(429, {"message": "slow"}, {"Retry-After": "40"})]
    told = look("github", github.token, owner="acme", address=github.base)
    assert any("limit is reached until" in note for note in told.notes)
    assert not [wait for wait in installed.waits if wait > 30]


def test_a_sender_that_never_answers_ends_it(installed, github, monkeypatch):
    monkeypatch.setattr(looks, "SECONDS", 1.0)
    github.get = lambda *_: time.sleep(2.5) or Reply(200, [])
    began = time.monotonic()
    with pytest.raises(SourceProblem, match=r"does not answer|takes longer"):
        preview(installed.context, "github", {"owner": "acme", "address": github.base},
                github.token, ALPHA, 90)  # fmt: skip
    assert time.monotonic() - began < 20


def test_what_is_wrong_is_said(installed, github):
    for secret, config, words in (
        ("wrong-wrong-wrong", {}, "does not take the secret"),
        (github.token, {"address": "http://169.254.169.254"}, "link-local"),
        (github.token, {"owner": ""}, "is required"),
    ):
        told = {"owner": "acme", "address": github.base} | config
        with pytest.raises(SourceProblem, match=words):
            preview(installed.context, "github", told, secret, ALPHA, 90)


@long(
    "tests/ingest/pulling/ahead/test_preview.py::test_github_says_what_counts_and_what_history_costs"
)
def test_gitlab(installed, look):
    with served(FakeGitLab()) as fake:
        fake.projects = [{"id": 1, "path_with_namespace": "acme/payments"}]
        fake.deployments["1"] = [
            gitlab_deployment(n, NOW - timedelta(hours=6 * n - 3), "failed" if n % 10 == 0 else "success")
            for n in range(1, 331)
        ]  # fmt: skip
        config = {"group": "acme", "address": fake.base}
        told = look("gitlab", fake.token, **config)
        assert (told.read, told.refused) == (112, 0)
        assert told.counting == 112
        requests, _ = backfilled(installed, fake, "gitlab", 90, **config)
        assert is_near(next(e.requests for e in told.estimates if e.days == 90), requests)


@long(
    "tests/ingest/pulling/ahead/test_preview.py::test_github_says_what_counts_and_what_history_costs"
)
def test_pagerduty_counts_by_service(installed, look):
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}, {"id": "P2", "name": "search"}]
        for n in range(120):
            at, id = NOW - timedelta(days=n, hours=3), f"Q{n:03}"
            fake.incidents[id] = incident(id, at, service="P2" if n % 4 == 0 else "P1")
            fake.log += [
                entry(id, "acknowledge", at),
                entry(id, "resolve", at + timedelta(hours=1)),
            ]
        told = look("pagerduty", fake.token, address=fake.base)
        assert [(p.name, p.recent) for p in told.parts] == [("payments", 21), ("search", 7)]
        assert (told.read, told.counting) == (28, 28)
        assert words(told) == [("urgency", "high", "p2", "default", 28, 28)]
        requests, _ = backfilled(installed, fake, "pagerduty", 90, address=fake.base)
        assert is_near(next(e.requests for e in told.estimates if e.days == 90), requests)


def test_priorities_by_name_are_told_with_what_they_would_mean_in_the_workspace(installed, look):
    priorities = ["SEV-1", "Customer down", "P4", None]
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}]
        for n in range(12):
            id, name = f"Q{n:03}", priorities[n % 4]
            more = {"priority": {"id": name, "type": "priority", "summary": name, "name": name}}
            at = NOW - timedelta(days=n, hours=3)
            fake.incidents[id] = incident(id, at, **(more if name else {}))
        severities = {w[1]: w[2:] for w in words(look("pagerduty", fake.token, address=fake.base))
                      if w[0] == "severity"}  # fmt: skip
        assert severities == {
            "sev-1": ("p1", "default", 3, 3),
            "customer down": (None, "unknown", 3, 3),
            "p4": ("p4", "default", 3, 3),
        }
        own = (installed.world.alpha, "alpha")
        database, email = installed.context.database, installed.admin.email
        meanings.change(database, own, "severity", "Customer down", "p1", email)
        told = words(look("pagerduty", fake.token, address=fake.base))
        assert ("severity", "customer down", "p1", "workspace", 3, 3) in told


def test_words_of_records_that_are_there_are_not_told(installed, look, github):
    config = {"owner": "acme", "address": github.base, "changes": "no"}
    backfilled(installed, github, "github", 28, **config)
    with served(FakePagerDuty()) as fake:
        fake.services = [{"id": "P1", "name": "payments"}]
        assert words(look("pagerduty", fake.token, address=fake.base)) == []


def test_statuspage(installed, look):
    with served(FakeStatuspage()) as fake:
        for n in range(400):
            at = NOW - timedelta(hours=6 * n + 2)
            fake.report(f"i{n:03}", at, at + timedelta(hours=1))
        config = {"page": "kctbh9vrtdwd", "address": fake.base}
        told = look("statuspage", fake.token, **config)
        assert told.read == 200, "two pages reach 28 days back"
        requests, _ = backfilled(installed, fake, "statuspage", 90, **config)
        assert is_near(next(e.requests for e in told.estimates if e.days == 90), requests)


def test_cert_manager(look):
    with served(FakeKubernetes()) as fake:
        fake.issue("payments", "checkout", 1, NOW - timedelta(days=60))
        fake.issue("payments", "checkout", 2, NOW - timedelta(days=1))
        fake.issue("search", "index", 1, NOW - timedelta(days=10))
        told = look("cert-manager", fake.token, address=fake.base)
        assert told.read == 3
        assert [(p.name, p.recent) for p in told.parts] == [("payments", 1), ("search", 1)]


def test_a_real_prometheus(look, tmp_path):
    with alerting(tmp_path, NOW, ((7200, 6000), (5900, 5405))) as base:
        told = look("prometheus", address=base)
        assert (told.read, told.counting) == (2, 2)
        assert "No objective of the workspace has queries" in told.notes[0]
        assert words(told) == [("severity", "critical", "p1", "default", 2, 2)]


def test_files_of_a_folder_and_of_a_real_server(installed, look, tmp_path):
    with nginx.running(tmp_path) as server:
        rows = ROW.format(slug="alpha", key="D-1") + ROW.format(slug="alpha", key="D-2")
        bad = "alpha,D-3,x,y,z,q\n"
        (server.files / "deployments.csv").write_text(
            HEADER + rows.replace("production", "staging", 1) + bad
        )
        (server.files / "notes.txt").write_text("nothing")
        told = look("files", place=f"http://127.0.0.1:{server.plain}/")
        assert (told.read, told.counting, told.refused) == (3, 1, 1)
        assert told.in_no_figure == {"environment 'staging' is not production": 1}
        assert "deployments.csv:4" in told.refusals[0]
        assert (
            "notes.txt: its name tells no kind of records; choose one in the settings."
            in told.notes
        )


def test_real_tls_hosts(look, tmp_path):
    with nginx.running(tmp_path) as server:
        hosts = f"localhost:{server.tls}\nlocalhost:{server.expired}\n127.0.0.1:2345\n"
        told = look("tls", hosts=hosts + "# nobody\n")
        assert (told.read, told.refused) == (3, 1)
        assert "can not be reached" in told.refusals[0]
