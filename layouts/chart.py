"""Plotly charts over time, quiet, and each with its data as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from dash import dcc
from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.figures import Figure, Series
from aggregators.measure import Measure, Unit
from layouts.markup import drawn, html

CONFIG = {"displayModeBar": False, "showSendToCloud": False, "responsive": True}
COLOURS = ("#0B5CAD", "#946200", "#1B6B74", "#9E0B3A")
"""Of the light theme. Plotly knows no themes: assets/page.css puts the token in the place of each."""
DASHES = ("solid", "dash", "dot", "dashdot")
GREY = "#7C8A99"
FEW = 6
"""Up to so many, an axis has a tick for each."""
Line = tuple[str, Series]


def over_time(figure: Figure) -> Component:
    """A figure's series with that of the previous period behind it, day against day."""
    before = tuple(
        (day, value)
        for (day, _), (_, value) in zip(figure.series, figure.previous_series, strict=False)
    )
    lines = [("This period", figure.series), ("Previous period", before)]
    return _with_table(figure.measure, lines, _figure(figure.measure, lines, (COLOURS[0], GREY)))


def compared(measure: Measure, figures: Sequence[tuple[str, Figure]]) -> Component:
    """Up to four workspaces in one picture."""
    lines = [(name, figure.series) for name, figure in figures]
    return _with_table(measure, lines, _figure(measure, lines, COLOURS))


LAYOUT = go.Layout(
    height=280,
    margin={"l": 48, "r": 16, "t": 8, "b": 32},
    paper_bgcolor="rgba(0,0,0,0)",
    plot_bgcolor="rgba(0,0,0,0)",
    font={"family": "Inter, sans-serif", "size": 13, "color": GREY},
    legend={"orientation": "h", "y": 1.12},
    hovermode="x unified",
    xaxis={"gridcolor": "rgba(0,0,0,0)", "tickformat": "%d %b"},
    yaxis={"rangemode": "tozero", "gridcolor": "rgba(124,138,153,0.25)"},
).to_plotly_json()
"""Checked by plotly once: to check each picture again takes longer than the rest of its page."""


def _figure(measure: Measure, lines: Sequence[Line], colours: Sequence[str]) -> dict[str, Any]:
    """As ``go.Figure.to_plotly_json`` gives it."""
    scale = (
        100.0 if measure.unit is Unit.RATIO else 1 / 3600 if measure.unit is Unit.SECONDS else 1.0
    )
    suffix = {Unit.RATIO: " %", Unit.SECONDS: " h", Unit.BURN: "×"}.get(measure.unit, "")
    traces = [
        {
            "type": "scatter",
            "x": [day.isoformat() for day, _ in series],
            "y": [None if value is None else value * scale for _, value in series],
            "text": [words.value(value, measure.unit) for _, value in series],
            "hovertemplate": "%{x|%d %b %Y}: %{text}",
            "name": name,
            "mode": "lines+markers" if len(series) < 3 else "lines",
            "connectgaps": False,
            "line": {"color": colour, "dash": dash, "width": 2},
        }
        for (name, series), colour, dash in zip(lines, colours, DASHES, strict=False)
    ]
    axis: dict[str, Any] = {"ticksuffix": suffix}
    if measure.unit is Unit.COUNT and _highest(lines) <= FEW:
        axis["dtick"] = 1  # there is no half of a thing
    layout = LAYOUT | {"yaxis": LAYOUT["yaxis"] | axis}
    return {"data": traces, "layout": layout}


def _highest(lines: Sequence[Line]) -> float:
    return max((value or 0.0 for _, series in lines for _, value in series), default=0.0)


def _with_table(measure: Measure, lines: Sequence[Line], figure: dict[str, Any]) -> Component:
    label = f"{measure.title} over time: " + ", ".join(name for name, _ in lines)
    return dash_html.Div(
        [
            dash_html.Div(
                dcc.Graph(figure=figure, config=CONFIG, className="plot"),
                role="img",
                **{"aria-label": f"{label}. The data follow as a table."},
            ),
            drawn(
                html.Details(
                    [html.Summary("Data as a table"), _table(measure, lines)],
                    className="data-table",
                ),
                className="bare",
            ),
        ],
        className="chart",
    )


def _table(measure: Measure, lines: Sequence[Line]) -> Markup:
    days = [day for day, _ in lines[0][1]]
    values = [dict(series) for _, series in lines]
    return html.Div(
        html.Table(
            [
                html.Caption(f"{measure.title} over time", className="visually-hidden"),
                html.Thead(
                    html.Tr(
                        [html.Th("Day", scope="col")]
                        + [html.Th(name, scope="col", className="num") for name, _ in lines]
                    )
                ),
                html.Tbody(
                    [
                        html.Tr(
                            [html.Th(words.day(day), scope="row")]
                            + [
                                html.Td(words.value(v.get(day), measure.unit), className="num")
                                for v in values
                            ]
                        )
                        for day in days
                    ]
                ),
            ],
            className="matrix",
        ),
        className="matrix-scroll",
        tabIndex="0",
        role="group",
        **{"aria-label": "Chart data"},
    )
