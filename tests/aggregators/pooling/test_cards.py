"""Cards from arrays of all workspaces, compared with what is worked out card by card."""

from __future__ import annotations

import math
import pickle
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.catalogue import DOMAINS
from aggregators.name_order import places
from aggregators.pooling.cards import Card, WorkspaceLabel
from aggregators.pooling.figures import Figure, Points
from aggregators.pooling.rollup import roll
from aggregators.vocabulary.domain import COMPLIANCE, Domain
from aggregators.vocabulary.measure import LOWER, Measure, Unit
from aggregators.vocabulary.sketch import Histogram, Sketch
from reading.decoding import tables
from reading.encode import cards_json, figure_json
from storage.executive.encoded_rows import ENCODED_EPOCH, EncodedGroup, EncodedRows
from storage.snapshot.columns import COLUMNS, HISTORY_COLUMNS, USAGE_COLUMNS
from tests import samples
from tests.aggregators.organisations import AS_OF, PLAN, organisations, scorecard
from tests.deep import efforts

some_organisation = st.sampled_from(DOMAINS).flatmap(
    lambda domain: organisations(domain).map(lambda org: (domain, org))
)


@pytest.mark.parametrize("effort", efforts(few=10, many=50, deep=500))
def test_worst_stands_first_of_each_measure(effort):
    """The worse value after shrinking; then the ties; then the name; no data last."""

    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        cards = scorecard(domain, organisation).cards
        for measure in domain.measures:
            ranked = cards.worst_first_by(measure.key)
            assert [card.rank for card in ranked] == list(range(1, len(cards) + 1))
            names = [card.name for card in ranked]
            at = dict(zip(names, places(names), strict=True))
            worst_first = sorted(ranked, key=lambda card: standing(card, domain, measure.key, at))
            assert list(ranked) == worst_first

    holds()


def standing(card: Card, domain: Domain, key: str, at: dict[str, int]) -> tuple:
    """Where a card stands, worst first, from what its figures say."""
    figure, measure = card.figures[key], domain.measure(key)
    worth = how_bad(figure) if card.shrunken(key) is None else sign(measure) * card.shrunken(key)
    ties = [-how_bad(card.figures[tie]) for tie in domain.ties if tie != key]
    return (not figure.has_data, -worth, *ties, at[card.name], card.slug)


def sign(measure: Measure) -> int:
    return 1 if measure.better is LOWER else -1


def how_bad(figure: Figure) -> float:
    if figure.over_budget or figure.value is None:
        return math.inf if figure.over_budget else -math.inf
    return sign(figure.measure) * figure.value


@pytest.mark.parametrize("effort", efforts(few=10, many=50, deep=500))
def test_what_is_counted_whole_is_ranked_as_it_is_shown(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        for card in scorecard(domain, organisation).cards:
            for measure in domain.measures:
                shown, ranked = card.figures[measure.key].value, card.shrunken(measure.key)
                if not measure.prior:
                    assert ranked == shown
                assert (ranked is None) == (shown is None)

    holds()


@pytest.mark.parametrize("effort", efforts(few=10, many=50, deep=500))
def test_the_worst_is_told_with_those_that_look_worse(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        cards = scorecard(domain, organisation).cards
        for measure in domain.measures:
            worst = cards.worst_by(measure.key)
            others = [how_bad(card.figures[measure.key]) for card in cards]
            best = 0.0 if measure.better is LOWER else -1.0
            if worst is None:
                assert {bad for bad in others if bad > -math.inf} <= {best}
            else:
                own = how_bad(worst.figure)
                assert worst.above == sum(bad > own for bad in others)
                assert worst.equal == sum(bad == own for bad in others) - 1

    holds()


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_a_change_is_one_value_less_the_other(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        for card in scorecard(domain, organisation).cards:
            for figure in card.figures.values():
                value, before = figure.value, figure.previous
                compared = figure.comparable and value is not None and before is not None
                assert figure.delta == (value - before if compared else None)
                relative = compared and before and figure.measure.unit is not Unit.RATIO
                assert figure.relative_delta == (figure.delta / abs(before) if relative else None)

    holds()


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_workspaces_are_encoded_as_their_figures_are(effort):
    @effort
    @given(some_organisation, st.booleans())
    def holds(made, series):
        domain, organisation = made
        cards = scorecard(domain, organisation).cards
        keys = [m.key for m in domain.measures]
        encoded = cards_json(cards, keys, series)
        for card, answer in zip(cards, encoded, strict=True):
            assert (answer["slug"], answer["rank"], answer["href"]) == (
                card.slug,
                card.rank,
                card.href,
            )
            for key in keys:
                assert answer["measures"][key] == figure_json(card.figures[key], series)
                names = ("series", "change", "target", *["expected"] * series)
                apart = {name: answer["measures"][key][name] for name in names}
                assert answer["measures"][key] == told(card.figures[key], names[1:]) | apart
                assert apart["change"]["verdict"] == card.figures[key].verdict

    holds()


def told(figure: Figure, apart: Sequence[str]) -> dict[str, object]:
    """A figure's JSON, property by property, without its series; of its groups what stands ``apart`` as it
    is encoded."""
    evidence = figure.evidence
    answer = {
        "title": figure.measure.title,
        "value": figure.value,
        "previous": figure.previous,
        "delta": figure.delta,
        "delta_unit": "points" if figure.measure.unit is Unit.RATIO else figure.measure.unit.value,
        "delta_relative": figure.relative_delta,
        "unit": figure.measure.unit.value,
        "better": figure.measure.better.value,
        "status": figure.status.value,
        "low_sample": figure.low_sample,
        "over_budget": figure.over_budget,
        "band": figure.measure.band(figure.value),
        "evidence": {
            "numerator": evidence.numerator,
            "denominator": evidence.denominator,
            "n": evidence.n,
            "days_seen": evidence.days_seen,
            "days_expected": evidence.days_expected,
            **({"name": evidence.name} if evidence.name else {}),
        },
    }
    if figure.by:
        each = {
            group: told(own, apart) | {"series": []} | {k: figure_json(own)[k] for k in apart}
            for group, own in figure.by.items()
        }
        return answer | {"group": figure.group, "by": each}
    return answer | ({"group": figure.group} if figure.group else {})


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_values_and_the_most_are_those_of_the_cards(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        cards = scorecard(domain, organisation).cards
        for measure in domain.measures:
            values = [card.figures[measure.key].value for card in cards]
            assert [v if math.isfinite(v) else None for v in cards.values(measure.key)] == values
            if len(cards):
                highest = cards.highest(measure.key).figures[measure.key].value
                assert (highest or 0.0) == max(value or 0.0 for value in values)

    holds()


def test_the_scale_is_of_those_with_enough_data():
    board = samples.dashboard(40)
    for scored in board.scorecards:
        for measure in scored.domain.measures:
            figures = [card.figures[measure.key] for card in scored.cards]
            enough = [f for f in figures if f.has_data and not f.low_sample] or figures
            known = [value for f in enough for _, value in f.series if value is not None]
            assert scored.cards.extremes(measure.key) == (min(known), max(known))


@pytest.mark.parametrize("typed", ["lodz", "ŁÓDŹ", "odz", " Łódź lo", "lodz-log", "LODZ"])
def test_a_name_is_found_as_it_is_typed(typed):
    """Without its accents and strokes, and by its slug."""
    unnamed = samples.cards(DOMAINS[0], {"payments": {}, "lodz-logistics": {}})
    cards = samples.renamed(unnamed, {"lodz-logistics": "Łódź Logistics"})
    matching = cards.matching(typed)
    assert [card.slug for card in matching] == ["lodz-logistics"]
    assert matching[0].rank == cards.find("lodz-logistics").rank
    assert cards.matching("  ") == cards


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_a_card_is_the_worst_of_its_groups(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        for card in scorecard(domain, organisation).cards:
            for figure in card.figures.values():
                if figure.by:
                    assert how_bad(figure) == max(how_bad(own) for own in figure.by.values())

    holds()


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_an_extreme_names_the_first_workspace_that_holds_it(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        board = scorecard(domain, organisation)
        for figure in board.figures.values():
            for whole in (figure.by or {None: figure}).values():
                each = [
                    (c.slug, of_group(c.figures[whole.measure.key], whole.group))
                    for c in board.cards
                ]
                extreme = whole.measure.named_by and whole.has_data
                holders = [
                    slug for slug, own in each if own and own.value == whole.value and own.has_data
                ]
                assert whole.evidence.workspace == (next(iter(holders), None) if extreme else None)

    holds()


def of_group(figure: Figure, group: str | None) -> Figure | None:
    return (figure.by or {}).get(group) if group else figure


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_a_scorecard_survives_being_kept(effort):
    @effort
    @given(some_organisation)
    def holds(made):
        domain, organisation = made
        whole = scorecard(domain, organisation)
        kept = pickle.loads(pickle.dumps(whole.cards))
        assert list(kept) == list(whole.cards)
        assert [*kept.worst_first_by(domain.measures[0].key)] == [
            *whole.cards.worst_first_by(domain.measures[0].key)
        ]
        assert pickle.loads(pickle.dumps(whole.figures)) == whole.figures

    holds()


@pytest.mark.parametrize("effort", efforts(few=15, many=100, deep=1000))
def test_a_histogram_is_its_sketches(effort):
    @effort
    @given(
        st.lists(
            st.one_of(st.none(), st.lists(st.floats(0, 1e8), max_size=9)), min_size=1, max_size=5
        ),
        st.sampled_from([0.5, 0.9]),
    )
    def holds(rows, q):
        sketches = [None if row is None else Sketch.of(row) for row in rows]
        histogram = Histogram.of(sketches)
        found = [None if math.isnan(v) else v for v in histogram.quantile(q)]
        assert found == [s.quantile(q) if s else None for s in sketches]
        assert [None if math.isnan(n) else n for n in histogram.n] == [s and s.n for s in sketches]
        whole = Sketch.merged(s for s in sketches if s).quantile(q)
        merged = histogram.merged().quantile(q)[0]
        assert whole == (None if math.isnan(merged) else merged)

    holds()


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
    usage, row = (_row_of_ones(columns) for columns in (USAGE_COLUMNS, HISTORY_COLUMNS[COMPLIANCE]))
    names = ["SOC2", "alpha", "HIPAA"]
    groups = [EncodedGroup(COMPLIANCE, n, row, {"lapse_control": n}) for n in names]
    layout = {columns.table: columns.packed for columns in COLUMNS}
    encoded = EncodedRows(1, usage, {}, groups, [])
    facts = tables([encoded], {1: "team"}, PLAN, AS_OF, layout).by_name[COMPLIANCE]
    assert list(facts.scopes) == [("team", n) for n in sorted(names)]
    assert facts.names["lapse_control"] == sorted(names)
    compliance = next(d for d in DOMAINS if d.table == COMPLIANCE)
    (card,) = roll(compliance, facts, [WorkspaceLabel("team", "Team")], PLAN).cards
    assert card.figures["pass_rate"].group == "HIPAA"
    assert list(card.figures["pass_rate"].by) == sorted(names)


def _row_of_ones(columns):
    count = len(columns.packed)
    return struct.pack(f">i{count}d", (AS_OF - ENCODED_EPOCH).days, *[1.0] * count)
