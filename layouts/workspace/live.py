"""The figures of the snapshot and those of this moment side by side, and why they differ."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.pooling.dashboard import LiveView
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from layouts.pieces.markup import box_of_pieces, html

SUMMARY = "Numbers do not match? Snapshot and live side by side"


def to_come() -> Component:
    """Fold of the live figures before they are there, so that nothing moves when they come."""
    pieces = [html.Summary(SUMMARY), html.P("Counting the records as they stand now …")]
    return box_of_pieces(html.Details(pieces, className="card live"))


def live_figures(view: LiveView) -> Component:
    """Folded away until somebody asks."""
    pieces = [
        html.Summary(SUMMARY),
        html.P(_why(view), className="muted"),
        html.Div(
            _table(view),
            className="matrix-scroll",
            tabIndex="0",
            role="group",
            **{"aria-label": "Snapshot and live"},
        ),
    ]
    return box_of_pieces(html.Details(pieces, className="card live"))


def _why(view: LiveView) -> str:
    before = view.snapshot
    return (
        f"The executive page shows {formats.span(before.period.span)} as the {_snapshot(view)} snapshot"
        f" counted it{_lag(view)}. Live is {formats.span(view.span)}, from the records as they"
        f" stand at {formats.instant(view.at, ZoneInfo(before.time_zone), year=False)}."
    )


def _snapshot(view: LiveView) -> str:
    as_of = view.snapshot.as_of
    return formats.day(as_of, year=False) if as_of else "no"


def _lag(view: LiveView) -> str:
    """How long ago the snapshot was computed; nothing where the clock is frozen before it."""
    computed = view.snapshot.snapshot_at
    seconds = (view.at - computed).total_seconds() if computed else -1.0
    return f", {formats.duration(seconds)} ago" if seconds >= 0 else ""


def _table(view: LiveView) -> Markup:
    now = formats.clock(view.at, ZoneInfo(view.snapshot.time_zone))
    heads = [
        html.Th("Measure", scope="col"),
        html.Th(f"{_snapshot(view)} snapshot", scope="col", className="num"),
        html.Th(
            f"Live, {now}",
            scope="col",
            className="num",
        ),
        html.Th("Difference", scope="col"),
    ]
    rows = [
        row
        for key, figure in view.snapshot.figures.items()
        for row in _rows(figure, view.figures[key])
    ]
    caption = html.Caption("Figures of the snapshot and live", className="visually-hidden")
    return html.Table([caption, html.Thead(html.Tr(heads)), html.Tbody(rows)], className="matrix")


def _rows(figure: Figure, live: Figure) -> list[Markup]:
    """Rows of a measure, one for each group that either has."""
    if figure.by is None and live.by is None:
        return [_row(figure.measure.title, figure, live)]
    none = Figure(figure.table)
    return [
        _row(
            f"{figure.measure.title}, {group}",
            (figure.by or {}).get(group, none),
            (live.by or {}).get(group, none),
        )
        for group in sorted({*(figure.by or {}), *(live.by or {})})
    ]


def _row(title: str, figure: Figure, live: Figure) -> Markup:
    same = words.figure(figure) == words.figure(live)
    evidence = "" if same else f"{words.evidence(figure)} → {words.evidence(live)}".strip(" →")
    return html.Tr(
        [
            html.Th(title, scope="row"),
            html.Td(words.figure(figure), className="num"),
            html.Td(words.figure(live), className="num"),
            html.Td("same" if same else evidence or "changed since"),
        ]
    )
