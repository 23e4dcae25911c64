"""Contributions of workspaces: exact over random organisations, and examples worked by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.catalogue import DOMAINS
from aggregators.pooling.contributions import (
    CONTRIBUTION,
    VALUE,
    Contribution,
    contributions,
    in_order,
    orders_of,
    parts,
)
from aggregators.vocabulary import effects
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.kinds import Count, Level, Mean, Quantile, Rate, Ratio
from aggregators.vocabulary.measure import DAYS_SEEN, HIGHER, LEVEL_MAX, LEVEL_MIN, LOWER, Measure
from aggregators.vocabulary.sketch import Sketch
from tests.aggregators.organisations import organisations, scorecard
from tests.deep import efforts, examples

FIGURE = {"better": LOWER, "definition": "d"}
KINDS: dict[str, Measure] = {
    "count": Count("m", "M", of="x", **FIGURE),
    "level": Level("m", "M", of=("x", "y"), **FIGURE),
    "highest": Level("m", "M", of=("x",), over=LEVEL_MAX, **FIGURE),
    "lowest": Level("m", "M", of=("x",), over=LEVEL_MIN, **FIGURE),
    "rate": Rate("m", "M", of="x", **FIGURE),
    "ratio": Ratio("m", "M", part=("x",), whole=("y",), **FIGURE),
    "census": Ratio("m", "M", part=("x",), whole=("x", "y"), at_end=True, **FIGURE),
    "mean": Mean("m", "M", total="x", count="y", **FIGURE),
    "median": Quantile("m", "M", of="s", q=0.5, **FIGURE),
    "p90": Quantile("m", "M", of="s", q=0.9, **FIGURE),
}


def domain(measure: Measure) -> Domain:
    return Domain(
        key="toy",
        title="Toy",
        order=9,
        headline="m",
        supporting=(),
        workspace_page="/ws/{slug}/toy",
        measures=(measure,),
    )


def org(measure: Measure, now: dict[str, dict], before: dict[str, dict], seen=None):
    """A scorecard from the facts of each workspace; one that is missing saw no day."""
    slugs = sorted({*now, *before})
    sides = {
        (s, ""): tuple({DAYS_SEEN: 28.0} | p[s] if s in p else None for p in (now, before))
        for s in slugs
    }
    return scorecard(domain(measure), sides, seen)


def moved(measure: Measure, after: dict[str, dict], earlier: dict[str, dict], **seen: int):
    """The contributions by slug; ``now`` and ``before`` the days that the organisation saw."""
    card = org(measure, after, earlier, seen)
    found = contributions(card, "m")
    exact(found, card.headline)
    return {c.slug: c for c in found}


def exact(found: tuple[Contribution, ...], figure) -> None:
    """The totals add up to the delta, rate and mix to each total."""
    if figure.delta is None:
        assert found == ()
        return
    size = max(abs(figure.value), abs(figure.previous), *(abs(c.total) for c in found), 1e-300)
    assert math.isclose(math.fsum(c.total for c in found), figure.delta, abs_tol=1e-9 * size)
    for c in found:
        assert math.isfinite(c.total)
        assert (c.rate is None) == (c.mix is None)
        if c.rate is not None:
            assert math.isclose(c.rate + c.mix, c.total, abs_tol=1e-9 * size)


MANY = examples(quick=15, deep=300)


@MANY
@given(st.data(), st.sampled_from(DOMAINS), st.integers(14, 28), st.integers(14, 28))
def test_they_add_up_for_every_declared_measure(data, declared, now, before):
    card = scorecard(declared, data.draw(organisations(declared)), {"now": now, "before": before})
    for key, figure in card.figures.items():
        exact(contributions(card, key), figure)
        for group, of_group in (figure.by or {}).items():
            exact(contributions(card, key, group), of_group)


@MANY
@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_they_add_up_for_every_kind(data, kind):
    declared = domain(KINDS[kind])
    card = scorecard(declared, data.draw(organisations(declared)))
    exact(contributions(card, "m"), card.headline)


distributions = st.lists(
    st.one_of(st.none(), st.lists(st.integers(0, 40), max_size=9).map(Sketch.of)), min_size=1
)


@MANY
@given(st.lists(st.tuples(*[st.one_of(st.none(), st.lists(st.integers(0, 40)))] * 2), min_size=1))
@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_quantiles_of_few_durations_add_up_too(q, pairs):
    now, before = (
        [None if s is None else Sketch.of(s) for s in side] for side in zip(*pairs, strict=True)
    )
    merged = [Sketch.merged(s for s in side if s) for side in (now, before)]
    if all(m.n for m in merged):
        end, start = (m.quantile(q) for m in merged)
        total = effects.quantile(now, before, q).total
        assert np.isfinite(total).all()
        assert math.isclose(total.sum(), end - start, abs_tol=1e-9 * (1 + abs(total).max()))


def test_a_count_is_each_ones_own_difference():
    found = moved(KINDS["count"], {"a": {"x": 7}, "b": {"x": 2}}, {"a": {"x": 4}, "b": {"x": 3}})
    assert {s: c.total for s, c in found.items()} == {"a": 3, "b": -1}
    assert found["a"].rate is found["a"].mix is None


def test_a_level_adds_up_its_facts_and_counts_the_absent_as_nothing():
    now, before = {"a": {"x": 5, "y": 1}}, {"a": {"x": 5, "y": 0}, "b": {"x": 2, "y": 1}}
    assert {s: c.total for s, c in moved(KINDS["level"], now, before).items()} == {"a": 1, "b": -3}


def test_a_rate_is_over_the_days_that_the_organisation_saw():
    """56 in 28 days less 40 in 20; b's 10 in 20 days are gone."""
    now = {"a": {"x": 56}}
    before = {"a": {"x": 40, DAYS_SEEN: 14.0}, "b": {"x": 10, DAYS_SEEN: 20.0}}
    found = moved(KINDS["rate"], now, before, now=28, before=20)
    assert {s: c.total for s, c in found.items()} == {"b": -0.5}
    assert moved(KINDS["rate"], now, before, now=14, before=20)["a"].total == pytest.approx(2)


def test_a_ratio_splits_into_rate_and_mix():
    """a: 1/10 -> 3/10 at weights 1/2 -> 1/4; b: 2/10 -> 6/30 at weights 1/2 -> 3/4. The
    organisation's ratio goes from 0.15 to 0.225, its mean is 0.1875."""
    now, before = (
        {"a": {"x": 3, "y": 10}, "b": {"x": 6, "y": 30}},
        {"a": {"x": 1, "y": 10}, "b": {"x": 2, "y": 10}},
    )
    found = moved(KINDS["ratio"], now, before)
    assert found["a"].rate == pytest.approx(0.375 * 0.2)
    assert found["a"].mix == pytest.approx(-0.25 * (0.2 - 0.1875))
    assert found["b"].rate == pytest.approx(0)
    assert found["b"].mix == pytest.approx(0.25 * (0.2 - 0.1875))
    assert list(found) == ["a", "b"]


def test_a_mean_splits_as_a_ratio_does():
    """a: 100 s -> 300 s of one incident each time; b: 200 s throughout, 1 -> 3 incidents."""
    now, before = (
        {"a": {"x": 300, "y": 1}, "b": {"x": 600, "y": 3}},
        {"a": {"x": 100, "y": 1}, "b": {"x": 200, "y": 1}},
    )
    found = moved(KINDS["mean"], now, before)
    assert found["a"].rate == pytest.approx(0.375 * 200)
    assert found["b"].rate == 0
    assert found["b"].mix == pytest.approx(0.25 * (200 - 187.5))


@pytest.mark.parametrize("kind", ["ratio", "mean"])
def test_who_is_there_in_one_period_only_contributes_mix(kind):
    """b comes with 4/10 beside a's 1/10: 0.1 -> 0.25, the mean is 0.175. And goes again."""
    alone, both = {"a": {"x": 1, "y": 10}}, {"a": {"x": 1, "y": 10}, "b": {"x": 4, "y": 10}}
    came, went = moved(KINDS[kind], both, alone), moved(KINDS[kind], alone, both)
    assert (came["b"].rate, came["a"].rate) == (0, 0)
    assert came["b"].mix == pytest.approx(0.5 * (0.4 - 0.175))
    assert came["a"].mix == pytest.approx(-0.5 * (0.1 - 0.175))
    assert went["b"].mix == pytest.approx(-came["b"].mix)
    idle = both | {"b": {"x": 0, "y": 0}}
    assert moved(KINDS[kind], both, idle) == came


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ({"a": 10, "b": 15}, {"a": 10, "b": 3}, {"b": 5}),
        ({"a": 2, "b": 15}, {"a": 10, "b": 3}, {"b": 5}),
        ({"a": 2, "b": 7}, {"a": 10, "b": 3}, {"a": -3}),
        ({"b": 7}, {"a": 10, "b": 3}, {"a": -3}),
        ({"a": 2, "b": 3, "c": 3}, {"a": 9, "b": 9, "c": 3}, {"a": -3, "b": -3}),
        ({"a": 9, "b": 1}, {"a": 1, "b": 9}, {}),
    ],
)
def test_an_extreme_belongs_to_who_took_it_or_who_left_it(now, before, expected):
    def side(values: dict[str, float], sign: int) -> dict[str, dict]:
        return {s: {"x": sign * v} for s, v in values.items()}

    for kind, sign in (("highest", 1), ("lowest", -1)):
        found = moved(KINDS[kind], side(now, sign), side(before, sign))
        assert {s: c.total for s, c in found.items()} == {s: sign * v for s, v in expected.items()}


def test_an_extreme_is_of_one_fact():
    with pytest.raises(ValueError, match="of one fact"):
        Level("m", "M", of=("x", "y"), over=LEVEL_MAX, **FIGURE)


def test_a_quantile_belongs_to_whose_share_beyond_it_changed():
    """b's durations go from short to long; a's stay where they are."""
    steady, short, long = ([60.0] * 4 + [6000.0] * 4, [60.0] * 5, [6000.0] * 5)
    now = {"a": {"s": Sketch.of(steady)}, "b": {"s": Sketch.of(long)}}
    before = {"a": {"s": Sketch.of(steady)}, "b": {"s": Sketch.of(short)}}
    found = moved(KINDS["median"], now, before)
    assert set(found) == {"b"}
    assert found["b"].mix == pytest.approx(0)
    assert found["b"].total == pytest.approx(6000 - 60, rel=0.02)


def test_a_quantile_counts_weights_as_mix():
    """Nobody's durations change; the slow workspace does more."""
    now = {"a": {"s": Sketch.of([60.0] * 4)}, "b": {"s": Sketch.of([6000.0] * 9)}}
    before = {"a": {"s": Sketch.of([60.0] * 4)}, "b": {"s": Sketch.of([6000.0] * 2)}}
    found = moved(KINDS["median"], now, before)
    assert all(c.rate == 0 for c in found.values())
    assert all(c.mix > 0 for c in found.values())


def test_the_largest_comes_first_then_the_worse_then_the_slug():
    now = {s: {"x": v} for s, v in {"a": 8, "b": 2, "c": 3, "d": 5}.items()}
    before = {s: {"x": v} for s, v in {"a": 1, "b": 4, "c": 1, "d": 3}.items()}
    assert list(moved(KINDS["count"], now, before)) == ["a", "c", "d", "b"]
    better = replace(KINDS["count"], better=HIGHER)
    assert list(moved(better, now, before)) == ["a", "b", "c", "d"]


def test_without_a_comparison_nothing_contributes():
    measure, some = KINDS["ratio"], {"a": {"x": 1, "y": 10}}
    for now, before in (({}, some), (some, {}), (some, {"a": {"x": 0, "y": 0}})):
        assert contributions(org(measure, now, before), "m") == ()
    few = {"a": {"x": 1, "y": 10, DAYS_SEEN: 13.0}}
    assert org(measure, some, few).headline.previous == 0.1
    assert contributions(org(measure, some, few), "m") == ()
    assert contributions(replace(org(measure, some, some), facts=None), "m") == ()


def test_what_offsets_is_told_even_when_the_figure_stands_still():
    now, before = {"a": {"x": 3}, "b": {"x": 1}}, {"a": {"x": 1}, "b": {"x": 3}}
    assert {s: c.total for s, c in moved(KINDS["count"], now, before).items()} == {"a": 2, "b": -2}


def test_a_domain_with_groups_is_told_of_the_group_that_its_figure_is_of():
    declared = next(d for d in DOMAINS if d.by)
    zero = dict.fromkeys(declared.natures(), 0.0) | {DAYS_SEEN: 28.0}

    def controls(good: float, bad: float) -> dict[str, object]:
        return zero | {"compliant": good, "non_compliant": bad}

    card = scorecard(
        declared,
        {
            ("a", "HIPAA"): (controls(9, 1), controls(2, 8)),
            ("a", "SOC2"): (controls(5, 5), controls(8, 2)),
            ("b", "SOC2"): (controls(8, 2), controls(8, 2)),
        },
    )
    assert card.headline.group == "SOC2"
    found = contributions(card, "pass_rate")
    assert [(c.slug, pytest.approx(c.total)) for c in found] == [("a", -0.15)]
    assert [c.slug for c in contributions(card, "pass_rate", "HIPAA")] == ["a"]
    with pytest.raises(KeyError):
        contributions(card, "pass_rate", "ISO27001")


def test_a_thousand_workspaces_add_up_too():
    rng = np.random.default_rng(3)
    now, before = (
        {f"w{i:04d}": {"s": Sketch.of(rng.lognormal(mean, 2, 20))} for i in range(1000)}
        for mean in (9, 8)
    )
    assert len(moved(KINDS["p90"], now, before)) > 900


some_organisation = st.sampled_from(DOMAINS).flatmap(
    lambda domain: organisations(domain).map(lambda made: scorecard(domain, made))
)


@pytest.mark.parametrize("effort", efforts(few=15, many=50, deep=500))
def test_parts_from_tables_are_those_from_facts(effort):
    """A scorecard that was kept has no facts; its tables give the same."""

    @effort
    @given(some_organisation)
    def holds(card):
        for measure in card.domain.measures:
            shares = parts(card, measure.key)
            if measure.kind == "quantile" or card.figures[measure.key].delta is None:
                assert shares is None
                assert orders_of(card, measure.key) == (VALUE,)
                continue
            told = {c.slug: c.total for c in contributions(card, measure.key)}
            for workspace, share in zip(card.cards, shares, strict=True):
                assert share == pytest.approx(told.get(workspace.slug, 0.0), abs=1e-9)
            assert orders_of(card, measure.key) == (VALUE, CONTRIBUTION)

    holds()


@pytest.mark.parametrize("effort", efforts(few=15, many=50, deep=500))
def test_by_contribution_the_largest_part_in_what_got_worse_stands_first(effort):
    @effort
    @given(some_organisation)
    def holds(card):
        for measure in card.domain.measures:
            ranked = in_order(card, measure.key, CONTRIBUTION)
            assert [c.rank for c in ranked] == list(range(1, len(card.cards) + 1))
            told = [c.part for c in ranked]
            if parts(card, measure.key) is None:
                assert list(ranked) == list(card.cards.worst_first_by(measure.key))
                assert set(told) <= {None}
            else:
                worse = [measure.badness(part) for part in told]
                assert worse == sorted(worse, reverse=True)
                assert [c.part for c in ranked[1:]] == told[1:]

    holds()
