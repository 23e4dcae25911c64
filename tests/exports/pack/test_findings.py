"""Words and scales of the board pack: findings, file names, thresholds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aggregators import catalogue, words
from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.pooling.groups import has_dropped
from aggregators.vocabulary.measure import Status, Unit
from aggregators.vocabulary.scales import ends
from exports.pack.charts import scale, tick_words
from exports.pack.finding import finding, status_figure
from exports.pack.outline import file_name
from layouts.pieces.sparkline import scale_of
from tests import samples
from tests.exports.pack.packs import AT, pack, texts

SLOS = catalogue.domain("slos")


def in_budget(dashboard: Dashboard, *shares: float) -> str:
    """The page of the objectives where the workspaces keep so many of theirs."""
    assert SLOS.measures[0].key == SLOS.headline
    scorecard = samples.with_headline(dashboard.scorecard("slos"), 0.9, 0.9, shares)
    return texts(pack(replace(dashboard, scorecards=(scorecard,))))[1]


def test_who_stands_at_the_best_is_not_among_the_worst():
    many = samples.only(samples.dashboard(24), 20)
    page = in_budget(many, 0.5, 0.75, *[1.0] * 18)
    assert "2 worst of 20 workspaces" in page
    assert "18 more workspaces in the appendix: 18 at 100.0 %" in page
    assert "The worst of 20 workspaces" in in_budget(many, 0.5, *[1.0] * 19)
    page = in_budget(many, *[1.0] * 20)
    assert "No workspace stands out" in page
    assert "20 workspaces in the appendix: 20 at 100.0 %" in page


@pytest.mark.parametrize(
    ("now", "before", "alarm"),
    [(0.85, 0.9, False), (0.849, 0.9, True), (0.9, 0.85, False), (0.8, None, False)],
)
def test_a_drop_alerts_strictly_past_the_limit(now, before, alarm):
    domain = next(d for d in DOMAINS if d.drop_alert == 0.05)
    figure = samples.figure(domain.measure(domain.headline), now, before)
    assert has_dropped(figure, domain) is alarm


def test_file_name():
    assert file_name(AT) == "vigilo-executive-20261123.pdf"


DORA = DOMAINS[0]


def card_of(dashboard: Dashboard, now, before, *, comparable=True) -> Scorecard:
    values = [0.1, 0.2][: len(dashboard.scope.slugs)]
    return samples.with_headline(
        dashboard.scorecard(DORA.key), now, before, values, comparable=comparable
    )


def test_finding(dashboard):
    assert finding(card_of(dashboard, 0.142, 0.1)).startswith(
        "Change failure rate rose by 4.2 points to 14.2 %; "
    )
    assert finding(card_of(dashboard, 0.142, 0.2)).startswith(
        "Change failure rate fell by 5.8 points to 14.2 %; "
    )
    assert "held at 14.2 %" in finding(card_of(dashboard, 0.142, 0.1422))
    fresh = finding(card_of(dashboard, 0.142, None))
    assert "14.2 %" in fresh
    assert "rose" not in fresh
    assert "fell" not in fresh
    assert "no data in this period" in finding(card_of(dashboard, None, None))
    worst = card_of(dashboard, 0.142, 0.1)
    first = worst.cards.worst()
    assert first.above
    assert f"{first.card.name} is ranked worst (10.0 %)" in finding(worst)
    alone = replace(worst, cards=worst.cards[:1])
    assert "worst" not in finding(alone)


@pytest.mark.parametrize(
    ("now", "before", "values", "title"),
    [
        (0.084, 0.085, [0.31, 0.05], "w is worst (31.0 %); change failure rate fell by 0.1 points"),
        (0.084, 0.16, [0.31, 0.05], "Change failure rate fell by 7.6 points to 8.4 %; w is worst"),
        (0.084, 0.085, [0.06, 0.05], "Change failure rate fell by 0.1 points to 8.4 %"),
        (0.2, 0.1, [0.31, 0.05], "Change failure rate rose by 10.0 points to 20.0 %"),
    ],
)
def test_the_title_is_what_matters_most(dashboard, now, before, values, title):
    """Seen: a title that celebrated 0.1 points while a workspace stood at 31 %."""
    scorecard = samples.with_headline(dashboard.scorecard(DORA.key), now, before, values)
    tested = (1000 * now, 1000, 1000 * before, 1000)
    head = samples.figure(DORA.measure(DORA.headline), now, before, tested=tested)
    scorecard = replace(scorecard, figures={**scorecard.figures, DORA.headline: head})
    assert finding(scorecard, lambda card: "w").startswith(title)


def test_finding_names_group_and_measure_where_they_differ(dashboard):
    """A domain with groups names the group, one that ranks its worst otherwise names by what."""
    for scorecard in dashboard.scorecards:
        said = finding(scorecard)
        head, by = scorecard.headline, scorecard.domain.worst_by
        if head.has_data and head.group:
            assert f"{head.measure.title[1:]} ({head.group})" in said
        if head.has_data and by and by != scorecard.domain.headline:
            title = scorecard.domain.measure(by).title
            assert f"is worst ({title[0].lower()}{title[1:]} " in said


def test_a_domain_stands_as_its_headline_or_as_the_worst_beside_it(dashboard):
    judged = replace(DORA.measure(DORA.headline), watch=0.1, bad=0.2)
    free = replace(judged, watch=None, bad=None)
    scorecard = card_of(dashboard, 0.15, 0.1)

    def as_measured_by(measure):
        head = samples.figure(measure, 0.15, 0.1)
        shown = {**scorecard.figures, DORA.headline: head}
        return status_figure(replace(scorecard, figures=shown))

    assert as_measured_by(judged).status is Status.WATCH
    other = as_measured_by(free)
    assert other.measure.key in {*DORA.supporting, *free.beside}
    assert other.measure.bad is not None


def test_the_pack_and_the_page_draw_on_one_scale():
    """Seen: 1.9 points were a cliff on the cover and flat on the screen."""
    series = [(AT.date(), value) for value in (0.97, 0.989)]
    shown = samples.figure(DORA.measure(DORA.headline), 0.989, 0.97, series=series)
    assert scale_of([shown]) == (0.0, 0.989) == ends([0.97, 0.989])
    axis = scale([0.97, 0.989], Unit.RATIO)
    assert (axis.low, round(axis.high, 6)) == (0.0, 1.0)


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize(
    "values", [[0.0], [0.94, 0.96], [1.0, 1.0], [0.0, 0.003], [3.0, 41.0], [4e3, 9e5], [-0.4, 0.3]]
)
def test_a_scale_holds_the_values_and_its_ticks_differ(unit, values):
    of = scale(values, unit)
    assert of.low <= min(values) + 1e-9
    assert of.high >= max(values) - 1e-9
    assert 1 <= of.steps <= 7
    ticks = tick_words(of, unit)
    assert len(set(ticks)) == len(ticks)


def test_thresholds_in_words():
    assert words.thresholds(DORA.measure("change_failure_rate")) == (
        "Watch at 10.0 % or more, off target at 15.0 % or more"
    )
    assert words.thresholds(DORA.measure("deployments")) == ""


def test_titles_of_figures_with_a_framework_stand_whole():
    """The left column is narrow: a long title is set smaller before it is cut."""
    dashboard = samples.dashboard(40)
    at = next(n for n, s in enumerate(dashboard.scorecards, 1) if s.domain.key == "compliance")
    assert "Controls assessed, ISO27001" in texts(pack(dashboard))[at]
