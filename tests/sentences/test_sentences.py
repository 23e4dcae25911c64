"""Sentences over generated organisations: each is of a known kind, and every number and superlative in it
is what the raw records give."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.vocabulary.period import Ask
from reading.dashboard import read
from reading.workspace_page import read_workspace
from tests.deep import DEEP, efforts
from tests.generated import FIRST, LAST, workspaces, zones
from tests.plain.records import Records
from tests.reading.test_figures_against_raw_records import load
from tests.sentences.answers import ANSWERS
from tests.sentences.beyond import FACTS
from tests.sentences.collected import check_dashboard
from tests.sentences.drifts.companions import MOVED_WITH
from tests.sentences.footers import PAGES, TILES
from tests.sentences.titles import CLAIMS, RESTS
from tests.sentences.told_worlds import TODAY, many, worlds
from tests.sentences.truth import Truth

periods = st.one_of(
    st.sampled_from([7, 28, 90]).map(Ask),
    st.tuples(st.integers(0, 59), st.integers(1, 60)).map(
        lambda at: Ask(
            None, FIRST + timedelta(days=min(at[0], 59)), min(FIRST + timedelta(days=sum(at)), LAST)
        )
    ),
)
"""Rolling ones, and custom ones that end before the newest figures too."""


def checked(server, settings, organisation: list[Records], ask: Ask) -> None:
    """Reads the organisation's dashboard and checks all that is said of it."""
    alice = load(server, settings, organisation)
    days = [day for records in organisation for day in records.days]
    if not days:
        return
    dashboard = read(server, alice, ask, settings)
    names = [f"Team {n}" for n in range(len(organisation))]
    truth = Truth(organisation, dashboard.period, max(days), settings.zone, names)
    assert dashboard.as_of == truth.as_of
    check_dashboard(truth, dashboard)
    for n, records in enumerate(organisation[:4]):
        alone = Truth([records], dashboard.period, max(days), settings.zone, [names[n]])
        for domain in ("dora", "compliance"):
            view = read_workspace(server, alice, f"team-{n}", domain, ask, settings)
            if view.period == dashboard.period and not view.figures[view.domain.headline].has_data:
                PAGES.check(alone, [view.why_empty], domain=view.domain)


@st.composite
def some_organisations(draw):
    """Up to four workspaces, some of which lack whole domains, or a stretch of days."""
    organisation = draw(st.lists(workspaces(), min_size=1, max_size=4))
    return [thinned(records, *draw(losses)) for records in organisation]


losses = st.tuples(
    st.sets(
        st.sampled_from(["control_result", "certificate", "vendor", "incident", "objective_day"]),
        max_size=3,
    ),
    st.sampled_from([None, None, (0, 40), (20, 59), (50, 59)]),
)


def thinned(records: Records, tables: set[str], days: tuple[int, int] | None) -> Records:
    """Records without some tables, and without the snapshots of a stretch of days."""
    emptied: dict[str, list] = {table: [] for table in tables}
    if "vendor" in tables:
        emptied["vendor_review"] = []
    kept = records.days
    if days:
        first, last = (FIRST + timedelta(days=n) for n in days)
        kept = {day for day in records.days if not first <= day <= last}
    return replace(records, **emptied, days=kept)


@pytest.mark.parametrize("effort", efforts(few=4, many=24, deep=2000))
def test_what_is_said_is_so(server, settings, effort):
    @effort
    @given(some_organisations(), periods, zones)
    def check(organisation, ask, zone):
        checked(server, settings.model_copy(update={"time_zone": zone}), organisation, ask)

    check()


def test_a_sentence_that_no_checker_knows_fails():
    with pytest.raises(AssertionError, match="no checker knows"):
        ANSWERS.check(None, ["Payments is doing splendidly."])


@pytest.mark.parametrize(
    ("kind", "organisation", "ask"), [pytest.param(*made, id=made[0]) for made in worlds()]
)
def test_a_sentence_is_said_where_it_is_so(server, settings, kind, organisation, ask):
    before = said(kind)
    checked(server, settings, organisation, ask)
    assert said(kind) > before


def said(kind: str) -> int:
    """How often the sentence was checked."""
    return sum(kinds.seen[kind] for kinds in (ANSWERS, CLAIMS, RESTS, TILES, FACTS, MOVED_WITH))


def test_many_workspaces(server, settings):
    checked(server, settings, many(366 if DEEP else 24), TODAY)
