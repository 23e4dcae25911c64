"""DevLake's own end-to-end cases: where our definitions agree with its figures, and where they must not.

The differences are written in docs/definitions.md; each is shown here, so that the page stays true.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, date, datetime

import pytest

from aggregators import catalogue
from aggregators.chosen.counting import CountingRules
from aggregators.vocabulary.listing import RecordsRequest
from aggregators.vocabulary.period import Ask
from ingest.importer import load
from ingest.kinds import KINDS
from reading.dashboard import read
from storage import context, listings
from tests.world import World

DORA = catalogue.domain("dora").records


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def instant(text):
    """DevLake's times, with and without zone: all of them are UTC."""
    day, _, clock = text.replace("T", " ").partition(" ")
    year, month, day = (int(part) for part in day.split("-"))
    hour, minute, second = (int(part) for part in clock[:8].rstrip(".").split(":"))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.fixture
def bring(database, settings, tmp_path):
    world = World(database, settings)
    viewer = world.person("alice@x.example")

    def run(first, last, slug="project1", **files):
        place = world.workspace(slug)
        world.member(viewer, place, "platform_admin")
        for kind, listed in files.items():
            path = tmp_path / f"{slug}-{kind}.csv"
            with path.open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, listed[0])
                writer.writeheader()
                writer.writerows(listed)
            (outcome,) = load(database, KINDS[kind], [path], workspace=slug)
            assert not outcome.failed, outcome
        world.backfill(first, last)
        with context.in_workspace(database.web, viewer, place) as connection:
            scope = listings.RecordsScope(place, first, last, CountingRules(), {})
            page = listings.page(connection, "dora", DORA, scope, RecordsRequest())
        names = [column.key for column in DORA.columns]
        listed = {r["key"]: r for r in (dict(zip(names, row, strict=True)) for row in page.rows)}
        board = read(database, viewer, Ask(None, first, last), settings).scorecard("dora")
        return listed, next(c for c in board.cards if c.slug == slug).figures

    return run


def deployments(folder_rows, scopes):
    """A deployment for each of DevLake's pipelines that reached production."""
    by = defaultdict(list)
    for row in folder_rows:
        if row["environment"] == "PRODUCTION" and row["cicd_scope_id"] in scopes:
            by[row["cicd_deployment_id"]].append(row)
    return [
        {
            "key": key,
            "completed_at": max(instant(r["finished_date"]) for r in parts).isoformat(),
            "outcome": "failed" if any(r["result"] == "FAILURE" for r in parts) else "successful",
        }
        for key, parts in by.items()
    ]


def went_in_order(row: dict[str, str]) -> bool:
    steps = ("first_commit_authored_date", "pr_created_date", "pr_merged_date", "pr_deployed_date")
    instants = [instant(row[step]) for step in steps]
    return instants == sorted(instants)


def test_lead_time_of_a_change_that_went_its_way_in_order(bring, acceptance_data):
    folder = acceptance_data / "dora" / "e2e" / "change_lead_time"
    requests = rows(folder / "project_pr_metrics.csv")
    shipped = {
        r["id"]: r for r in rows(folder / "cicd_deployment_commits.csv") if r["result"] == "SUCCESS"
    }
    deployed = [r for r in requests if r["deployment_commit_id"]]
    listed, _ = bring(
        date(2023, 4, 1),
        date(2023, 4, 30),
        deployments=[
            {
                "key": r["id"],
                "completed_at": shipped[r["deployment_commit_id"]]["finished_date"],
                "outcome": "successful",
            }
            for r in deployed
        ],
        changes=[
            {
                "deployment": r["id"],
                "key": r["first_commit_sha"],
                "committed_at": r["first_commit_authored_date"],
            }
            for r in deployed
        ],
    )
    assert len(listed) == 3
    agree, differ = [], []
    for row in deployed:
        assert instant(row["pr_deployed_date"]) == listed[row["id"]]["completed_at"]
        ours = listed[row["id"]]["lead_time"] / 60
        parts = 4  # coding, pickup, review, deploy: each rounded up to a minute
        (agree if abs(ours - float(row["pr_cycle_time"])) <= parts else differ).append(row)
    in_order = [r for r in deployed if went_in_order(r)]
    assert [r["id"] for r in agree] == [r["id"] for r in in_order] == ["pr1"]
    assert [r["id"] for r in differ] == ["pr2", "pr3"]
    assert any(r["pr_cycle_time"] for r in requests if not r["deployment_commit_id"])


def test_incident_links_and_the_change_failure_rate(bring, acceptance_data):
    folder = acceptance_data / "dora" / "e2e" / "connect_incident_to_deployment"
    commits = rows(folder / "prev_success_deployment_commit" / "cicd_deployment_commits_after.csv")
    links = {
        r["id"]: r["deployment_id"]
        for r in rows(folder / "snapshot_tables" / "project_incident_deployment_relationships.csv")
    }
    raw = {r["id"]: r for r in rows(folder / "raw_tables" / "incidents.csv")}
    made = deployments(commits, {"cicd1", "cicd2"})
    listed, figures = bring(
        date(2022, 9, 1),
        date(2022, 11, 30),
        deployments=made,
        incidents=[
            {
                "key": key,
                "title": key,
                "severity": "p3",
                "opened_at": instant(raw[key]["created_date"]).isoformat(),
                "caused_by": deployment,
            }
            for key, deployment in links.items()
        ],
    )
    counted = {key: row["incidents"] for key, row in listed.items() if row["incidents"]}
    assert counted == {"pipeline7": 5, "pipeline2": 1}
    finished = {r["cicd_deployment_id"] for r in commits if r["result"] == "SUCCESS"}
    theirs = {m["key"] for m in made} & finished
    rate = len(theirs & set(links.values())) / len(theirs)
    assert figures["change_failure_rate"].value == pytest.approx(rate) == pytest.approx(0.4)


def test_the_link_that_devlake_infers_is_the_latest_deployment_before_the_incident(acceptance_data):
    """Ours is the one that the incident names; this is what theirs means, for who wants to import it."""
    folder = acceptance_data / "dora" / "e2e" / "connect_incident_to_deployment"
    commits = rows(folder / "prev_success_deployment_commit" / "cicd_deployment_commits_after.csv")
    made = deployments(commits, {"cicd1", "cicd2"})
    raw = {r["id"]: r for r in rows(folder / "raw_tables" / "incidents.csv")}
    starts = defaultdict(list)
    for row in commits:
        starts[row["cicd_deployment_id"]].append(instant(row["finished_date"]))
    for link in rows(folder / "snapshot_tables" / "project_incident_deployment_relationships.csv"):
        opened = instant(raw[link["id"]]["created_date"])
        before = [m["key"] for m in made if min(starts[m["key"]]) <= opened]
        latest = max(before, key=lambda key: max(t for t in starts[key] if t <= opened))
        assert latest == link["deployment_id"]


def test_a_deployment_that_only_failed_counts_with_us_and_not_with_devlake(bring, acceptance_data):
    folder = acceptance_data / "dora" / "e2e" / "connect_incident_to_deployment"
    commits = rows(folder / "prev_success_deployment_commit" / "cicd_deployment_commits_after.csv")
    listed, figures = bring(
        date(2022, 9, 1), date(2022, 9, 30), "project2", deployments=deployments(commits, {"cicd3"})
    )
    assert {key: row["outcome"] for key, row in listed.items()} == {
        "pipeline8": "failed",
        "pipeline9": "successful",
    }
    assert figures["change_failure_rate"].value == 0.5  # DevLake: 0 of 1
