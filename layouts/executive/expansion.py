"""A domain opened: one card per workspace, worst first, or its table; find, rank by, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.pooling.cards import Card
from aggregators.pooling.contributions import CONTRIBUTION, DRIFT, VALUE, in_order, orders_of
from aggregators.pooling.dashboard import Dashboard, Scorecard
from aggregators.signal.rules import MARKED_BY_CHANCE
from aggregators.signal.series import series_of
from aggregators.vocabulary import formats
from layouts import ids
from layouts.executive.bars import bars
from layouts.executive.card import card
from layouts.executive.legend import legend
from layouts.executive.matrix import matrix, rows
from layouts.focus import FIRST, NEXT, TABLE, Focus
from layouts.pieces.chart import comparison_chart
from layouts.pieces.markup import box_of_pieces, html, markup
from layouts.pieces.noted import note_list
from layouts.pieces.parts import data, pill, value
from layouts.pieces.sparkline import scale_within


def small_multiples(scorecard: Scorecard, cards: Sequence[Card], measure_key: str) -> list[Markup]:
    """Cards whose sparklines share one scale, that of every workspace with enough data: one that
    failed 3 of 4 must not flatten all others."""
    scale = scale_within(scorecard.cards.extremes(measure_key))
    return [
        card(c, scorecard.domain, measure_key, scale, scorecard.notes_of(measure_key, c.slug))
        for c in cards
    ]


def lines(scorecard: Scorecard, pieces: Sequence[Markup], measure_key: str) -> Markup:
    """Around cards with lines: the key to them, then the cards."""
    scale = scale_within(scorecard.cards.extremes(measure_key))
    key = legend(scorecard, measure_key, scale)
    return Markup(f"{key}{grid(scorecard, pieces, measure_key)}")  # noqa: S704 - both are ours


def grid(scorecard: Scorecard, pieces: Sequence[Markup], measure_key: str) -> Markup:
    """Around cards."""
    return html.Div(list(pieces), className="cards", **data(grows="1"))


class Picture(NamedTuple):
    """How workspaces are shown: a piece for each, and what is around the pieces. Further pieces go into
    the element that ``grows``."""

    pieces: Callable[[Scorecard, Sequence[Card], str], list[Markup]]
    around: Callable[[Scorecard, Sequence[Markup], str], Markup]


PICTURES: Mapping[str, Picture] = {
    "cards": Picture(small_multiples, lines),
    "matrix": Picture(rows, matrix),
    "bars": Picture(bars, grid),
}
"""Pictures by the name that a domain's ``picture`` gives."""


class _CardsPage(NamedTuple):
    """Workspaces of a page of cards, of those that match, and the counts that the page tells."""

    scorecard: Scorecard
    focus: Focus
    cards: Sequence[Card]
    ranked: str
    total: int
    matching: int
    order: str

    @property
    def end(self) -> int:
        """How many are shown with these."""
        return self.focus.start + len(self.cards)

    @property
    def matching_words(self) -> str:
        """How many of those that match."""
        return f"{formats.number(self.end)} of {formats.number(self.matching)}"

    @property
    def counted(self) -> str:
        """How many of all."""
        return f"{formats.number(self.end)} of {formats.number(self.total)}"

    @property
    def picture(self) -> Picture:
        """As the domain or the reader wants it."""
        table = self.focus.mode == TABLE
        return PICTURES["matrix" if table else self.scorecard.domain.picture]

    def pieces(self) -> list[Markup]:
        """Markup of each workspace on the page."""
        return self.picture.pieces(self.scorecard, self.cards, self.focus.measure)


SHRUNKEN = (
    "Figures are shown as they are; their order draws each towards the others by as much as chance may "
    "have moved it, so that neither 1 of 2 leads nor 3 of 9 is hidden."
)


def _page(dashboard: Dashboard, focus: Focus) -> _CardsPage:
    scorecard = dashboard.scorecard(focus.domain)
    order = in_order(scorecard, focus.measure, focus.order)
    matching = order.matching(focus.find)
    cards = matching[focus.start : focus.start + (NEXT if focus.start else FIRST)]
    which = (dashboard.version, focus.domain, focus.measure, focus.order, focus.mode, focus.find)
    return _CardsPage(
        scorecard, focus, cards, order.order, len(order), len(matching), "/".join(which)
    )


def expansion(dashboard: Dashboard, focus: Focus) -> Component:
    """The region "DOMAIN by workspace"."""
    page = _page(dashboard, focus)
    return dash_html.Section(
        [
            _head(page),
            dash_html.Div(comparison(dashboard, focus), id=ids.COMPARISON),
            box_of_pieces([_picture(page), _more_button(page)], **data(counted=page.counted)),
            _notes(page, dashboard),
            _by_chance(page),
            dash_html.Div(id=ids.NEXT, hidden=True),
        ],
        className="expansion",
        style={"--tile": domain_index(dashboard, focus.domain)},
        **{"aria-labelledby": ids.HEADING},
        **data(of=focus.domain),
    )


def _notes(page: _CardsPage, dashboard: Dashboard) -> Component | None:
    """Notes of people on the days and the measure that are shown."""
    key, measure = page.scorecard.domain.key, page.focus.measure
    notes = [note for note in page.scorecard.annotations if note.is_about(key, measure)]
    return (
        box_of_pieces(note_list(notes, dashboard.scope.names), className="bare") if notes else None
    )


def next_pieces(dashboard: Dashboard, focus: Focus) -> Component:
    """The pieces that come next, for assets/page/open/more_cards.js to put behind the others if they
    are still of that order."""
    page = _page(dashboard, focus)
    more = page.end if page.end < page.matching else ""
    attributes = data(order=page.order, start=focus.start, then=more)
    words_of = data(said=page.matching_words, counted=page.counted)
    return dash_html.Div(**attributes, **words_of, **data(pieces=markup(page.pieces())))


def _by_chance(page: _CardsPage) -> Component | None:
    """Footnote: how many of the cards chance alone would mark; none where nothing is sampled."""
    if series_of(page.scorecard.domain.measure(page.focus.measure)) is None or page.total < 2:
        return None
    marked = formats.number(MARKED_BY_CHANCE * page.total, 0 if page.total > 200 else 1)
    return dash_html.P(
        f"By chance alone about {marked} of {formats.number(page.total)} cards would be marked likely"
        " worse or worse. Only what is called drifting stands out from night to night.",
        className="muted by-chance",
    )


def _picture(page: _CardsPage) -> Markup:
    if not page.cards:
        return _nothing(page.focus)
    return page.picture.around(page.scorecard, page.pieces(), page.focus.measure)


def domain_index(dashboard: Dashboard, key: str) -> int:
    """The place of a domain's tile, from 1."""
    return 1 + [s.domain.key for s in dashboard.scorecards].index(key)


def _head(page: _CardsPage) -> Component:
    domain = page.scorecard.domain
    return dash_html.Header(
        [
            dash_html.Div(
                [
                    dash_html.H2(
                        f"{domain.title} by workspace",
                        id=ids.HEADING,
                        tabIndex="-1",
                        className="expansion-title",
                    ),
                    dash_html.P(
                        [
                            dash_html.Span(page.counted, className="counted"),
                            *_ranked_by(page),
                        ],
                        className="muted expansion-count",
                    ),
                ]
            ),
            dash_html.Div(_toolbar(page.scorecard, page.focus), className="toolbar"),
        ],
        className="expansion-head",
    )


def _toolbar(scorecard: Scorecard, focus: Focus) -> list[Component | None]:
    domain = scorecard.domain
    is_table = focus.mode == TABLE
    return [
        _select("Rank by", "rank", [(m.key, m.title) for m in domain.measures], focus.measure),
        _order(scorecard, focus),
        dash_html.Label(
            [
                dash_html.Span("Find a workspace", className="control-label"),
                dash_html.Div(
                    id="find-box",
                    className="find-box",
                    **data(value=focus.find),
                ),
            ],
            className="control",
        ),
        dash_html.Button(
            "Cards" if is_table else "Table",
            type="button",
            className="button quiet",
            **data(mode="cards" if is_table else "table"),
        )
        if domain.picture != "matrix"
        else None,
        dash_html.Button("Close", type="button", className="button quiet", **data(close="1")),
    ]


ORDER_TITLES = {VALUE: "Value", DRIFT: "Drift", CONTRIBUTION: "Part in the change"}


def _order(scorecard: Scorecard, focus: Focus) -> Component | None:
    """The choice of an order, where there is one."""
    names = orders_of(scorecard, focus.measure)
    if len(names) < 2:
        return None
    chosen = focus.order if focus.order in names else VALUE
    return _select("In order of", "order", [(n, ORDER_TITLES[n]) for n in names], chosen)


def _ranked_by(page: _CardsPage) -> list[str | Component]:
    """Words on the order of the cards."""
    measure = page.scorecard.domain.measure(page.focus.measure)
    title = words.within_sentence(measure.title)
    if page.ranked == DRIFT:
        return [f", by the evidence that {title} drifts, the strongest first"]
    if page.ranked == CONTRIBUTION:
        return [f", by their part in the change of {title}, for the worse first"]
    allowed = dash_html.Span(", few events allowed for", title=SHRUNKEN, className="allowed")
    return [f", worst first by {title}", *([allowed] if measure.prior else [])]


def _select(label: str, name: str, options: list[tuple[str, str]], chosen: str) -> Component:
    """A native select; assets/page/bar/controls.js sets its value and listens to it."""
    return dash_html.Label(
        [
            dash_html.Span(label, className="control-label"),
            dash_html.Select(
                [dash_html.Option(text, value=key) for key, text in options],
                id=f"select-{name}",
                className="select",
                **data(select=name, value=chosen),
            ),
        ],
        className="control",
    )


def comparison(dashboard: Dashboard, focus: Focus) -> Component | None:
    """The pinned workspaces in one chart."""
    scorecard = dashboard.scorecard(focus.domain)
    order = in_order(scorecard, focus.measure, focus.order) if focus.pins else ()
    chosen = [c for c in order if c.slug in focus.pins]
    if not chosen:
        return None
    measure = scorecard.domain.measure(focus.measure)
    return dash_html.Section(
        [
            dash_html.Div(
                [
                    dash_html.H3(f"{measure.title}, compared", id="compare-title"),
                    dash_html.Button(
                        "Clear", type="button", className="button quiet", **data(unpin="1")
                    ),
                ],
                className="compare-head",
            ),
            comparison_chart(measure, [(c.name, c.figures[focus.measure]) for c in chosen]),
            box_of_pieces([_pinned_figures(chosen, focus.measure)], className="bare"),
        ],
        className="compare",
        **{"aria-labelledby": "compare-title"},
    )


def _pinned_figures(cards: Sequence[Card], measure_key: str) -> Markup:
    """Each of the compared workspaces with its figure, its change and the verdict on it."""
    figures = [(card.name, card.figures[measure_key]) for card in cards]
    return html.Ul(
        [
            html.Li([f"{name} ", value(figure, "b num"), " ", pill(figure)])
            for name, figure in figures
        ],
        className="compare-figures",
        **{"aria-label": "Figures and changes"},
    )


def _nothing(focus: Focus) -> Markup:
    return html.Div(
        [
            html.P(f"No workspace is called “{focus.find}”.")
            if focus.find
            else html.P("No workspaces."),
            html.Button(
                "Show all", type="button", className="button quiet", **data(find_clear="1")
            ),
        ],
        className="state",
    )


def _more_button(page: _CardsPage) -> Markup | None:
    """Button for the next cards; None where all are shown."""
    if page.end >= page.matching:
        return None
    button = html.Button(
        "Show more", type="button", className="button", **data(more=page.end, order=page.order)
    )
    return html.P(
        [html.Span(page.matching_words, className="muted shown"), button], className="more"
    )
