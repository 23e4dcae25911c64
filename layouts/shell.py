"""Part that Dash draws within the page's frame: the controls beside the title, and the place below it."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from aggregators.vocabulary.period import PRESETS, Compare
from layouts import ids
from layouts.pieces.icons import icon
from layouts.pieces.markup import box_of_pieces
from layouts.pieces.parts import data
from layouts.rules import PageRules, rules_element
from layouts.states import skeleton

FORMATS = ("csv", "xlsx", "json")


def shell(rules: PageRules) -> Component:
    """The layout; assets/page fills the stores from the address, callbacks the page."""
    return html.Div(
        [
            dcc.Store(id=ids.VIEW),
            dcc.Store(id=ids.FOCUS),
            dcc.Store(id=ids.PINS),
            dcc.Store(id=ids.MORE),
            dcc.Store(id=ids.WHY),
            rules_element(rules),
            _controls(),
            html.Div(box_of_pieces(skeleton()), id=ids.PAGE),
            html.Div(id=ids.LIVE, role="status", className="visually-hidden"),
            html.Dialog(id=ids.DRAWER, className="drawer", **{"aria-labelledby": ids.DRAWER_TITLE}),
        ],
        className="bare",
    )


def _controls() -> Component:
    return html.Div(
        [
            html.Div([_period(), _custom()], className="period-box"),
            html.Label(
                [_hidden_text("Compare with"), _compare(), _icon("down")], className="selw vs"
            ),
            _button("Copy link", "chain", "Copy a link to this view  (c)", copy="1"),
            _export(),
        ],
        className="acts",
    )


def _icon(name: str) -> Component:
    return box_of_pieces(icon(name), className="icon-box")


def _button(label: str, picture: str, title: str, **does: str) -> Component:
    """A button that shows a picture alone."""
    return html.Button(
        [_icon(picture), html.Span(label, className="visually-hidden")],
        type="button",
        className="btn ic",
        title=title,
        **data(**does),
    )


def _export() -> Component:
    """The board pack with one press, its figures in other formats behind the arrow."""
    return html.Div(
        [
            html.Button("Export PDF", id="export", type="button"),
            html.Details(
                [
                    html.Summary(
                        [_icon("down"), html.Span("Other formats", className="visually-hidden")]
                    ),
                    html.Div([_compare_option(), *map(_format, FORMATS)], className="pop"),
                ],
                className="menu formats",
            ),
            html.Div(html.Div(className="progress-run"), className="progress", id="progress"),
        ],
        className="btn-group p export-box",
    )


def _format(name: str) -> Component:
    return html.Button(
        f"Export {name.upper()}", type="button", className="opt", **data(format=name)
    )


def _compare_option() -> Component:
    """The comparison on the phone, where it has no room beside the period."""
    return html.Label(["Compare with", _compare()], className="opt compare-opt")


def _hidden_text(text: str) -> Component:
    """Words for those who hear the page."""
    return html.Span(text, className="visually-hidden")


COMPARISONS = {
    Compare.PREVIOUS: "vs period before",
    Compare.YEAR: "vs a year ago",
    Compare.NONE: "no comparison",
}


def _compare() -> Component:
    """List of what the figures are compared with: beside the period, on the phone behind the arrow."""
    options = [html.Option(words, value=one.value) for one, words in COMPARISONS.items()]
    return html.Select(options, title="Compare with  (v)", **data(select="compare"))


def _period() -> Component:
    """The period's list between the steps to the one before and the one after."""
    options = [html.Option(f"Last {days} days", value=str(days)) for days in PRESETS]
    return html.Div(
        [
            _step("Previous period", "left", "-1", "["),
            html.Label(
                [
                    html.Span("Period", className="visually-hidden"),
                    html.Select(
                        [*options, html.Option("Custom range", value="custom")],
                        id=ids.PERIOD,
                        **data(select="period"),
                    ),
                    _icon("down"),
                ],
                className="selw",
            ),
            _step("Next period", "right", "1", "]"),
        ],
        className="btn-group per",
    )


def _step(label: str, picture: str, by: str, key: str) -> Component:
    return html.Button(
        [_icon(picture), html.Span(label, className="visually-hidden")],
        type="button",
        className="st1",
        title=f"{label}  ({key})",
        **data(step=by),
    )


def _custom() -> Component:
    """Two dates; made by assets/page/bar/custom_range.js, since Dash has no native date input."""
    return html.Div(id="custom", className="custom")
