"""A domain opened: one card per workspace, worst first, or its table; find, rank by, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from aggregators import words
from aggregators.figures import Card, Dashboard, Scorecard
from aggregators.rollup import extremes, named, ranked
from layouts import ids
from layouts.bars import bars
from layouts.card import card
from layouts.chart import compared
from layouts.focus import TABLE, Focus
from layouts.matrix import matrix
from layouts.parts import data
from layouts.sparkline import scale_within

Picture = Callable[[Scorecard, Sequence[Card], str, Sequence[str]], Component]


def small_multiples(
    scorecard: Scorecard, cards: Sequence[Card], measure_key: str, pins: Sequence[str]
) -> Component:
    """Cards whose sparklines share one scale, that of every workspace with enough data: one that
    failed 3 of 4 must not flatten all others."""
    scale = scale_within(extremes(scorecard.cards, measure_key))
    return html.Div(
        [card(c, scorecard.domain, measure_key, scale, c.slug in pins) for c in cards],
        className="cards",
    )


def table(
    scorecard: Scorecard, cards: Sequence[Card], measure_key: str, pins: Sequence[str]
) -> Component:
    """The same workspaces as rows."""
    return matrix(scorecard, cards, measure_key)


PICTURES: Mapping[str, Picture] = {"cards": small_multiples, "matrix": table, "bars": bars}
"""What a Domain's ``picture`` names."""


def expansion(dashboard: Dashboard, focus: Focus) -> Component:
    """The region "DOMAIN by workspace"."""
    scorecard = dashboard.scorecard(focus.domain)
    domain = scorecard.domain
    order = ranked(scorecard.cards, domain, focus.measure)
    found = named(order, focus.find)
    shown = found[: focus.shown]
    picture = PICTURES["matrix" if focus.mode == TABLE else domain.picture]
    return html.Section(
        [
            _head(scorecard, focus, len(shown), len(order)),
            _pinned(order, scorecard, focus),
            picture(scorecard, shown, focus.measure, focus.pins) if shown else _nothing(focus),
            _more(len(shown), len(found)),
        ],
        className=f"expansion after-{domain_index(dashboard, focus.domain)}",
        **{"aria-labelledby": ids.HEADING},
        **data(of=focus.domain),
    )


def domain_index(dashboard: Dashboard, key: str) -> int:
    """The place of a domain's tile, from 1."""
    return 1 + [s.domain.key for s in dashboard.scorecards].index(key)


def _head(scorecard: Scorecard, focus: Focus, shown: int, total: int) -> Component:
    domain = scorecard.domain
    return html.Header(
        [
            html.Div(
                [
                    html.H2(
                        f"{domain.title} by workspace",
                        id=ids.HEADING,
                        tabIndex="-1",
                        className="expansion-title",
                    ),
                    html.P(
                        f"{words.number(shown)} of {words.number(total)}, worst first by "
                        f"{domain.measure(focus.measure).title.lower()}",
                        className="muted expansion-count",
                    ),
                ]
            ),
            html.Div(_toolbar(scorecard, focus), className="toolbar"),
        ],
        className="expansion-head",
    )


def _toolbar(scorecard: Scorecard, focus: Focus) -> list[Component | None]:
    domain = scorecard.domain
    is_table = focus.mode == TABLE
    return [
        _select("Rank by", "rank", [(m.key, m.title) for m in domain.measures], focus.measure),
        html.Label(
            [
                html.Span("Find a workspace", className="control-label"),
                html.Div(
                    id="find-box",
                    className="find-box",
                    **data(value=focus.find),
                ),
            ],
            className="control",
        ),
        html.Button(
            "Cards" if is_table else "Table",
            type="button",
            className="button quiet",
            **data(mode="cards" if is_table else "table"),
        )
        if domain.picture != "matrix"
        else None,
        html.Button("Close", type="button", className="button quiet", **data(close="1")),
    ]


def _select(label: str, name: str, options: list[tuple[str, str]], chosen: str) -> Component:
    """A native select; assets/vigilo.js sets its value and listens to it."""
    return html.Label(
        [
            html.Span(label, className="control-label"),
            html.Select(
                [html.Option(text, value=key) for key, text in options],
                id=f"select-{name}",
                className="select",
                **data(select=name, value=chosen),
            ),
        ],
        className="control",
    )


def _pinned(order: Sequence[Card], scorecard: Scorecard, focus: Focus) -> Component | None:
    chosen = [c for c in order if c.slug in focus.pins] if focus.pins else []
    if not chosen:
        return None
    measure = scorecard.domain.measure(focus.measure)
    return html.Section(
        [
            html.Div(
                [
                    html.H3(f"{measure.title}, compared", id="compare-title"),
                    html.Button(
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


def _nothing(focus: Focus) -> Component:
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


def _more(shown: int, found: int) -> Component | None:
    if shown >= found:
        return None
    return html.P(
        [
            html.Span(f"{words.number(shown)} of {words.number(found)}", className="muted"),
            html.Button(
                "Show more", type="button", className="button", **data(more=str(shown + 48))
            ),
        ],
        className="more",
    )
