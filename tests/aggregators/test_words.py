"""Sentences about a figure: its change, its series."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from aggregators import catalogue, words
from aggregators.pooling.cards import Cards
from aggregators.pooling.dashboard import DashboardScope, Scorecard
from aggregators.vocabulary.kinds import Count, Level, Ratio
from aggregators.vocabulary.measure import HIGHER, LOWER, Unit
from tests import samples
from tests.samples import figure

RATE = Ratio("r", "Rate", part=("a",), whole=("b",), better=LOWER, definition="")
OPEN = Count("o", "Open", of="o", better=LOWER, definition="")
STANDING = Level("s", "Standing", of=("o",), better=LOWER, definition="")
FAST = Count("f", "Frequency", of="o", better=HIGHER, definition="", unit=Unit.PER_DAY)


@pytest.mark.parametrize(
    ("measure", "value", "previous", "text"),
    [
        (RATE, 0.142, 0.111, "+3.1 pts · too few to tell"),
        (RATE, 0.1, 0.15, "−5.0 pts · too few to tell"),
        (RATE, 0.1, 0.1, "No change"),
        (RATE, 0.1003, 0.1, "No change"),
        (STANDING, 12, 8, "+4 · worse"),
        (STANDING, 8, 12, "−4 · better"),
        (STANDING, 4, 0, "+4, from 0 · worse"),
        (OPEN, 4, None, "no earlier data"),
        (OPEN, None, 4, "–"),
        (FAST, 1.1, 0.9, "+0.2 / day · too few to tell"),
        (FAST, 0.9, 1.1, "−1.4 / week · too few to tell"),
    ],
)
def test_changes(measure, value, previous, text):
    assert words.change(figure(measure, value, previous)) == text


def test_the_test_is_told_in_a_sentence_with_numbers():
    shown = figure(RATE, 0.3, 0.1, tested=(30, 100, 10, 100))
    assert words.test_sentence(shown) == (
        "3.6 standard errors from the period before (binomial deviance, scatter 1.0 times chance):"
        " as much in 1 of 3,162 periods where nothing changed."
    )
    assert words.test_sentence(figure(STANDING, 3, 2)).startswith("Certain: counted completely")
    assert words.test_sentence(figure(RATE, 0.3)) == ""


def test_a_sparkline_in_words():
    series = ((date(2026, 1, 1), 0.09), (date(2026, 1, 2), None), (date(2026, 1, 3), 0.14))
    assert words.spark(figure(RATE, series=series, days=28)) == (
        "Rate, 28 days: 9.0 % to 14.0 %, low 9.0 %, high 14.0 %"
    )
    assert words.spark(figure(RATE)) == "Rate: no data"


def test_units_do_not_change_within_a_line():
    """Seen: "2.3 / day, +1.2 / week", and a sparkline from "6.3 / week" to "2.3 / day"."""
    days = [date(2026, 11, 1 + n) for n in range(3)]
    busy = samples.figure(FAST, 2.3, 0.9, series=list(zip(days, (0.9, 2.3, 0.4), strict=True)))
    assert (words.figure(busy), words.delta(busy)) == ("2.3 / day", "+1.4 / day")
    assert words.previous_value(busy) == "0.9 / day"
    assert words.spark(busy).endswith("0.9 / day to 0.4 / day, low 0.4 / day, high 2.3 / day")


def scope(**left_out: int) -> DashboardScope:
    return DashboardScope(
        left_out={reason: ("Team",) * count for reason, count in left_out.items()}
    )


@pytest.mark.parametrize(
    ("left_out", "why"),
    [
        ({"inactive": 3}, "You are platform admin on 3 workspaces: all inactive."),
        ({"other_region": 2}, "You are platform admin on 2 workspaces: all in another region."),
        ({"inactive": 1}, "The only workspace where you are platform admin is inactive."),
        (
            {"inactive": 1, "other_region": 2},
            "You are platform admin on 3 workspaces: 1 inactive and 2 in another region.",
        ),
    ],
)
def test_no_workspace_in_scope_has_its_true_cause(left_out, why):
    assert words.why_no_scope(scope(**left_out)) == why


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"a": (0.79, 0.9), "b": (0.9, 0.9)}, "1 workspace dropped by 11.0 points"),
        ({"a": (0.79, 0.9), "b": (0.8, 0.9)}, "2 workspaces dropped by up to 11.0 points"),
        ({"a": (0.86, 0.9), "b": (0.9, 0.9)}, ""),
        ({"a": (0.99, 0.9), "b": (0.9, 0.9)}, ""),
        ({"a": (0.7, 0.9)}, ""),
    ],
)
def test_a_tile_says_what_its_domain_hides(changes, told):
    """Seen: "No change", while one workspace had dropped by 11 points."""
    domain = replace(catalogue.domain("slos"), drop_alert=0.05)
    key = domain.headline
    now = samples.cards(domain, {slug: {key: pair[0]} for slug, pair in changes.items()})
    table = now.grid.tables[key]
    before = table.before.value.copy()
    before[now.rows(key)] = [changes[w.slug][1] for w in now.workspaces]
    seen = np.full_like(before, 28.0)
    table = replace(table, before=replace(table.before, value=before), seen_before=seen)
    grid = replace(now.grid, tables={**now.grid.tables, key: table})
    cards = Cards(grid, now.query, now.members)
    still = samples.figure(domain.measure(key), 0.85, 0.85)
    assert words.hidden_moves(Scorecard(domain, {key: still}, cards)) == told


def drifts(measure, since: date | None):
    shown = figure(measure, 0.3)
    shown.table.drifts.update({} if since is None else {0: since})
    return shown


def test_no_day_of_a_drift_is_told_twice():
    first, second = date(2026, 11, 3), date(2026, 11, 5)
    other = replace(RATE, key="q", title="Lead time, median", part=("c",))
    third = replace(RATE, key="t", title="MTTR", part=("d",))
    told = [drifts(RATE, first), drifts(other, first), drifts(third, second)]
    assert words.drifting(told) == (
        "Drifting since 3 Nov 2026, with lead time, median; MTTR since 5 Nov 2026"
    )
    assert words.drifting(told[:1]) == "Drifting since 3 Nov 2026"
    assert words.drifting([drifts(RATE, None), *told[1:]]) == (
        "Lead time, median drifting since 3 Nov 2026; MTTR since 5 Nov 2026"
    )
    assert words.drifting([drifts(RATE, None)]) == ""
