"""For every workspace and domain of the demo organisation, and every preset period: the figure on the
workspace's page is the card's and the API's, and the records that it lists add up to its evidence."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from aggregators.domains import DOMAINS
from aggregators.listing import Request
from aggregators.period import PRESETS, Ask
from aggregators.read import (
    NoSuchWorkspace,
    each_record,
    read,
    read_live,
    read_records,
    read_workspace,
)
from api.encode import dashboard_json
from auth import accounts
from storage import demo
from tests.conftest import empty

KEYS = [d.key for d in DOMAINS]
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def organisation(server, settings):
    empty(server)
    demo.load(server, settings)
    return server


@pytest.fixture(scope="module")
def alice(organisation):
    return accounts.by_email(organisation.job, "alice@demo.example").viewer


@pytest.fixture(scope="module", params=PRESETS)
def dashboard(request, organisation, alice, settings):
    return read(organisation, alice, Ask(request.param), settings)


def records(database, viewer, slug, key, ask, settings, links=None):
    """The page's records as dictionaries."""
    domain = next(d for d in DOMAINS if d.key == key)
    rows = each_record(database, viewer, slug, key, ask, settings, links or {}, Request())
    names = [c.key for c in domain.records.columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.mark.parametrize("key", KEYS)
def test_page_card_and_api_agree_and_the_records_add_up(
    dashboard, organisation, alice, settings, key
):
    ask = Ask(dashboard.period.preset)
    domain = next(d for d in dashboard_json(dashboard)["domains"] if d["key"] == key)
    told = {w["slug"]: w["measures"] for w in domain["workspaces"]}
    for card in dashboard.scorecard(key).cards:
        page = read_workspace(organisation, alice, card.slug, key, ask, settings)
        assert page.figures.keys() == card.figures.keys()
        for name, figure in page.figures.items():
            assert figure.value == card.figures[name].value == told[card.slug][name]["value"]
            assert figure.previous == card.figures[name].previous
            assert figure.evidence == card.figures[name].evidence
        rows = records(organisation, alice, card.slug, key, ask, settings)
        ADDS_UP[key](rows, page)


def rate(page, name):
    e = page.figures[name].evidence
    return e.numerator, e.denominator


def deployments(rows, page):
    seen = page.figures["deployments"].evidence.days_seen
    assert seen < page.period.days or all(r["counted"] == "yes" for r in rows)
    rows = [r for r in rows if r["counted"] == "yes"]
    failed = sum(r["failed"] == "yes" for r in rows)
    if page.figures["change_failure_rate"].has_data:
        assert rate(page, "change_failure_rate") == (failed, len(rows))
    successful = sum(r["outcome"].startswith("successful") for r in rows)
    if page.figures["deploy_frequency"].has_data:
        assert rate(page, "deploy_frequency")[0] == successful
    if page.figures["lead_time_for_changes"].has_data:
        assert page.figures["lead_time_for_changes"].evidence.n == sum(r["changes"] for r in rows)


def incidents(rows, page):
    since = datetime.combine(page.period.start, datetime.min.time(), UTC)
    until = datetime.combine(page.period.end, datetime.min.time(), UTC) + timedelta(days=1)

    def within(when):
        return when is not None and since <= when < until

    seen = page.figures["open"].evidence.days_seen
    if seen < page.period.days or not page.figures["opened"].has_data:
        return  # days without a snapshot are no part of the figure; their records are listed
    still = [r for r in rows if r["status"] == "open"]
    assert page.figures["open"].value == len(still)
    assert page.figures["opened"].value == sum(within(r["opened_at"]) for r in rows)
    resolved = [r["time_to_resolve"] for r in rows if within(r["resolved_at"])]
    assert page.figures["resolved"].value == len(resolved)
    if resolved:
        assert math.isclose(page.figures["mttr"].value, statistics.fmean(resolved))
    seconds = [r["time_to_acknowledge"] for r in rows if within(r["acknowledged_at"])]
    if seconds:
        assert math.isclose(page.figures["mtta"].value, statistics.fmean(seconds))
    due = [r for r in rows if within(r["postmortem_due"])]
    if due:
        published = sum(r["postmortem"] == "published" for r in due)
        assert rate(page, "postmortem_coverage") == (published, len(due))


def objectives(rows, page):
    states = Counter(r["state"] for r in rows)
    if page.figures["objectives_in_budget"].has_data:
        known = states["in budget"] + states["exhausted"]
        assert rate(page, "objectives_in_budget") == (states["in budget"], known)
    if page.figures["no_traffic"].has_data:
        assert page.figures["no_traffic"].value == states["no traffic"]
    assert all(isinstance(r["burn_1h_limit"], float) for r in rows)
    assert all(r["burn_1h_limit"] == pytest.approx(14.4 * r["window_days"] / 30) for r in rows)
    burns = [r["burn"] for r in rows if r["burn"] is not None]
    if page.figures["fastest_burn"].value is not None:
        assert math.isclose(page.figures["fastest_burn"].value, max(burns), rel_tol=1e-9)
    lowest = page.figures["budget_remaining"]
    if lowest.value is not None:
        left = {r["key"]: r["remaining"] for r in rows if r["remaining"] is not None}
        assert math.isclose(lowest.value, min(left.values()), abs_tol=1e-9)
        assert math.isclose(left[lowest.evidence.name], lowest.value, abs_tol=1e-9)


def controls(rows, page):
    by = page.figures["pass_rate"].by or {}
    assert {r["framework"] for r in rows} == set(by)
    for framework, figure in by.items():
        results = Counter(r["result"] for r in rows if r["framework"] == framework)
        total = results.total() - results["not_applicable"]
        assert (figure.evidence.numerator, figure.evidence.denominator) == (
            results["compliant"],
            total,
        )
        soonest = [
            r["days_to_lapse"]
            for r in rows
            if r["framework"] == framework and r["days_to_lapse"] is not None
        ]
        lapse = page.figures["days_to_lapse"].by[framework]
        assert lapse.value == min(soonest, default=None)


def certificates(rows, page):
    if not page.figures["certificates"].has_data:
        return
    states = Counter(r["status"] for r in rows)
    for days in (7, 30, 90):
        soon = [r for r in rows if r["status"] == "expiring" and r["time_left"] <= days * 86400]
        assert page.figures[f"within_{days}"].value == len(soon)
    assert page.figures["expired"].value == states["expired"]
    assert page.figures["revoked"].value == states["revoked"]
    assert page.figures["unreadable"].value == states["unreadable"]


def vendors(rows, page):
    if not page.figures["tier1_vendors"].has_data:
        return
    tier1 = [r for r in rows if r["counts"] == "yes"]
    assert page.figures["tier1_vendors"].value == len(tier1)
    out = [r for r in tier1 if r["review"] in ("overdue", "never reviewed")]
    assert page.figures["tier1_out_of_review"].value == len(out)
    never = sum(r["review"] == "never reviewed" for r in tier1)
    assert page.figures["never_reviewed"].value == never
    overdue = [r["days_overdue"] for r in tier1 if r["days_overdue"] is not None]
    assert page.figures["longest_overdue"].value == max(overdue, default=None)


ADDS_UP = {
    "dora": deployments,
    "incidents": incidents,
    "slos": objectives,
    "compliance": controls,
    "certificates": certificates,
    "vendors": vendors,
}


def test_every_domain_lists_its_records():
    assert set(ADDS_UP) == set(KEYS)
    assert all(d.records for d in DOMAINS)


@pytest.mark.parametrize("key", KEYS)
def test_over_days_of_snapshots_the_live_figures_are_those_of_the_snapshot(
    organisation, alice, settings, key
):
    last = settings.now().date() - timedelta(days=1)
    ask = Ask(None, last - timedelta(days=27), last)
    differences = 0
    for slug in read(organisation, alice, ask, settings).scope.slugs:
        view = read_live(organisation, alice, slug, key, ask, settings)
        whole = all(f.evidence.days_seen == 28 for f in view.snapshot.figures.values() if not f.by)
        for name, figure in view.snapshot.figures.items():
            for group, was in (figure.by or {"": figure}).items():
                now = (view.figures[name].by or {"": view.figures[name]})[group]
                if whole:
                    differences += 1
                    assert now.value == pytest.approx(was.value), (slug, name, group)
                    assert now.evidence.denominator == was.evidence.denominator
    assert differences or key == "compliance"


@pytest.mark.parametrize(
    ("within", "name"), [("7", "within_7"), ("30", "within_30"), ("90", "within_90")]
)
def test_a_cell_of_the_matrix_lists_exactly_its_certificates(
    organisation, alice, settings, within, name
):
    board = read(organisation, alice, Ask(28), settings)
    links = {"within": within, "status": "expiring"}
    for card in board.scorecard("certificates").cards:
        rows = records(organisation, alice, card.slug, "certificates", Ask(28), settings, links)
        assert len(rows) == (card.figures[name].value or 0)


def test_pages_follow_each_other_without_overlap_and_say_how_many_there_are(
    organisation, alice, settings
):
    ask = Ask(365)
    whole = records(organisation, alice, "payments", "dora", ask, settings)
    assert len(whole) > 200
    paged = []
    for first in range(0, len(whole), 100):
        request = Request((), (("outcome", False),), first, first + 100)
        page = read_records(organisation, alice, "payments", "dora", ask, settings, {}, request)
        assert page.total == len(whole)
        paged += page.rows
    keys = [row[1] for row in paged]
    assert sorted(keys) == sorted(r["key"] for r in whole)
    assert len(set(keys)) == len(keys)


def test_a_stranger_reads_no_record(organisation, settings):
    dave = accounts.by_email(organisation.job, "dave@demo.example").viewer
    with pytest.raises(NoSuchWorkspace):
        records(organisation, dave, "payments", "dora", Ask(28), settings)
