"""A git history and X.509 files, made up and real."""

import csv
import gzip
import statistics
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.formats import FORMATS, choose
from ingest.importer import ImportOutcome, load
from ingest.kinds import KINDS
from ingest.reader import FormatInput, UnreadableFile
from storage import tables
from storage.context import job_in
from storage.database import Database
from tests.stored_rows import built_once

TAGS = "workspace,train,tag,version,environment,deployed_at,failed_proxy\n"


def test_tags_become_deployments(bring, stored):
    outcome = bring(
        "deployments",
        TAGS
        + "payments,api,v1,1,production,2026-11-01T10:00:00Z,1\n"
        + "payments,,v2,2,staging,2026-11-02T10:00:00Z,\n"
        + "payments,,v3,3,production,2026-11-02T10:00:00,0\n"
        + "payments,,v4,4,production,2026-11-02T10:00:00Z,2\n",
        form="git-history",
    )
    assert [(r.line, r.column) for r in outcome.rejects] == [
        (4, "deployed_at"),
        (5, "failed_proxy"),
    ]
    assert [
        (d["key"], d["environment"], d["outcome"], d["service"]) for d in stored("deployments")
    ] == [
        ("v1", "production", "failed", "api"),
        ("v2", "staging", "successful", None),
    ]


def test_a_missing_column_is_named_as_the_file_calls_it(bring):
    outcome = bring("deployments", "workspace,tag,environment\n", form="git-history")
    assert "lacks the required columns deployed_at, failed_proxy" in outcome.problem


def test_a_format_without_the_kind_says_what_it_has(bring, tmp_path):
    with pytest.raises(
        UnreadableFile, match="has no vendors: it has workspaces, deployments, changes"
    ):
        choose(
            KINDS["vendors"],
            FormatInput(tmp_path / "x.csv", KINDS["vendors"], True, print),
            "git-history",
        )
    assert "has no vendors" in bring("vendors", TAGS, form="git-history").problem


def test_every_format_names_only_kinds_that_exist():
    assert all(set(form.readers) <= set(KINDS) for form in FORMATS.values())


@pytest.fixture
def real(database, acceptance_data):
    folder = acceptance_data / "git_history"
    outcomes = built_once(database, __name__, lambda: git_history(database, folder))
    with (folder / "deployments.csv").open() as file:
        return outcomes, list(csv.DictReader(file)), folder


def git_history(database: Database, folder: Path) -> list[ImportOutcome]:
    """Outcome of each file of the real git history."""
    return [
        load(database, KINDS[kind], [folder / name], form="git-history")[0]
        for kind, name in (
            ("workspaces", "deployments.csv"),
            ("deployments", "deployments.csv"),
            ("changes", "commits.csv.gz"),
        )
    ]


def test_the_real_git_history_is_taken_whole(database, real):
    outcomes, tags, folder = real
    assert [(o.problem, o.rejected) for o in outcomes] == [(None, 0)] * 3
    with database.job.connect() as connection:
        ids = dict(connection.execute(select(tables.workspace.c.slug, tables.workspace.c.id)).all())
    assert len(ids) == 20
    expected = Counter(t["workspace"] for t in tags if t["environment"] == "production")
    with gzip.open(folder / "commits.csv.gz", "rt") as file:
        commits = Counter(row["workspace"] for row in csv.DictReader(file))
    for slug, workspace_id in ids.items():
        deployments, changes = _delivery(database, workspace_id)
        in_production = [d for d in deployments.values() if d.environment == "production"]
        assert (slug, len(in_production)) == (slug, expected[slug])
        assert len(changes) == commits[slug]
        leads: dict[str, list[float]] = {}
        for change in changes:
            lead = deployments[change.deployment].completed_at - change.committed_at
            leads.setdefault(change.deployment, []).append(lead / timedelta(hours=1))
        published = {t["tag"]: t["lead_median_h"] for t in tags if t["workspace"] == slug}
        for tag, hours in leads.items():
            assert statistics.median(hours) == pytest.approx(float(published[tag]), abs=1e-3)


def _delivery(database, workspace_id: int):
    """The deployments by key and the changes of one workspace."""
    with job_in(database.job, workspace_id) as connection:
        deployments = {
            row.key: row for row in connection.execute(select(KINDS["deployments"].table))
        }
        return deployments, connection.execute(select(KINDS["changes"].table)).all()


def test_the_real_git_history_a_second_time_changes_nothing(database, real):
    first, tags, folder = real
    path = folder / "deployments.csv"
    (again,) = load(database, KINDS["deployments"], [path], form="git-history")
    assert (first[1].written, again.written, again.unchanged) == (len(tags), 0, len(tags))
