"""From facts to figures: deltas, gaps, samples, order, extremes. Small frames made by hand."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from aggregators import catalogue
from aggregators.pooling.cards import WorkspaceLabel
from aggregators.pooling.figures import Tone
from aggregators.pooling.plan import Plan
from aggregators.pooling.rollup import roll
from aggregators.pooling.snapshot_rows import SnapshotRows, number_of
from aggregators.pooling.span_facts import usage_table
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.kinds import Count, Level, Rate, Ratio
from aggregators.vocabulary.measure import HIGHER, LOWER, Status
from aggregators.vocabulary.period import rolling
from tests import samples

AS_OF = date(2026, 11, 22)
PLAN = Plan.of(rolling(28, AS_OF), AS_OF, 14)

TOY = Domain(
    key="toy",
    title="Toy",
    order=9,
    headline="rate",
    supporting=("count",),
    ties=("count",),
    workspace_page="/ws/{slug}/toy",
    measures=(
        Ratio(
            "rate",
            "Rate",
            part=("bad",),
            whole=("all",),
            better=LOWER,
            definition="d",
            watch=0.1,
            bad=0.2,
        ),
        Count("count", "Count", of="all", better=HIGHER, definition="d"),
        Rate("frequency", "Frequency", of="all", better=HIGHER, definition="d"),
        Level("level", "Level", of=("gauge",), better=LOWER, definition="d"),
    ),
)


def rolled(**workspaces: dict[date, tuple[float, float, float]]):
    """The toy domain over workspaces, from (bad, all, gauge) per snapshot day."""
    scope, day, numbers = [], [], []
    for n, days in enumerate(workspaces.values()):
        running = np.zeros(3)
        for at in sorted(days):
            running = running + np.array([1.0, *days[at][:2]])
            scope.append(n)
            day.append(number_of(at))
            numbers.append((*running, days[at][2]))
    columns = {"days_total": 0, "bad_total": 1, "all_total": 2, "gauge": 3}
    by_column = np.column_stack([np.array(numbers).T, np.full(4, np.nan)])
    rows = SnapshotRows(np.array(scope), np.array(day), by_column, columns)
    facts = usage_table(list(workspaces), PLAN, TOY.natures(), rows, {}).facts({})
    return roll(TOY, facts, [WorkspaceLabel(s, s.title()) for s in workspaces], PLAN)


def days_back(first: int, last: int, value: tuple[float, float, float]):
    """A value on each of the days ``first`` to ``last`` before the end."""
    return {AS_OF - timedelta(days=i): value for i in range(last, first + 1)}


def test_ratios_are_pooled_never_averaged():
    small, large = days_back(27, 0, (1, 1, 0)), days_back(27, 0, (0, 9, 0))
    rate = rolled(small=small, large=large).figures["rate"]
    assert rate.value == pytest.approx(28 / 280)
    assert (rate.evidence.numerator, rate.evidence.denominator) == (28, 280)


def test_a_missing_day_is_a_gap_and_not_zero():
    days = days_back(60, 0, (1, 10, 5))
    missing = AS_OF - timedelta(days=3)
    del days[missing]
    figures = rolled(a=days).figures
    assert (figures["rate"].evidence.days_seen, figures["rate"].evidence.days_expected) == (27, 28)
    assert dict(figures["rate"].series)[missing] is None
    assert dict(figures["level"].series)[missing] is None
    assert dict(figures["count"].series)[missing] is None
    assert figures["count"].value == 270
    assert figures["frequency"].value == 10


def test_the_org_saw_a_day_that_any_workspace_saw():
    days = days_back(60, 0, (1, 10, 5))
    less = {d: v for d, v in days.items() if d.day % 2}
    assert rolled(a=days, b=less).figures["rate"].evidence.days_seen == 28


def test_a_level_is_that_of_the_last_snapshot_within_the_period():
    days = {AS_OF - timedelta(days=5): (0, 1, 7), AS_OF - timedelta(days=40): (0, 1, 3)}
    assert rolled(a=days).figures["level"].value == 7
    assert rolled(a=days).figures["level"].previous == 3
    old = {AS_OF - timedelta(days=40): (0, 1, 3)}
    assert rolled(a=old).figures["level"].value is None


def test_too_few_days_before_is_no_comparison():
    enough = {**days_back(27, 0, (2, 10, 1)), **days_back(41, 28, (1, 10, 1))}
    assert rolled(a=enough).figures["rate"].delta == pytest.approx(0.1)
    few = {**days_back(27, 0, (2, 10, 1)), **days_back(40, 28, (1, 10, 1))}
    assert rolled(a=few).figures["rate"].previous == pytest.approx(0.1)
    assert rolled(a=few).figures["rate"].delta is None


def test_nothing_at_all_is_no_data():
    figures = rolled(a={AS_OF - timedelta(days=90): (1, 1, 1)}).figures
    assert all(f.value is None and f.status is Status.NO_DATA for f in figures.values())


def test_cards_come_worst_first_whatever_their_samples_and_no_data_last():
    """3 of 9 is worse than none of 12, and 1 of 2 is not worse than either of many."""
    cards = rolled(
        bad=days_back(27, 0, (3, 10, 0)),
        few=days_back(2, 0, (1, 3, 0)),
        tiny=days_back(0, 0, (1, 2, 0)),
        good=days_back(11, 0, (0, 1, 0)),
        fine=days_back(27, 0, (1, 10, 0)),
        calm=days_back(27, 0, (0, 10, 0)),
        none=days_back(27, 0, (0, 0, 0)),
    ).cards
    slugs = [card.slug for card in cards]
    assert slugs == ["bad", "few", "tiny", "fine", "good", "calm", "none"]
    assert [card.rank for card in cards] == list(range(1, 8))
    worst = cards.worst()
    assert (worst.card.slug, worst.above, worst.equal) == ("bad", 2, 0)
    assert cards[2].shrunken("rate") < cards[0].shrunken("rate") < cards[2].figures["rate"].value


def test_ties_are_broken_by_the_supporting_count_then_by_name():
    cards = rolled(
        b=days_back(27, 0, (0, 10, 0)),
        a=days_back(27, 0, (0, 10, 0)),
        c=days_back(27, 0, (0, 5, 0)),
    ).cards
    assert [c.slug for c in cards] == ["c", "a", "b"]


def test_the_order_is_total_whatever_the_input_order():
    cards = rolled(**{s: days_back(27, 0, (1, 10, 0)) for s in "dcba"}).cards
    assert [c.slug for c in cards[::-1].worst_first_by("rate")] == ["a", "b", "c", "d"]


def test_nobody_is_the_worst_at_nothing():
    calm = rolled(a=days_back(27, 0, (0, 10, 0)))
    assert calm.cards.worst() is None
    bad = rolled(a=days_back(27, 0, (1, 10, 0)), b=days_back(27, 0, (2, 10, 0)))
    assert bad.cards.worst().card.slug == "b"


@pytest.mark.parametrize(
    ("value", "previous", "change", "tone"),
    [
        (0.3, 0.1, "worse", Tone.WORSE),
        (0.19, 0.1, "worse", Tone.LIKELY_WORSE),
        (0.11, 0.1, "worse", Tone.QUIET),
        (0.1, 0.3, "better", Tone.BETTER),
        (0.1, 0.1, "same", Tone.QUIET),
        (0.1, None, "none", Tone.QUIET),
    ],
)
def test_a_test_decides_how_loud_a_change_is(value, previous, change, tone):
    tested = (100 * value, 100, 100 * (previous or 0.0), 100)
    figure = samples.figure(TOY.measure("rate"), value, previous, tested=tested)
    assert (figure.change, figure.tone) == (change, tone)


def test_infinite_burn_is_over_budget_and_worst():
    burn = catalogue.domain("slos")
    cards = samples.cards(
        burn, {"fast": {"fastest_burn": 50.0}, "over": {"fastest_burn": math.inf}, "none": {}}
    ).worst_first_by("fastest_burn")
    assert [c.slug for c in cards] == ["over", "fast", "none"]
    over = cards[0].figures["fastest_burn"]
    assert (over.value, over.over_budget, over.has_data) == (None, True, True)
    assert over.status is Status.BAD


def test_a_domain_that_contradicts_itself_does_not_load():
    with pytest.raises(ValueError, match="no measure nowhere"):
        Domain(
            key="x",
            title="X",
            order=1,
            headline="nowhere",
            supporting=(),
            measures=(),
            workspace_page="",
        )
    with pytest.raises(ValueError, match="is both"):
        Domain(
            key="x",
            title="X",
            order=1,
            headline="a",
            supporting=(),
            workspace_page="",
            measures=(
                Count("a", "A", of="f", better=LOWER, definition=""),
                Level("b", "B", of=("f",), better=LOWER, definition=""),
            ),
        )


def test_no_figure_is_ever_nan():
    for figure in rolled(a=days_back(3, 0, (0, 0, 0))).figures.values():
        for value in (figure.value, figure.previous, figure.delta, figure.evidence.n):
            assert value is None or math.isfinite(value)
