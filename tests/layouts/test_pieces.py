"""Each piece of the page is a pure function of figures: rising, falling, flat, missing, reversed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest
from dash import dcc
from dash.development.base_component import Component
from markupsafe import Markup
from plotly.utils import PlotlyJSONEncoder

from aggregators.catalogue import DOMAINS
from aggregators.pooling import groups
from aggregators.pooling.dashboard import Answer
from aggregators.pooling.groups import has_dropped
from aggregators.vocabulary.kinds import Ratio
from aggregators.vocabulary.measure import HIGHER, LOWER, Unit
from aggregators.vocabulary.period import InvalidPeriod
from layouts import focus
from layouts.executive.answers import EVIDENCE, evidence_rows, sentence
from layouts.executive.expansion import expansion, next_pieces
from layouts.executive.page import page, stale_notice
from layouts.focus import Focus, parse
from layouts.pieces import sparkline
from layouts.pieces.chart import COLOURS, LAYOUT, comparison_chart
from layouts.pieces.markup import html, markup
from layouts.pieces.parts import pill
from layouts.pieces.sparkline import HEIGHT, PAD, runs, scale_of
from layouts.rules import PageRules
from layouts.shell import shell
from tests.samples import dashboard, figure

LOW = Ratio("r", "Rate", part=("a",), whole=("b",), better=LOWER, watch=0.1, bad=0.2, definition="")
HIGH = Ratio(
    "h", "Rate", part=("a",), whole=("b",), better=HIGHER, watch=0.9, bad=0.8, definition=""
)
DAY = date(2026, 1, 1)
RULES = PageRules(DAY, None)


def text_of(component) -> str:
    """Everything that a person would read, in order."""
    if component is None:
        return ""
    if isinstance(component, Markup):
        return words_in(component)
    if isinstance(component, str | int | float):
        return str(component)
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(text_of, component)))
    if held := getattr(component, "data-markup", ""):
        return words_in(held)
    return text_of(getattr(component, "children", None))


def words_in(markup_: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "\n", markup_)).split("\n"))


def every(component):
    """Components and text, in order."""
    if isinstance(component, list | tuple):
        for piece in component:
            yield from every(piece)
    elif component is not None:
        yield component
        yield from every(getattr(component, "children", None))


def plain(component) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder)


@pytest.mark.parametrize(
    ("measure", "n", "value", "previous", "shape", "says"),
    [
        (LOW, 100, 0.3, 0.1, "pill-worse", "▲ +20.0 pts · worse"),
        (LOW, 40, 0.3, 0.1, "pill-likely-worse", "▲ +20.0 pts · likely worse"),
        (LOW, 100, 0.15, 0.1, "pill-quiet", "▲ +5.0 pts · within noise"),
        (LOW, 2, 0.5, 0.1, "pill-quiet", "▲ +40.0 pts · too few to tell"),
        (LOW, 100, 0.1, 0.3, "pill-better", "▼ −20.0 pts · better"),
        (HIGH, 100, 0.7, 0.9, "pill-worse", "▼ −20.0 pts · worse"),
        (HIGH, 100, 0.95, 0.9, "pill-quiet", "▲ +5.0 pts · within noise"),
        (LOW, 100, 0.1, 0.1, "pill-quiet", "No change"),
        (LOW, 100, 0.1, None, "pill-quiet", "no earlier data"),
    ],
)
def test_a_change_has_a_shape_an_arrow_and_a_word(measure, n, value, previous, shape, says):
    tested = (value * n, n, (previous or 0) * n, n)
    made = pill(figure(measure, value, previous, tested=tested))
    assert shape in made
    assert " ".join(text_of(made).split()) == says


def series(*values):
    return tuple((DAY + timedelta(days=i), v) for i, v in enumerate(values))


def test_a_sparkline_breaks_where_a_day_is_missing():
    assert [len(r) for r in runs(series(1, 2, None, 3), (0, 3))] == [2, 1]
    assert runs(series(None, None), (0, 1)) == []


def test_higher_values_stand_higher_on_the_common_scale():
    (points,) = runs(series(0, 5, 10), (0, 10))
    assert [round(y, 1) for _, y in points] == [HEIGHT - PAD, HEIGHT / 2, PAD]
    small, large = figure(LOW, series=series(0.1)), figure(LOW, series=series(0.4))
    assert scale_of([small, large]) == (0.0, 0.4)
    assert scale_of([figure(LOW)]) == (0.0, 1.0)


def test_a_sparkline_speaks():
    made = sparkline.sparkline(figure(LOW, series=series(0.1, 0.3)))
    (said,) = re.findall(r'role="img" [^>]*aria-label="([^"]*)"', made)
    assert "10.0 % to 30.0 %" in said


@pytest.mark.parametrize(
    ("before", "now", "alarm"), [(0.9, 0.85, False), (0.9, 0.8499, True), (0.8, 0.9, False)]
)
def test_only_a_drop_of_strictly_more_than_five_points_alarms(before, now, alarm):
    domain = next(d for d in DOMAINS if d.drop_alert)
    assert has_dropped(figure(domain.measure(domain.headline), now, before), domain) is alarm


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.key)
@pytest.mark.parametrize("mode", ["cards", "table"])
def test_every_domain_opens_ranked_by_each_of_its_measures(domain, mode):
    shown = dashboard(30)
    for measure in domain.measures:
        made = expansion(shown, Focus(domain.key, measure.key, mode=mode))
        said = text_of(made)
        assert f"{domain.title} by workspace" in said
        assert "24 of 30" in said
        assert "NaN" not in plain(made)


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.key)
@pytest.mark.parametrize("mode", ["cards", "table"])
def test_the_next_workspaces_come_alone_and_in_the_same_order(domain, mode):
    shown = dashboard(80)
    order = shown.scorecard(domain.key).cards.worst_first_by(domain.headline)
    slugs = [c.slug for c in order]
    first = expansion(shown, Focus(domain.key, domain.headline, mode=mode))
    last = next_pieces(shown, Focus(domain.key, domain.headline, 72, mode=mode))
    middle = next_pieces(shown, Focus(domain.key, domain.headline, 24, mode=mode))
    pieces = [
        plain(first),
        plain(getattr(middle, "data-pieces")),
        plain(getattr(last, "data-pieces")),
    ]
    for i, (start, end) in enumerate(((0, 24), (24, 72), (72, 80))):
        assert [s for s in slugs if f"/ws/{s}/" in pieces[i]] == slugs[start:end]
    assert (getattr(middle, "data-then"), getattr(last, "data-then")) == ("72", "")
    assert getattr(middle, "data-said") == "72 of 80"
    assert plain(getattr(middle, "data-order")).strip('"') in pieces[0]


def test_another_ranking_period_or_search_is_another_order():
    shown = dashboard(12)
    looks = [Focus("dora", "mttr"), Focus("dora", "deployments"), Focus("dora", "mttr", find="a"),
             Focus("dora", "mttr", mode="table"), Focus("slos", "fastest_burn")]  # fmt: skip
    orders = [getattr(next_pieces(shown, look), "data-order") for look in looks]
    orders.append(getattr(next_pieces(replace(shown, version="2"), looks[0]), "data-order"))
    assert len(set(orders)) == len(orders)


def test_what_is_drawn_as_text_can_not_be_markup():
    name = """</article><script>alert("1")</script>'&"""
    made = markup(html.A(name, href=f"/{name}", title=name, style={"width": f'1px"{name}'}))
    assert "<script" not in made
    (found,) = ElementTree.fromstring(f"<p>{made}</p>")
    assert (found.text, found.get("href"), found.get("title")) == (name, f"/{name}", name)


def test_text_has_no_place_for_what_dash_draws():
    made = markup([html.Div(html.Br(), hidden=True, tabIndex="0"), None, html.P(title=None), 3])
    assert made == '<div hidden="" tabindex="0"><br></div><p></p>3'
    with pytest.raises(TypeError, match="Graph"):
        html.Div(dcc.Graph())


@pytest.mark.parametrize("mode", ["cards", "table"])
@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.key)
def test_dash_is_given_no_html_to_show_as_words(domain, mode):
    shown = dashboard(30)
    pinned = tuple(c.slug for c in shown.scorecard(domain.key).cards[:2])
    look = Focus(domain.key, domain.headline, mode=mode, pins=pinned)
    for piece in every([page(shown, look).at(shown.now), next_pieces(shown, look), shell(RULES)]):
        assert not isinstance(piece, Markup)
        for value in vars(piece).values() if isinstance(piece, Component) else ():
            assert not isinstance(value, Markup), piece


def test_plotly_takes_the_chart():
    measure = DOMAINS[0].measures[0]
    figures = [(f"W{i}", figure(measure, series=series(0.1, None, 0.3))) for i in range(4)]
    (graph,) = (p for p in every(comparison_chart(measure, figures)) if isinstance(p, dcc.Graph))
    assert [trace.name for trace in go.Figure(graph.figure).data] == ["W0", "W1", "W2", "W3"]


def test_plotly_takes_the_layout_of_every_chart_as_it_is():
    """The check of plotly is made here, and not at each start."""
    assert go.Layout(**LAYOUT).to_plotly_json() == LAYOUT


def test_the_evidence_of_an_answer_is_told_in_words():
    """Not a fraction with three digits under the name of a variable."""
    given = dashboard(12).answers
    assert all(set(answer.evidence) <= set(EVIDENCE) for answer in given)
    sprints = [["2026-09-14", "2026-09-27"], ["2026-09-28", "2026-10-11"]]
    climbs = {"mttr_seconds": [7200.0, 9000.0], "resolved": [4, 5], "sprints": sprints}
    rows = [evidence_rows(each) for each in (given[0].evidence, climbs | {"delta_points": 0.0922})]
    said = " ".join(f"{title} {value}" for row in rows for title, value in row)
    for told in ("19.1 %", "2 h → 2 h 30 min", "4, 5", "14 Sep – 11 Oct 2026", "+9.2 pts"):
        assert told in said
    assert "_" not in said


@pytest.mark.parametrize("colour", COLOURS)
def test_a_line_has_the_colour_of_its_theme(colour):
    """The rule that puts the token in its place holds the very colour that Plotly writes."""
    rgb = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    token = re.search(rf'"stroke: rgb\({rgb}\)"\] {{ stroke: var\((--\w+)\)', asset("page.css"))
    assert f"{token[1]}: {colour};" in asset("base.css")


def asset(name: str) -> str:
    return Path("assets", name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("most", "tick"), [(2.0, 1), (40.0, None)])
def test_a_count_has_no_tick_at_a_half(most, tick):
    measure = next(m for d in DOMAINS for m in d.measures if m.unit is Unit.COUNT)
    lines = [("W", figure(measure, series=series(1.0, None, most)))]
    (graph,) = (p for p in every(comparison_chart(measure, lines)) if isinstance(p, dcc.Graph))
    assert graph.figure["layout"]["yaxis"].get("dtick") == tick


def test_finding_narrows_and_says_when_nothing_is_found():
    shown = dashboard(12)
    found = text_of(expansion(shown, Focus("dora", "mttr", find="payM")))
    assert "1 of 12" in found
    assert "Payments" in found
    assert "No workspace is called" in text_of(expansion(shown, Focus("dora", "mttr", find="zzz")))


def test_pinned_workspaces_are_compared_in_one_chart():
    shown = dashboard(12)
    slugs = tuple(c.slug for c in shown.scorecard("dora").cards[:3])
    made = expansion(shown, Focus("dora", "change_failure_rate", pins=slugs))
    assert "Change failure rate, compared" in text_of(made)
    assert plain(made).count('"type": "scatter"') == 3


def test_the_page_names_every_domain_once():
    shown = dashboard(12)
    said = text_of(page(shown, None).at(shown.now))
    for domain in DOMAINS:
        assert said.count(domain.title) >= 1


@pytest.mark.parametrize(("hours", "level"), [(20, None), (27, "banner-watch"), (49, "banner-bad")])
def test_old_data_are_said_to_be_old(hours, level):
    shown = dashboard(3)
    ended = shown.now.replace(day=23, hour=0, minute=0)
    banner = stale_notice(shown.as_of, ended + timedelta(hours=hours))
    assert (banner is None) if level is None else (level in banner)


@pytest.mark.parametrize(
    "view",
    [
        None,
        [],
        "x",
        3,
        {"path": 3},
        {"path": "x" * 500},
        {"from": "many", "domain": "dora"},
        {"pins": "all", "domain": "dora"},
        {"find": "x" * 500, "domain": "dora"},
        {"domain": ["dora"]},
    ],
)
def test_a_malformed_view_is_refused(view):
    with pytest.raises(ValueError):  # noqa: PT011
        parse(view)


def test_a_wrong_period_is_named():
    with pytest.raises(InvalidPeriod):
        parse({"period": "12"})


def test_unknown_names_fall_back_and_counts_are_bounded():
    assert parse({"domain": "nowhere"}).focus is None
    assert parse({"domain": "dora", "rank": "contribution"}).focus.order == "contribution"
    assert parse({"domain": "dora", "rank": "fame"}).focus.order == "value"
    assert parse({"domain": "dora", "measure": "nothing"}).focus.measure == "change_failure_rate"
    found = parse({"domain": "dora", "from": 10**9, "pins": list("abcdefgh")}).focus
    assert (found.start, len(found.pins)) == (focus.MOST, focus.MAX_PINS)


def test_a_card_names_few_groups_that_it_lacks_and_counts_many():
    board = dashboard()
    card = board.scorecard("compliance").cards[0]
    key = board.scorecard("compliance").domain.headline
    held = sorted(g for g, f in (card.figures[key].by or {}).items() if f.has_data)
    few = groups.groups_of_card(card, key, sorted([*held, "X1", "X2", "X3"]))
    assert [g for g, f in few.rows if f is None] == ["X1", "X2", "X3"]
    assert few.absent == ()
    many = groups.groups_of_card(card, key, sorted([*held, "X1", "X2", "X3", "X4"]))
    assert [g for g, _ in many.rows] == held
    assert many.absent == ("X1", "X2", "X3", "X4")


def test_the_key_to_the_lines_says_their_common_scale_and_what_is_expected():
    shown = dashboard()
    made = text_of(expansion(shown, Focus("dora", "change_failure_rate")))
    assert "expected, from the 84 days before" in made
    assert re.search(r"All cards: 0\.0 % to \d+\.\d %", made)
    level = text_of(expansion(shown, Focus("incidents", "open")))
    assert "All cards: 0 to " in level
    assert "days before" not in level.split("All cards")[0]
    table = text_of(expansion(shown, Focus("dora", "change_failure_rate", mode="table")))
    assert "All cards" not in table


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        ("rose: 45 min → 1 h 4 min → 2 d 3 h (sprints 28 Sep – 22 Nov 2026).",
         ["45 min", "1 h 4 min", "2 d 3 h"]),
        ("31.0 %, 22 of 71 (95 % interval 21.4 to 42.5 %), −6.0 pts.",
         ["31.0 %", "95 %", "42.5 %", "−6.0 pts"]),
        ("lapses in 4 days; 2 SOC2 controls <b> within 30.", []),
        ("holds 1,204.5 min & more", ["1,204.5 min"]),
    ],
)  # fmt: skip
def test_a_value_of_an_answer_stays_on_one_line_with_its_unit(told, whole):
    parts = sentence(Answer("mttr_climbing", "MTTR climbing", told))
    kept = [str(part) for part in parts if isinstance(part, Markup)]
    assert kept == [f'<span class="nw">{value}</span>' for value in whole]
    assert "".join(p.striptags() if isinstance(p, Markup) else p for p in parts) == told
