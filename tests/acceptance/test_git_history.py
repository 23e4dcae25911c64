"""Twenty real repositories as twenty workspaces: their DORA figures against plain counts."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

import pytest

from aggregators.vocabulary.period import Ask
from ingest import importer
from ingest.kinds import KINDS
from reading.dashboard import read
from tests.conftest import empty
from tests.deep import long
from tests.plain.records import quantile
from tests.world import World

pytestmark = long("tests/acceptance/test_real_organisation.py::test_releases_of_the_last_90_days")
YEARS = range(2021, 2026)
FIRST, LAST = date(2020, 12, 31), date(2026, 11, 22)


@pytest.fixture(scope="module")
def files(acceptance_data):
    folder = acceptance_data / "git_history"
    return folder / "deployments.csv", folder / "commits.csv.gz"


@pytest.fixture(scope="module")
def organisation(server, settings, files):
    """Imported by the commands' own code, snapshots of six years, one admin."""
    empty(server)
    deployments, commits = files
    for kind, path in (
        ("workspaces", deployments),
        ("deployments", deployments),
        ("changes", commits),
    ):
        for outcome in importer.load(server, KINDS[kind], [path], form="git-history"):
            assert not outcome.rejects
    world = World(server, settings)
    alice = world.person("alice@x.example")
    with server.job.connect() as connection:
        ids = connection.exec_driver_sql("select id from workspace").scalars().all()
    for workspace_id in ids:
        world.member(alice, workspace_id, "platform_admin")
    world.backfill(FIRST, LAST)
    return server, settings, alice


@pytest.fixture(scope="module")
def years(organisation):
    server, settings, alice = organisation
    return {
        year: read(server, alice, Ask(None, date(year, 1, 1), date(year, 12, 31)), settings)
        for year in YEARS
    }


@pytest.fixture(scope="module")
def releases(files):
    """The rows of the file that are production deployments."""
    with files[0].open(newline="", encoding="utf-8") as file:
        return [r for r in csv.DictReader(file) if r["environment"] == "production"]


def figures(dashboard, slug):
    return next(c for c in dashboard.scorecard("dora").cards if c.slug == slug).figures


def test_production_deployments_per_year_equal_a_plain_count(years, releases):
    counted = Counter((r["workspace"], int(r["deployed_at"][:4])) for r in releases)
    slugs = {r["workspace"] for r in releases}
    assert len(slugs) == 20
    for year, dashboard in years.items():
        for slug in slugs:
            assert figures(dashboard, slug)["deployments"].value in (counted[slug, year], None), (
                slug
            )
            if counted[slug, year]:
                assert figures(dashboard, slug)["deployments"].value == counted[slug, year], slug
        total = sum(n for (_, y), n in counted.items() if y == year)
        assert dashboard.scorecard("dora").figures["deployments"].value == total


def test_change_failure_rate_equals_a_slow_computation(years, releases):
    compared = 0
    for year, dashboard in years.items():
        for slug in {r["workspace"] for r in releases}:
            own = [
                r
                for r in releases
                if r["workspace"] == slug and r["deployed_at"].startswith(str(year))
            ]
            rate = figures(dashboard, slug)["change_failure_rate"]
            if not own:
                assert rate.value is None
                continue
            failed = sum(r["failed_proxy"] == "1" for r in own)
            assert (rate.evidence.numerator, rate.evidence.denominator) == (failed, len(own))
            assert rate.value == pytest.approx(failed / len(own))
            compared += 1
    assert compared > 60


def test_lead_time_equals_a_slow_computation_within_two_percent(years, releases, files):
    times = lead_times(releases, files[1])
    compared = 0
    for (slug, year), seconds in times.items():
        if year in YEARS:
            lead = figures(years[year], slug)["lead_time_for_changes"]
            assert lead.evidence.n == len(seconds), (slug, year)
            assert lead.value == pytest.approx(quantile(seconds, 0.5), rel=0.02), (slug, year)
            compared += 1
    assert compared > 50


def lead_times(releases, commits) -> dict[tuple[str, int], list[float]]:
    """Seconds by workspace and year, from each commit to the first release that was no failure and brought
    it: its own, or the next of its train."""
    order = sorted(releases, key=lambda r: (moment(r["deployed_at"]), r["tag"]))
    brings = {}
    next_success: dict[tuple[str, str], dict[str, str]] = {}
    for release in reversed(order):
        line = release["workspace"], release["train"]
        if release["failed_proxy"] != "1":
            next_success[line] = release
        if line in next_success:
            brings[release["workspace"], release["tag"]] = next_success[line]
    arrivals: dict[tuple[str, str, str], tuple[datetime, datetime]] = {}
    with gzip.open(commits, "rt", encoding="utf-8") as file:
        for commit in csv.DictReader(file):
            release = brings.get((commit["workspace"], commit["tag"]))
            if release:
                change = commit["workspace"], release["train"], commit["commit_sha"]
                arrival = moment(release["deployed_at"]), moment(commit["authored_at"])
                arrivals[change] = min(arrival, arrivals.get(change, arrival))
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    for (slug, _, _), (arrived, authored) in arrivals.items():
        if authored <= arrived:
            times[slug, arrived.year].append((arrived - authored).total_seconds())
    return times


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_day_was_seen(years):
    for year, dashboard in years.items():
        evidence = dashboard.scorecard("dora").headline.evidence
        days = (date(year, 12, 31) - date(year, 1, 1) + timedelta(days=1)).days
        assert (evidence.days_seen, evidence.days_expected) == (days, days)
