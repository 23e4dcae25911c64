"""Page of one domain of one workspace, for its members: the same figures as on its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from dash import dcc
from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.chosen.annotations import of_figure
from aggregators.pooling.dashboard import WorkspaceView
from aggregators.pooling.figures import Figure
from aggregators.vocabulary import formats
from auth.membership import KEEPERS
from layouts import ids, states
from layouts.pieces.chart import over_time
from layouts.pieces.markup import box_of_pieces, html
from layouts.pieces.noted import note_list
from layouts.pieces.parts import (
    against_target,
    data,
    evidence_line,
    freshness,
    heading_part,
    link,
    name_in_brackets,
    pill,
    value,
)
from layouts.workspace.counted import DeploymentsOf, counted_as
from layouts.workspace.live import to_come
from layouts.workspace.records import grid


def workspace(
    view: WorkspaceView,
    links: Mapping[str, str] | None = None,
    counted: Sequence[DeploymentsOf] = (),
) -> list[Component]:
    """Breadcrumb, figures, chart, the live figures and the records behind them."""
    head = _headline_of_group(
        view.figures[view.domain.headline], (links or {}).get(view.domain.by or "")
    )
    listing = view.domain.records
    link_filters = listing.known_links(links or {}) if listing else {}
    return [
        dcc.Store(id=ids.RECORDS_VIEW, data=_request_data(view, link_filters)),
        box_of_pieces(
            [
                _heading(view),
                _groups(view, head),
                states.no_snapshot() if view.as_of is None else _figures(view),
                counted_as(counted),
                None if head.has_data else html.P(view.why_empty, className="state card"),
            ],
            className="bare",
        ),
        *([_chart(view, head)] if head.has_data else []),
        dash_html.Div(to_come(), id=ids.LIVE_FIGURES),
        *([grid(view, listing, link_filters)] if listing else []),
    ]


def _heading(view: WorkspaceView) -> Markup:
    """Facts under the title, which is in the page's frame."""
    return html.Div(
        [
            heading_part(formats.span(view.period.span)),
            heading_part(words.compared_with(view.period))
            if words.compared_with(view.period)
            else None,
            _freshness(view),
        ],
        className="heading sub",
        **data(
            start=view.period.start, end=view.period.end, updated=formats.span(view.period.span)
        ),
    )


def _freshness(view: WorkspaceView) -> Markup:
    if view.as_of is None:
        return heading_part("no snapshot")
    snapshot = f"Snapshot of {formats.day(view.as_of)}, as on Executive"
    return freshness(snapshot, formats.day(view.as_of, year=False))


def _headline_of_group(head: Figure, group: str | None) -> Figure:
    """The headline of the group that the link names, else the worst one's."""
    return (head.by or {}).get(group or "", head)


def _groups(view: WorkspaceView, chosen: Figure) -> Markup | None:
    """The domain's groups, to choose the one that is charted and listed."""
    head = view.figures[view.domain.headline]
    if not head.by or view.domain.by is None:
        return None
    return html.Nav(
        [
            html.A(
                [f"{group} ", html.B(words.figure(figure))],
                href=f"{view.domain.page(view.slug)}?"
                f"{urlencode({view.domain.by: group})}&{view.period.query}",
                **{"aria-current": "true" if group == chosen.group else None},
            )
            for group, figure in head.by.items()
        ],
        className="seg groups",
        **{"aria-label": view.domain.by.capitalize()},
    )


def _request_data(view: WorkspaceView, link_filters: dict[str, str]) -> dict[str, object]:
    """Request of the page's own callbacks; checked again when it comes back."""
    period = view.period
    absolute = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    given = {"period": str(period.preset)} if period.preset else absolute
    return {"path": view.domain.page(view.slug), "links": link_filters, **given}


def _figures(view: WorkspaceView) -> Markup:
    return html.Ul(
        [html.Li(_figure(f)) for f in view.figures.values()], className="workspace-figures"
    )


def _figure(figure: Figure) -> Markup:
    groups = list((figure.by or {}).values()) if figure.by else [figure]
    return html.Div(
        [
            html.H2(figure.measure.title, className="figure-title"),
            *(
                html.P(
                    [
                        html.Span(f"{f.group} ", className="of-group") if f.group else None,
                        value(f, f"figure-value status-{f.status.value}"),
                        " ",
                        pill(f),
                    ],
                    className="figure-line",
                )
                for f in groups
            ),
            html.P(
                f"{evidence_line(figure)}{name_in_brackets(figure)}", className="muted figure-note"
            ),
            *map(_against_target, groups),
        ],
        className="card figure",
    )


def _against_target(figure: Figure) -> Markup | None:
    shown = against_target(figure)
    if shown is None or not figure.group:
        return shown
    return html.Div([html.Span(figure.group, className="of-group"), shown], className="row")


def _annotate(view: WorkspaceView, measure: str) -> Markup | None:
    """Way to the annotations of the workspace, for those who make them."""
    if view.role not in KEEPERS:
        return None
    query = {"workspace": view.slug, "about": f"{view.domain.key}.{measure}"}
    return html.P(
        link("Annotate", f"/platform/annotations?{urlencode(query)}"), className="s annotate"
    )


def _figure_title(figure: Figure) -> str:
    """Title of a figure, its group before it."""
    title = figure.measure.title
    return f"{figure.group}: {title.lower()}" if figure.group else title


def _chart(view: WorkspaceView, figure: Figure) -> Component:
    """The headline over time, with what people noted on its days."""
    measure = figure.measure.key
    noted = of_figure(view.annotations, view.domain.key, measure, view.slug)
    return dash_html.Section(
        [
            dash_html.H2(f"{_figure_title(figure)} over time", id="chart-title"),
            dash_html.P(figure.measure.definition, className="muted"),
            over_time(figure, noted),
            box_of_pieces(
                [note_list(noted, {}, numbered=True) if noted else None, _annotate(view, measure)],
                className="bare",
            ),
        ],
        className="card chart-card",
        **{"aria-labelledby": "chart-title"},
    )
