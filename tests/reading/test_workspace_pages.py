"""For every workspace and domain of the demo organisation, and every preset period: the figure on the
workspace's page is the card's and the API's, and the records that it lists add up to its evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from dash._utils import to_json

import demo
from aggregators import catalogue
from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.listing import RecordsRequest
from aggregators.vocabulary.period import PRESETS, Ask
from auth import accounts
from layouts.workspace.records import grid
from reading.dashboard import read
from reading.encode import dashboard_json
from reading.records import each_record, read_records
from reading.workspace_page import NotAMember, read_live, read_workspace
from tests.conftest import empty
from tests.deep import all_but, every

KEYS = [d.key for d in DOMAINS]


@pytest.fixture(scope="module")
def organisation(server, settings):
    empty(server)
    demo.load(server, settings)
    return server


@pytest.fixture(scope="module")
def alice(organisation):
    return accounts.on_behalf(organisation.job, "alice@demo.example")


@pytest.fixture(scope="module", params=all_but([28], PRESETS))
def dashboard(request, organisation, alice, settings):
    return read(organisation, alice, Ask(request.param), settings)


def records(database, viewer, slug, key, ask, settings, links=None):
    """The page's records as dictionaries."""
    domain = catalogue.domain(key)
    rows = each_record(database, viewer, slug, key, ask, settings, links or {}, RecordsRequest())
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
        import_module(f"tests.aggregators.{key}.listed").adds_up(rows, page)


def test_every_domain_lists_its_records():
    assert all(d.records for d in DOMAINS)


@pytest.mark.parametrize("key", every(3, KEYS))
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
        request = RecordsRequest((), (("outcome", False),), first, first + 100)
        page = read_records(organisation, alice, "payments", "dora", ask, settings, {}, request)
        assert page.total == len(whole)
        paged += page.rows
    keys = [row[1] for row in paged]
    assert sorted(keys) == sorted(r["key"] for r in whole)
    assert len(set(keys)) == len(keys)


def test_a_stranger_reads_no_record(organisation, settings):
    dave = accounts.on_behalf(organisation.job, "dave@demo.example")
    with pytest.raises(NotAMember):
        records(organisation, dave, "payments", "dora", Ask(28), settings)


@pytest.mark.parametrize(
    ("role", "leads"),
    [("viewer", False), ("approver", False), ("engineer", True), ("admin", True), ("owner", True)],
)
def test_the_key_of_an_incident_leads_those_who_look_after_records_to_it(
    organisation, alice, settings, role, leads
):
    seen = read_workspace(organisation, alice, "payments", "incidents", Ask(28), settings)
    listing = catalogue.domain("incidents").records
    drawn = to_json(grid(replace(seen, role=role), listing, {}))
    assert ('"cellRenderer":"recordLink"' in drawn) == leads
    under = "/ws/payments/records/incidents/".replace("/", "\\u002f")
    assert (f'"under":"{under}"' in drawn) == leads
    assert ('"cellRenderer":"rowMenu"' in drawn) == leads
