"""GitHub against a stateful fake: history, increments, faults, renamed and deleted repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from auth.secret_key import secret_keys
from ingest.pulling import runs, store
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import run_next
from tests.deep import all_but
from tests.ingest.pulling.senders.fake import Reply, served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.served import until

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(number: int, at: datetime, state: str = "SUCCESS", environment: str = "production"):
    ends = [{"state": state, "createdAt": stamp(at + timedelta(minutes=5))}] if state else []
    return {
        "databaseId": number,
        "createdAt": stamp(at),
        "updatedAt": stamp(at),
        "environment": environment,
        "commitOid": f"{number:040x}",
        "statuses": {"nodes": [*ends, {"state": "IN_PROGRESS", "createdAt": stamp(at)}]},
    }


@pytest.fixture
def github():
    """An organisation with one repository of 250 deployments, newest first, a failure in ten."""
    with served(FakeGitHub()) as fake:
        fake.repository(1, "acme/payments")
        fake.deployments["acme/payments"] = [
            deployment(
                1000 - n, NOW - timedelta(hours=6 * n + 1), "FAILURE" if n % 10 == 0 else "SUCCESS"
            )
            for n in range(250)
        ]
        yield fake


def outcomes(installed, slug="alpha"):
    return installed.rows("deployment", "key, outcome, service", slug)


def truth(fake, name="acme/payments"):
    word = {"SUCCESS": "successful", "FAILURE": "failed"}
    return sorted(
        (str(d["databaseId"]), word[d["statuses"]["nodes"][0]["state"]], name.split("/")[1])
        for d in fake.deployments[name]
        if datetime.fromisoformat(d["createdAt"]) > NOW - timedelta(days=90)
    )


def test_history_comes_whole_and_the_days_are_marked(installed, github):
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    run = installed.sync(source)
    assert (run.state, run.refused) == ("done", 0), run
    assert set(truth(github)) <= set(outcomes(installed))
    assert run.read == run.written + run.unchanged + run.refused
    assert installed.due() <= (NOW - timedelta(days=60)).date()
    assert installed.source(source).state == "healthy"


def test_an_increment_asks_for_little_and_writes_what_is_new(installed, github):
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    installed.sync(source)
    github.deployments["acme/payments"].insert(0, deployment(2000, NOW))
    github.asked.clear()
    run = installed.sync(source)
    assert run.requests == 2, "the list of repositories, and a page"
    assert ("2000", "successful", "payments") in outcomes(installed)
    github.asked.clear()
    again = installed.sync(source)
    assert (again.written, again.state) == (0, "done")


def test_one_that_waited_for_approval_is_asked_for_until_it_ends(installed, github):
    late = deployment(500, NOW - timedelta(days=30), state="")
    github.deployments["acme/payments"].insert(120, late)
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    installed.sync(source)
    assert "500" not in [key for key, outcome, _ in outcomes(installed) if outcome]
    late["statuses"]["nodes"].insert(0, {"state": "SUCCESS", "createdAt": stamp(NOW)})
    installed.sync(source)
    assert ("500", "successful", "payments") in outcomes(installed)


@pytest.mark.parametrize(
    "faults", [["429"], ["403"], ["502", "500"], ["cut"], [None, "429", "cut", "502"]]
)
def test_faults_cost_time_and_nothing_else(installed, github, faults):
    github.faults = list(faults)
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    run = installed.sync(source)
    assert run.state == "done", run
    assert set(truth(github)) <= set(outcomes(installed))
    assert len(installed.waits) == len([f for f in faults if f])


def test_a_page_that_is_too_big_is_asked_for_in_parts(installed, github):
    github.largest = 25
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    assert installed.sync(source).state == "done"
    assert set(truth(github)) <= set(outcomes(installed))


def test_a_long_wait_ends_the_run_and_the_next_goes_on(installed, github):
    github.faults = [None, None, None, Reply(429, {"message": "slow"}, {"Retry-After": "1800"})]
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    run = installed.sync(source)
    assert (run.state, run.error_code) == ("waiting", "rate_limited")
    known = installed.source(source)
    assert known.state == "waiting"
    assert timedelta(minutes=29) < known.next_at - datetime.now(UTC) < timedelta(minutes=31)
    assert len(outcomes(installed)) == 100, "the first page is kept"
    assert installed.sync(source).state == "done"
    assert set(truth(github)) <= set(outcomes(installed))


def test_a_fifth_of_the_quota_is_left_to_others(installed, github):
    reset = str(int((datetime.now(UTC) + timedelta(minutes=20)).timestamp()))
    quota = {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "990",
        "x-ratelimit-reset": reset,
    }
    repositories = list(github.repositories.values())
    github.faults = [Reply(200, repositories, quota)]
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    assert installed.sync(source).state == "waiting"
    github.faults = [
        Reply(200, repositories, {**quota, "x-ratelimit-limit": "0", "x-ratelimit-remaining": "0"})
    ]
    assert installed.sync(source).state == "done", "a limit of nothing is none"


KILLED = """
import sys
from app import create_app
from ingest.pulling import gathering
from ingest.pulling.runner import SourceContext, run_next
gathering.MOST = 1  # each page is kept at once, as those of a slow sender are
application = create_app()
installation = application.installation
run_next(SourceContext(installation.database, installation.settings), int(sys.argv[1]))
"""


@pytest.mark.parametrize("request_number", all_but([4], [4, 5]))
def test_killed_at_any_page_nothing_is_lost_and_nothing_comes_twice(
    installed, github, request_number, tmp_path
):
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    killed_in(installed, github, source, request_number, tmp_path)
    assert len(outcomes(installed)) == (request_number - 3) * 100
    run = installed.sync(source)  # at once: the lease is of a process that is no more
    assert run.state == "done"
    assert set(truth(github)) <= set(outcomes(installed))
    assert run.requests <= 5, "no page twice but the one that looks for news"


def killed_in(installed, sender, source, request_number, folder):
    """Syncs in a process that the sender kills at a request; returns when PostgreSQL has seen its end,
    which a busy machine delays."""
    sender.kill_at = request_number
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(source)],
        cwd=Path(__file__).parents[3],
        env=environment(installed, folder),
        stderr=subprocess.PIPE,
        text=True,
    )
    sender.victim = process.pid
    assert process.wait(60) == -9, process.stderr.read()
    sender.victim = 0
    until(lambda: locks_of_runs(installed.context.database.job) == 0)


def locks_of_runs(engine: Engine) -> int:
    """Locks that runs hold as long as their process lives."""
    with engine.connect() as connection:
        query = text("select count(*) from pg_locks where locktype = 'advisory' and objsubid = 2")
        return int(connection.execute(query).scalar_one())


def environment(installed, folder):
    database, settings = installed.context
    web, job = (
        engine.url.render_as_string(hide_password=False).replace("+psycopg2", "")
        for engine in (database.web, database.job)
    )
    others = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    return others | {
        "VIGILO_DATABASE_URL": web,
        "VIGILO_JOB_DATABASE_URL": job,
        "VIGILO_DATA_DIR": str(folder),
        "VIGILO_SECRET_KEY": secret_keys(settings).current,
        "VIGILO_SOURCE_ALLOW": '["127.0.0.0/8"]',
    }


def test_the_organisations_source_feeds_by_patterns_and_follows_a_rename(installed, github):
    github.repository(2, "acme/search-api")
    github.deployments["acme/search-api"] = [deployment(7, NOW - timedelta(days=1))]
    installed.world.member(installed.admin, installed.world.beta, "platform_admin")
    engine = installed.context.database.job
    source = installed.make("github", github.token, home=None, owner="acme", address=github.base)
    begun = installed.sync(source)
    assert (begun.state, begun.error_code) == ("waiting", "mapping_missing"), "nothing has failed"
    rules = [("acme/search-*", installed.world.beta), ("acme/*", installed.world.alpha)]
    store.set_rules(engine, source, rules, "alice@x.example")
    assert installed.sync(source).state == "done"
    assert outcomes(installed, "beta") == [("7", "successful", "search-api")]
    github.repositories["acme/find"] = github.repositories.pop("acme/search-api") | {
        "full_name": "acme/find"
    }
    github.deployments["acme/find"] = [deployment(8, NOW)]
    store.map_scope(engine, source, "2", installed.world.beta, "alice@x.example")
    assert installed.sync(source).state == "done"
    assert ("8", "successful", "find") in outcomes(installed, "beta")
    del github.repositories["acme/find"]
    installed.sync(source)
    with engine.connect() as connection:
        states = {s["external_id"]: s["state"] for s in store.every_scope(connection, source)}
    assert states == {"1": "mapped", "2": "gone"}
    assert len(outcomes(installed, "beta")) == 2, "what is gone there stays here"


def test_a_mapping_into_a_foreign_workspace_is_refused_by_the_database(installed, github):
    engine = installed.context.database.job
    source = installed.make("github", github.token, home=None, owner="acme", address=github.base)
    with pytest.raises(SourceProblem, match="may not write into that workspace"):
        store.set_rules(engine, source, [("*", installed.world.beta)], "alice@x.example")


def test_a_role_that_went_ends_the_writing(installed, github):
    source = installed.make("github", github.token, owner="acme", address=github.base)
    installed.world.revoke(installed.admin, installed.world.alpha)
    run = installed.sync(source)
    assert (run.state, run.error_code) == ("failed", "mapping_missing")
    assert outcomes(installed) == []


def test_commits_between_two_successes_are_changes(installed, github):
    github.deployments["acme/payments"] = [
        deployment(3, NOW - timedelta(hours=1)),
        deployment(2, NOW - timedelta(hours=2), "FAILURE"),
        deployment(1, NOW - timedelta(hours=3)),
    ]
    authored = stamp(NOW - timedelta(hours=9))
    github.commits[f"{1:040x}", f"{3:040x}"] = [
        {"sha": f"{n:040x}", "commit": {"author": {"date": authored}}} for n in (2, 3)
    ]
    source = installed.make("github", github.token, owner="acme", address=github.base)
    run = installed.sync(source)
    assert run.state == "done", run
    assert installed.rows("deployment_change", "deployment, key") == [
        ("3", f"{2:040x}"),
        ("3", f"{3:040x}"),
    ]
    github.asked.clear()
    installed.sync(source)
    assert not [path for path in github.asked if "compare" in path], "compared once"


def test_releases_cost_one_request_while_they_are_the_same(installed, github):
    github.releases["acme/payments"] = [
        {
            "url": f"https://api.github.com/repos/acme/payments/releases/{n}",
            "tag_name": f"v{n}",
            "draft": False,
            "prerelease": n == 2,
            "published_at": stamp(NOW - timedelta(days=n)),
        }
        for n in (1, 2, 3)
    ]
    source = installed.make(
        "github", github.token, owner="acme", address=github.base, counts="releases"
    )
    installed.sync(source)
    assert [key for key, *_ in outcomes(installed)] == [f"acme/payments@v{n}" for n in (1, 2, 3)]
    github.asked.clear()
    run = installed.sync(source)
    assert (run.requests, run.read) == (2, 0)


def test_workflow_runs_beyond_a_thousand_come_in_halved_windows(installed, github):
    github.runs["acme/payments"] = [
        {
            "id": n,
            "created_at": stamp(NOW - timedelta(minutes=60 * n)),
            "run_started_at": stamp(NOW - timedelta(minutes=60 * n)),
            "updated_at": stamp(NOW - timedelta(minutes=60 * n - 5)),
            "conclusion": "success" if n % 5 else "failure",
        }
        for n in range(1, 1300)
    ]
    source = installed.make(
        "github", github.token, owner="acme", address=github.base, counts="workflow runs"
    )
    assert installed.sync(source).state == "done"
    assert len(outcomes(installed)) == 1299


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(401, {"message": "Bad credentials"}), "token_invalid"),
        (Reply(403, {"message": "Resource not accessible by integration"}), "scope_missing"),
        (
            Reply(403, {"message": "SAML"}, {"X-GitHub-SSO": "required; url=https://x"}),
            "sso_required",
        ),
        (Reply(404, {"message": "Not Found"}), "not_found_or_hidden"),
        (Reply(403, {"message": "no \0 such \ud800 right"}), "scope_missing"),
        (Reply(200, {"not": "a list"}), "changed_shape"),
        (Reply(200, None, body=b"<html>"), "changed_shape"),
        (Reply(302, None, {"Location": "https://evil.example/"}), "moved_elsewhere"),
        (
            Reply(200, [], {"Link": '<https://api.github.com/x?page=2>; rel="next"'}),
            "moved_elsewhere",
        ),
        (Reply(200, None, body=b"[" + b" " * (33 * 2**20) + b"]"), "too_large"),
    ],
)
def test_each_fault_has_a_code_that_a_person_can_act_on(installed, github, reply, code):
    github.faults = [reply]
    source = installed.make("github", github.token, owner="acme", address=github.base)
    run = installed.sync(source)
    assert (run.state, run.error_code) == ("failed", code), run
    assert github.token not in run.message


def test_a_source_that_fails_backs_off_alone(installed, github):
    source = installed.make("github", "wrong-token-0000", owner="acme", address=github.base)
    waits = []
    for _ in range(3):
        installed.world.sql("update source set next_at = now()")
        assert run_next(installed.context, source)
        known = installed.source(source)
        waits.append((known.next_at - datetime.now(UTC)).total_seconds() / 60)
    assert [round(wait / 30) for wait in waits] == [1, 2, 4]
    assert (known.state, known.error_code, known.failures) == ("failing", "token_invalid", 3)


def test_two_workers_never_run_one_source(installed, github):
    source = installed.make("github", github.token, owner="acme", address=github.base)
    engine = installed.context.database.job
    with runs.claim_due(engine, source) as first:
        assert first is not None
        with runs.claim_due(engine, source) as second:
            assert second is None
        installed.world.sql("update source set lease_until = now() - interval '1 second'")
        with runs.claim_due(engine, source) as second:
            assert second is not None
            with runs.claim_due(engine, source) as third:
                assert third is None, "the first one's sign of life is not the second one's"
        with pytest.raises(runs.RunLost), engine.begin() as connection:
            runs.hold(connection, first[0])


def test_again_from_a_day_reads_everything_once_more(installed, github):
    source = installed.make("github", github.token, owner="acme", address=github.base, changes="no")
    installed.sync(source)
    github.asked.clear()
    day = (NOW - timedelta(days=120)).date()
    store.ask(installed.context.database.job, source, "alice@x.example", day)
    run = installed.sync(source)
    assert run.requests == 5, "every page once more, and the environment"
    assert run.written == 0
    assert installed.source(source).history_days >= 120


def test_environments_of_branches_are_compared_each_with_its_own(installed, github):
    github.deployments["acme/payments"] = [
        deployment(4, NOW - timedelta(hours=1), environment="review/b"),
        deployment(3, NOW - timedelta(hours=2), environment="review/a"),
        deployment(2, NOW - timedelta(hours=3), environment="review/b"),
        deployment(1, NOW - timedelta(hours=4), environment="review/a"),
    ]
    installed.sync(installed.make("github", github.token, owner="acme", address=github.base))
    compared = [path.partition("compare/")[2][:83] for path in github.asked if "compare/" in path]
    assert compared == [f"{base:040x}...{head:040x}" for base, head in ((1, 3), (2, 4))]
