"""What is computed in arrays of all workspaces equals what is computed card by card."""

from __future__ import annotations

import math
import pickle
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.domains import DOMAINS
from aggregators.figures import Points
from aggregators.measure import COMPLIANCE
from aggregators.packed import tables
from aggregators.rollup import Cards, Place, badness, extremes, named, ranked, roll
from aggregators.sketch import Histogram, Sketch
from api.encode import card_json, cards_json, figure_json, rows_json
from storage.executive import PACKED_EPOCH, Packed
from storage.models import COMPLIANCE_LEVELS, USAGE_PACKED
from tests.aggregators.organisations import AS_OF, PLAN, organisations, scorecard

some_organisation = st.sampled_from(DOMAINS).flatmap(
    lambda domain: organisations(domain).map(lambda org: (domain, org))
)


@given(some_organisation)
def test_the_order_is_that_of_the_cards_one_by_one(made):
    domain, organisation = made
    cards = scorecard(domain, organisation).cards
    assert isinstance(cards, Cards)
    for measure in domain.measures:
        fast, slow = ranked(cards, domain, measure.key), ranked(list(cards), domain, measure.key)
        assert [(c.slug, c.rank) for c in fast] == [(c.slug, c.rank) for c in slow]
        assert list(fast) == list(slow)


@given(some_organisation, st.booleans())
def test_the_encoding_is_that_of_the_figures_one_by_one(made, series):
    domain, organisation = made
    cards = scorecard(domain, organisation).cards
    keys = [m.key for m in domain.measures]
    assert cards_json(cards, keys, series) == [card_json(card, keys, series) for card in cards]
    for table in cards.grid.tables.values():
        rows = range(len(table.seen))
        assert rows_json(table, [-1, *rows]) == {i: figure_json(table.figure(i)) for i in rows}


@given(some_organisation)
def test_values_extremes_and_names_are_those_of_the_cards(made):
    domain, organisation = made
    cards = scorecard(domain, organisation).cards
    for measure in domain.measures:
        values = [card.figures[measure.key] for card in cards]
        found = cards.values(measure.key)
        assert [None if math.isnan(v) or math.isinf(v) else v for v in found] == [
            f.value for f in values
        ]
        assert extremes(cards, measure.key) == extremes(list(cards), measure.key)
        most = cards.most(measure.key) if len(cards) else None
        if most:
            assert (most.figures[measure.key].value or 0.0) == max(f.value or 0.0 for f in values)
    assert list(named(cards, "W1")) == list(named(list(cards), "W1"))


@pytest.mark.parametrize("typed", ["lodz", "ŁÓDŹ", "odz", " Łódź lo", "lodz-log", "LODZ"])
def test_a_name_is_found_as_it_is_typed(typed):
    """Without its accents and strokes, and by its slug."""
    places = (("Łódź Logistics", "lodz-logistics"), ("Payments", "payments"))
    cards = [SimpleNamespace(name=name, slug=slug) for name, slug in places]
    assert named(cards, typed) == cards[:1]
    assert named(cards, "  ") == cards


@given(some_organisation)
def test_a_card_is_the_worst_of_its_groups(made):
    domain, organisation = made
    for card in scorecard(domain, organisation).cards:
        for figure in card.figures.values():
            if figure.by:
                worst = max((f.has_data, badness(f)) for f in figure.by.values())
                assert (figure.has_data, badness(figure)) == worst


@given(some_organisation)
def test_a_scorecard_survives_being_kept(made):
    domain, organisation = made
    whole = scorecard(domain, organisation)
    kept = pickle.loads(pickle.dumps(whole.cards))
    assert list(kept) == list(whole.cards)
    assert pickle.loads(pickle.dumps(whole.figures)) == whole.figures


@given(
    st.lists(st.one_of(st.none(), st.lists(st.floats(0, 1e8), max_size=9)), min_size=1, max_size=5),
    st.sampled_from([0.5, 0.9]),
)
def test_a_histogram_is_its_sketches(rows, q):
    sketches = [None if row is None else Sketch.of(row) for row in rows]
    histogram = Histogram.of(sketches)
    found = [None if math.isnan(v) else v for v in histogram.quantile(q)]
    assert found == [s.quantile(q) if s else None for s in sketches]
    assert [None if math.isnan(n) else n for n in histogram.n] == [s and s.n for s in sketches]
    whole = Sketch.merged(s for s in sketches if s).quantile(q)
    merged = histogram.merged().quantile(q)[0]
    assert whole == (None if math.isnan(merged) else merged)


def test_points_are_a_sequence_of_days_and_values():
    days = [1, 2, 3]
    points = Points(days, np.array([0.5, np.nan, 2.0]))
    assert list(points) == [(1, 0.5), (2, None), (3, 2.0)]
    assert points[-1] == (3, 2.0)
    assert list(points[1:]) == [(2, None), (3, 2.0)]
    assert points == ((1, 0.5), (2, None), (3, 2.0))
    assert len(points) == 3


def test_a_card_that_is_not_there_is_named():
    domain = DOMAINS[0]
    cards = scorecard(domain, {("w0", ""): (None, None)}).cards
    with pytest.raises(KeyError):
        cards.find("nobody")


def test_groups_stand_by_name_whatever_the_order_they_were_read_in():
    """PostgreSQL groups by hash once a table has grown."""
    day, numbers = (AS_OF - PACKED_EPOCH).days, [1.0] * len(COMPLIANCE_LEVELS)
    row = struct.pack(f">i{len(numbers)}d", day, *numbers)
    usage = struct.pack(f">i{len(USAGE_PACKED)}d", day, *[1.0] * len(USAGE_PACKED))
    names = ["SOC2", "alpha", "HIPAA"]
    packed = Packed(1, usage, names, [row] * 3, b"", [b""] * 4, (), {n: (n, None) for n in names})
    facts = tables([packed], {1: "team"}, PLAN, AS_OF).by_name[COMPLIANCE]
    assert list(facts.scopes) == [("team", n) for n in sorted(names)]
    assert facts.names["lapse_control"] == sorted(names)
    compliance = next(d for d in DOMAINS if d.table == COMPLIANCE)
    (card,) = roll(compliance, facts, [Place("team", "Team")], PLAN).cards
    assert card.figures["pass_rate"].group == "HIPAA"
    assert list(card.figures["pass_rate"].by) == sorted(names)
