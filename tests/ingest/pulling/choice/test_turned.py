"""Another choice counts instead of the former one: what that had counted is withdrawn, and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest.pulling import store
from ingest.pulling.choice import counted_records as turns
from ingest.pulling.choice import settling
from ingest.pulling.problems import SourceProblem
from tests.deep import long
from tests.ingest.pulling.choice.repositories import (
    NOW,
    OWN,
    deployed,
    merge,
    named,
    release,
    run,
    standing,
    tag,
)
from tests.ingest.pulling.laws.test_vanished import a_week_later
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from tests.ingest.pulling.test_github import environment

KEPT = ["1", "2", "3"]
OTHER = ["acme/pay@v1.0", "acme/pay@v2.0"]


@pytest.fixture
def github():
    """A repository with everything, and one that nothing of this is about."""
    with served(FakeGitHub()) as fake:
        named(fake, "pay", "other")
        fake.deployments["acme/pay"] = deployed(1, 2, 3)
        fake.releases["acme/pay"] = [release(1, 1), release(2, 4)]
        fake.runs["acme/pay"] = [run(1, 1, "a.yml"), run(2, 2, "b.yml")]
        fake.tags["acme/pay"] = [tag("v1.0", 1), tag("drop-b", 2)]
        fake.pulls["acme/pay"] = [merge(1, 1)]
        fake.deployments["acme/other"] = deployed(1, first=70)
        yield fake


@pytest.fixture
def source(installed, github):
    config = {"owner": "acme", "address": github.base, "counts": OWN, "changes": "no"}
    made = installed.make("github", github.token, **config)
    installed.sync(made)
    assert standing(installed) == [*KEPT, "70"]
    return made


def choose(installed, source, choice: str):
    settling.choose(installed.context.database.job, source, "1", choice, "alice@x.example")
    return installed.sync(source)


def audited(installed, action: str) -> list[tuple]:
    with installed.context.database.owner.connect() as connection:
        query = text("select actor, details from audit_event where action = :a order by id")
        return [tuple(row) for row in connection.execute(query, {"a": action})]


def test_the_former_choice_counts_no_more_and_comes_back(installed, source):
    run = choose(installed, source, "releases")
    assert standing(installed) == sorted([*OTHER, "70"])
    assert "its deployments are releases now; 3 production deployments count no more" in run.message
    run = choose(installed, source, "deployments")
    assert standing(installed) == [*KEPT, "70"]
    assert "2 releases count no more, 3 count again" in run.message
    for choice, keys in (("releases", OTHER), ("deployments", KEPT), ("releases", OTHER)):
        choose(installed, source, choice)
        assert standing(installed) == sorted([*keys, "70"])
    assert installed.sync(source).message == ""
    told = audited(installed, "source.choose")
    assert told[0] == (
        "alice@x.example", {"part": "1", "from": "deployments", "to": "releases"}
    )  # fmt: skip
    _, details = audited(installed, "source.turn")[0]
    assert details == {
        "part": "acme/pay", "counts": "releases", "records": 3, "withdrawn": True,
    }  # fmt: skip


def test_the_days_are_marked_from_the_first_record_on(installed, source):
    installed.world.sql("delete from snapshot_due")
    choose(installed, source, "releases")
    assert installed.due() <= (NOW - timedelta(days=3)).date()


def test_older_records_than_the_history_that_is_wanted_come_back(installed, source, github):
    """Records that were read long ago are not read again, and count again all the same."""
    choose(installed, source, "releases")
    del github.deployments["acme/pay"][2]
    choose(installed, source, "deployments")
    assert standing(installed) == [*KEPT, "70"]


def test_one_that_vanished_at_the_sender_does_not_come_back(installed, source, github):
    github.deployments["acme/pay"].pop()
    a_week_later(installed, source)
    assert standing(installed) == ["1", "2", "70"]
    choose(installed, source, "releases")
    choose(installed, source, "deployments")
    assert standing(installed) == ["1", "2", "70"]


def test_another_workflow_and_another_pattern_are_other_choices(installed, source, github):
    jobs, by = installed.context.database.job, "alice@x.example"
    config = {"owner": "acme", "address": github.base, "changes": "no"}
    for more, keys in (
        ({"counts": "workflow runs", "workflow": "a.yml"}, ["acme/pay@run-1"]),
        ({"counts": "workflow runs", "workflow": "b.yml"}, ["acme/pay@run-2"]),
        ({"counts": "tags", "tags": "drop-*"}, ["acme/pay@drop-b"]),
        ({"counts": "tags"}, ["acme/pay@v1.0"]),
        ({"counts": "releases"}, OTHER),
        ({"counts": "merges"}, ["acme/pay@merge-1"]),
        ({"counts": "deployments"}, [*KEPT, "70"]),
        ({"counts": "workflow runs", "workflow": "a.yml"}, ["acme/pay@run-1"]),
    ):
        store.change(jobs, source, by, config=config | more)
        installed.sync(source)
        assert standing(installed) == sorted(keys), more


def test_a_tag_that_is_a_release_too_counts_once_by_either(installed, source):
    """Both have one key: what the one choice withdraws, the other tells again."""
    choose(installed, source, "tags")
    assert standing(installed) == sorted(["acme/pay@v1.0", "70"])
    choose(installed, source, "releases")
    assert standing(installed) == sorted([*OTHER, "70"])


def test_what_counts_no_more_says_why(installed, source):
    choose(installed, source, "releases")
    reasons = dict(installed.rows("deployment", "key, left_out"))
    assert {reasons[key] for key in KEPT} == {"withdrawn"}


def test_the_choice_is_made_where_each_part_has_its_own(installed, source, github):
    jobs, by = installed.context.database.job, "alice@x.example"
    for part, choice, words in (
        ("1", "pigeons", "is one of"),
        ("99", "releases", "no such part"),
        ("1", "", "is one of"),
    ):
        with pytest.raises(SourceProblem, match=words):
            settling.choose(jobs, source, part, choice, by)
    with pytest.raises(store.NoSuchSource):
        settling.choose(jobs, 999, "1", "tags", by)
    config = {"owner": "acme", "address": github.base, "counts": "tags"}
    store.change(jobs, source, by, config=config)
    with pytest.raises(SourceProblem, match="decides for every part"):
        settling.choose(jobs, source, "1", "releases", by)
    duty = installed.make("pagerduty", "x" * 12)
    with pytest.raises(SourceProblem, match="is one of nothing"):
        settling.choose(jobs, duty, "1", "releases", by)


def test_a_choice_by_hand_outlasts_what_is_seen_and_another_setting(installed, source, github):
    choose(installed, source, "merges")
    jobs, by = installed.context.database.job, "alice@x.example"
    config = {"owner": "acme", "address": github.base, "changes": "no"}
    store.change(jobs, source, by, config=config | {"counts": "releases"})
    installed.sync(source)
    assert standing(installed) == sorted(OTHER)
    store.change(jobs, source, by, config=config | {"counts": OWN})
    installed.sync(source)
    assert standing(installed) == sorted(["acme/pay@merge-1", "70"])


KILLED = """
import os, signal, sys
from app import create_app
from ingest.pulling.choice import counted_records
from ingest.pulling.runner import SourceContext, run_next
counted_records.BATCH = 1
before, done = counted_records._tell_turn, []
def turned(*given, **more):
    before(*given, **more)
    done.append(1)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
counted_records._tell_turn = turned
installation = create_app().installation
run_next(SourceContext(installation.database, installation.settings), int(sys.argv[1]))
"""


@long("tests/ingest/pulling/laws/test_killed.py::test_the_figures_are_those_of_the_truth")
def test_killed_in_the_middle_the_next_run_goes_on(installed, source, tmp_path):
    settling.choose(installed.context.database.job, source, "1", "releases", "alice@x.example")
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(source)],
        cwd=Path(__file__).parents[4],
        env=environment(installed, tmp_path) | {"PATH": os.environ["PATH"]},
        timeout=60,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == -9, ran.stderr.decode()
    assert len(standing(installed)) in (2, 3), (
        "two of three are withdrawn, the one that is left stands"
    )
    installed.sync(source)
    assert standing(installed) == sorted([*OTHER, "70"])


def test_many_are_turned_in_batches(installed, source, github, monkeypatch):
    monkeypatch.setattr(turns, "BATCH", 40)
    github.deployments["acme/pay"] = deployed(*(n / 100 for n in range(150)), first=1000)
    installed.sync(source)
    assert len(standing(installed)) == 154
    run = choose(installed, source, "releases")
    assert "153 production deployments count no more" in run.message
    assert standing(installed) == sorted([*OTHER, "70"])
