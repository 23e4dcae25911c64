"""One domain of one workspace, for its members: the same figures as on its card."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from aggregators import words
from aggregators.figures import Figure, WorkspaceView
from layouts import states
from layouts.chart import over_time
from layouts.parts import accent_line, data, evidence_line, heading_part, link, named, pill, value


def workspace(view: WorkspaceView) -> list[Component]:
    """Breadcrumb, figures, chart and the snapshot that they come from."""
    head = view.figures[view.domain.headline]
    return [
        accent_line(view.accent),
        html.Div(
            [_breadcrumb(view), html.H1(f"{view.name}: {view.domain.title}"), _line(view)],
            className="heading",
            **data(
                start=view.period.start, end=view.period.end, updated=words.span(view.period.span)
            ),
        ),
        states.no_snapshot() if view.as_of is None else _figures(view),
        _chart(head) if head.has_data else html.P(view.domain.empty, className="state card"),
    ]


def _breadcrumb(view: WorkspaceView) -> Component:
    back = (
        [html.Li(link("Executive", f"/ws/{view.slug}/platform/executive?{view.period.query}"))]
        if view.is_platform_admin
        else []
    )
    return html.Nav(
        html.Ol(
            [
                *back,
                html.Li(view.name),
                html.Li(html.Span(view.domain.title, **{"aria-current": "page"})),
            ]
        ),
        className="breadcrumb",
        **{"aria-label": "Breadcrumb"},
    )


def _line(view: WorkspaceView) -> Component:
    snapshot = (
        f"Executive uses the {words.day(view.as_of, year=False)} snapshot"
        if view.as_of
        else "no snapshot"
    )
    return html.Div(
        [
            html.Span(
                f"{words.span(view.period.span)} vs {words.span(view.period.previous)}",
                className="heading-part",
            ),
            heading_part(snapshot),
        ],
        className="heading-line muted",
    )


def _figures(view: WorkspaceView) -> Component:
    return html.Ul(
        [html.Li(_figure(f)) for f in view.figures.values()], className="workspace-figures"
    )


def _figure(figure: Figure) -> Component:
    groups = list((figure.by or {}).values()) if figure.by else [figure]
    return html.Div(
        [
            html.H2(figure.measure.title, className="figure-title"),
            *(
                html.P(
                    [
                        html.Span(f"{f.group} ", className="group") if f.group else None,
                        value(f, f"figure-value status-{f.status.value}"),
                        " ",
                        pill(f),
                    ],
                    className="figure-line",
                )
                for f in groups
            ),
            html.P(f"{evidence_line(figure)}{named(figure)}", className="muted figure-note"),
        ],
        className="card figure",
    )


def _chart(figure: Figure) -> Component:
    return html.Section(
        [
            html.H2(f"{figure.measure.title} over time", id="chart-title"),
            html.P(figure.measure.definition, className="muted"),
            over_time(figure),
        ],
        className="card chart-card",
        **{"aria-labelledby": "chart-title"},
    )
