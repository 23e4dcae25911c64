"""A domain opened: one card per workspace, worst first, or its table; find, rank by, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.figures import Card, Dashboard, Scorecard
from aggregators.rollup import extremes, named, ranked
from layouts import ids
from layouts.bars import bars
from layouts.card import card
from layouts.chart import compared
from layouts.focus import FIRST, NEXT, TABLE, Focus
from layouts.markup import drawn, html, markup
from layouts.matrix import matrix, rows
from layouts.parts import data
from layouts.sparkline import scale_within


def small_multiples(scorecard: Scorecard, cards: Sequence[Card], measure_key: str) -> list[Markup]:
    """Cards whose sparklines share one scale, that of every workspace with enough data: one that
    failed 3 of 4 must not flatten all others."""
    scale = scale_within(extremes(scorecard.cards, measure_key))
    return [card(c, scorecard.domain, measure_key, scale) for c in cards]


def grid(scorecard: Scorecard, pieces: Sequence[Markup], measure_key: str) -> Markup:
    """Around cards."""
    return html.Div(list(pieces), className="cards", **data(grows="1"))


class Picture(NamedTuple):
    """How workspaces are shown: a piece for each, and what is around the pieces. Further pieces go into
    the element that ``grows``."""

    pieces: Callable[[Scorecard, Sequence[Card], str], list[Markup]]
    around: Callable[[Scorecard, Sequence[Markup], str], Markup]


PICTURES: Mapping[str, Picture] = {
    "cards": Picture(small_multiples, grid),
    "matrix": Picture(rows, matrix),
    "bars": Picture(bars, grid),
}
"""What a Domain's ``picture`` names."""


class _Page(NamedTuple):
    """Some of the workspaces that were found, and what the page must say of them."""

    scorecard: Scorecard
    focus: Focus
    cards: Sequence[Card]
    total: int
    found: int
    order: str

    @property
    def end(self) -> int:
        """How many are shown with these."""
        return self.focus.start + len(self.cards)

    @property
    def said(self) -> str:
        """How many of those found."""
        return f"{words.number(self.end)} of {words.number(self.found)}"

    @property
    def counted(self) -> str:
        """How many of all."""
        return f"{words.number(self.end)} of {words.number(self.total)}"

    @property
    def picture(self) -> Picture:
        """As the domain or the reader wants it."""
        table = self.focus.mode == TABLE
        return PICTURES["matrix" if table else self.scorecard.domain.picture]

    def pieces(self) -> list[Markup]:
        """One for each workspace."""
        return self.picture.pieces(self.scorecard, self.cards, self.focus.measure)


def _page(dashboard: Dashboard, focus: Focus) -> _Page:
    scorecard = dashboard.scorecard(focus.domain)
    order = ranked(scorecard.cards, scorecard.domain, focus.measure)
    found = named(order, focus.find)
    cards = found[focus.start : focus.start + (NEXT if focus.start else FIRST)]
    which = (dashboard.version, focus.domain, focus.measure, focus.mode, focus.find)
    return _Page(scorecard, focus, cards, len(order), len(found), "/".join(which))


def expansion(dashboard: Dashboard, focus: Focus) -> Component:
    """The region "DOMAIN by workspace"."""
    page = _page(dashboard, focus)
    return dash_html.Section(
        [
            _head(page),
            dash_html.Div(comparison(dashboard, focus), id=ids.COMPARISON),
            drawn([_picture(page), _more(page)], **data(counted=page.counted)),
            dash_html.Div(id=ids.NEXT, hidden=True),
        ],
        className=f"expansion after-{domain_index(dashboard, focus.domain)}",
        **{"aria-labelledby": ids.HEADING},
        **data(of=focus.domain),
    )


def following(dashboard: Dashboard, focus: Focus) -> Component:
    """The pieces that come next, for assets/vigilo.js to put behind the others if they are still of
    that order."""
    page = _page(dashboard, focus)
    more = page.end if page.end < page.found else ""
    told = data(order=page.order, start=focus.start, then=more)
    words_of = data(said=page.said, counted=page.counted)
    return dash_html.Div(**told, **words_of, **data(pieces=markup(page.pieces())))


def _picture(page: _Page) -> Markup:
    if not page.cards:
        return _nothing(page.focus)
    return page.picture.around(page.scorecard, page.pieces(), page.focus.measure)


def domain_index(dashboard: Dashboard, key: str) -> int:
    """The place of a domain's tile, from 1."""
    return 1 + [s.domain.key for s in dashboard.scorecards].index(key)


def _head(page: _Page) -> Component:
    domain, measure = page.scorecard.domain, page.scorecard.domain.measure(page.focus.measure)
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
                            f", worst first by {measure.title.lower()}",
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


def _select(label: str, name: str, options: list[tuple[str, str]], chosen: str) -> Component:
    """A native select; assets/vigilo.js sets its value and listens to it."""
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
    order = ranked(scorecard.cards, scorecard.domain, focus.measure) if focus.pins else ()
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
            compared(measure, [(c.name, c.figures[focus.measure]) for c in chosen]),
        ],
        className="compare",
        **{"aria-labelledby": "compare-title"},
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


def _more(page: _Page) -> Markup | None:
    if page.end >= page.found:
        return None
    button = html.Button(
        "Show more", type="button", className="button", **data(more=page.end, order=page.order)
    )
    return html.P([html.Span(page.said, className="muted shown"), button], className="more")
