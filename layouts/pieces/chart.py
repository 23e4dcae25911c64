"""Plotly charts over time, quiet, and each with its data as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from dash import dcc
from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators.chosen.annotations import Annotation
from aggregators.pooling.figures import ExpectedBand, Figure, Series
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import Measure, Unit
from aggregators.vocabulary.period import Compare
from layouts.pieces import chart_marks
from layouts.pieces.markup import box_of_pieces, html

CONFIG = {"displayModeBar": False, "showSendToCloud": False, "responsive": True}
COLOURS = ("#0B5CAD", "#8A5A00", "#1B6B74", "#9E0B3A")
"""Of the light theme. Plotly knows no themes: assets/page.css puts the token in the place of each."""
DASHES = ("solid", "dash", "dot", "dashdot")
GREY = "#7C8A99"
CLEAR = "rgba(0,0,0,0)"
FEW = 6
"""Up to so many, an axis has a tick for each."""
Line = tuple[str, Series]
BEFORE = {Compare.PREVIOUS: "Previous period", Compare.YEAR: "A year ago", Compare.NONE: ""}
"""Names of the line behind; none where nothing is compared."""


def over_time(figure: Figure, notes: Sequence[Annotation] = ()) -> Component:
    """A figure's series with that of the days it is compared with behind it, day against day; ``notes`` are
    numbered on the axis, the target is dotted."""
    before = tuple(
        (day, value)
        for (day, _), (_, value) in zip(figure.series, figure.previous_series, strict=False)
    )
    lines = [("This period", figure.series)]
    if name := BEFORE[figure.table.compare]:
        lines.append((name, before))
    drawing = _figure(figure.measure, lines, (COLOURS[0], GREY))
    days = [day for day, _ in figure.series]
    drawing["layout"] |= chart_marks.layout(figure.measure, _scale(figure.measure), days, notes)
    band = figure.band
    if band is None:
        return _with_table(figure.measure, lines, drawing)
    drawing["data"] = _band(figure, band) + drawing["data"]
    ends = [
        (label, tuple(zip((day for day, _ in figure.series), _gaps_as_none(edge), strict=True)))
        for label, edge in (("Expected from", band.low), ("to", band.high))
    ]
    return _with_table(figure.measure, [*lines, *ends], drawing)


def _gaps_as_none(values: np.ndarray) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _band(figure: Figure, band: ExpectedBand) -> list[dict[str, Any]]:
    """The expected band behind the lines, and what lies outside of it as points above them."""
    scale, days = _scale(figure.measure), [day.isoformat() for day, _ in figure.series]
    edge = {
        "type": "scatter",
        "x": days,
        "mode": "lines",
        "hoverinfo": "skip",
        "line": {"width": 0},
    }
    low, high = (
        [None if value is None else value * scale for value in _gaps_as_none(ends)]
        for ends in (band.low, band.high)
    )
    outer = [
        None if value is None or not out else value * scale
        for (_, value), out in zip(figure.series, band.outside.tolist(), strict=True)
    ]
    fill = {"fill": "tonexty", "fillcolor": "rgba(11,92,173,0.12)", "name": "Expected, 95 %"}
    point = {"color": COLOURS[3], "size": 7}
    drawn_outside = edge | {"y": outer, "mode": "markers", "marker": point, "name": "Outside of it"}
    surface: list[dict[str, Any]] = [
        edge | {"y": low, "showlegend": False},
        edge | {"y": high} | fill,
    ]
    return surface + ([drawn_outside] if any(band.outside.tolist()) else [])


def comparison_chart(measure: Measure, figures: Sequence[tuple[str, Figure]]) -> Component:
    """Up to four workspaces in one picture."""
    lines = [(name, figure.series) for name, figure in figures]
    return _with_table(measure, lines, _figure(measure, lines, COLOURS))


LAYOUT: dict[str, Any] = {
    "height": 280,
    "margin": {"l": 48, "r": 16, "t": 8, "b": 36},
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
    "font": {"family": "Inter, sans-serif", "size": 13, "color": GREY},
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    "hovermode": "x unified",
    "xaxis": {
        "gridcolor": CLEAR,
        "tickformat": formats.D3_DAY,
        "ticks": "outside",
        "ticklen": 8,
        "tickcolor": CLEAR,
    },
    "yaxis": {"rangemode": "tozero", "gridcolor": "rgba(124,138,153,0.25)"},
}
"""Invisible ticks keep the first day clear of the axis' zero, and the legend grows away from the lines.
Checked by plotly in a test: to check it at each start takes a tenth of that."""


def _figure(measure: Measure, lines: Sequence[Line], colours: Sequence[str]) -> dict[str, Any]:
    """As ``go.Figure.to_plotly_json`` gives it."""
    scale = _scale(measure)
    suffix = {Unit.RATIO: " %", Unit.SECONDS: " h", Unit.BURN: "×"}.get(measure.unit, "")
    highest = _highest(lines)
    traces = [
        {
            "type": "scatter",
            "x": [day.isoformat() for day, _ in series],
            "y": [None if value is None else value * scale for _, value in series],
            "text": [formats.value(value, measure.unit, highest) for _, value in series],
            "hovertemplate": f"%{{x|{formats.D3_DAY_OF_YEAR}}}: %{{text}}",
            "name": name,
            "mode": "lines+markers" if len(series) < 3 else "lines",
            "connectgaps": False,
            "line": {"color": colour, "dash": dash, "width": 2},
        }
        for (name, series), colour, dash in zip(lines, colours, DASHES, strict=False)
    ]
    axis: dict[str, Any] = {"ticksuffix": suffix}
    if measure.unit is Unit.COUNT and highest <= FEW:
        axis["dtick"] = 1  # there is no half of a thing
    layout = LAYOUT | {"yaxis": LAYOUT["yaxis"] | axis}
    return {"data": traces, "layout": layout}


def _scale(measure: Measure) -> float:
    """Factor from a measure's unit to that of its axis."""
    return {Unit.RATIO: 100.0, Unit.SECONDS: 1 / 3600}.get(measure.unit, 1.0)


def _highest(lines: Sequence[Line]) -> float:
    return max((value or 0.0 for _, series in lines for _, value in series), default=0.0)


def graph(figure: dict[str, Any]) -> dcc.Graph:
    """Draws a figure. The one way to plotly, which takes every text of a trace for HTML with links: here
    they are made the text that they are."""
    traces = [_as_text(trace) for trace in figure["data"]]
    return dcc.Graph(figure=figure | {"data": traces}, config=CONFIG, className="plot")


def _as_text(value: Any) -> Any:
    """The value with every text in it escaped, but for templates, which are ours."""
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, dict):
        return {k: v if k == "hovertemplate" else _as_text(v) for k, v in value.items()}
    return [_as_text(item) for item in value] if isinstance(value, list | tuple) else value


def _with_table(measure: Measure, lines: Sequence[Line], figure: dict[str, Any]) -> Component:
    """A chart with its data as a table beneath it."""
    label = f"{measure.title} over time: " + ", ".join(name for name, _ in lines)
    return dash_html.Div(
        [
            dash_html.Div(
                graph(figure),
                role="img",
                **{"aria-label": f"{label}. The data follow as a table."},
            ),
            box_of_pieces(
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
    values, highest = [dict(series) for _, series in lines], _highest(lines)
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
                            [html.Th(formats.day(day), scope="row")]
                            + [
                                html.Td(
                                    formats.value(v.get(day), measure.unit, highest),
                                    className="num",
                                )
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
