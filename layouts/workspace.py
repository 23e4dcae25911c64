"""One domain of one workspace, for its members: the same figures as on its card."""

from __future__ import annotations

from collections.abc import Mapping

from dash import dcc
from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.domains import DOMAINS
from aggregators.figures import Figure, WorkspaceView
from auth.membership import MANAGERS
from layouts import ids, states
from layouts.chart import over_time
from layouts.grid import grid
from layouts.markup import drawn, html
from layouts.parts import accent_line, data, evidence_line, heading_part, link, named, pill, value


def workspace(view: WorkspaceView, links: Mapping[str, str] | None = None) -> list[Component]:
    """Breadcrumb, figures, chart, the live figures and the records behind them."""
    head = view.figures[view.domain.headline]
    listing = view.domain.records
    asked = listing.asked(links or {}) if listing else {}
    return [
        dcc.Store(id=ids.RECORDS_VIEW, data=_asks(view, asked)),
        drawn(
            [
                accent_line(view.accent),
                _heading(view),
                states.no_snapshot() if view.as_of is None else _figures(view),
                None if head.has_data else html.P(view.why_empty, className="state card"),
            ],
            className="bare",
        ),
        *([_chart(head)] if head.has_data else []),
        dash_html.Div(id=ids.LIVE_FIGURES),
        *([grid(view, listing, asked)] if listing else []),
    ]


def _heading(view: WorkspaceView) -> Markup:
    return html.Div(
        [
            _breadcrumb(view),
            html.H1(f"{view.name}: {view.domain.title}"),
            _line(view),
            _pages(view),
        ],
        className="heading",
        **data(start=view.period.start, end=view.period.end, updated=words.span(view.period.span)),
    )


def _asks(view: WorkspaceView, asked: dict[str, str]) -> dict[str, object]:
    """What the page's own callbacks need to know; checked again when it comes back."""
    period = view.period
    absolute = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    given = {"period": str(period.preset)} if period.preset else absolute
    return {"path": view.domain.page(view.slug), "links": asked, **given}


def _pages(view: WorkspaceView) -> Markup:
    """The other pages of the workspace."""
    pages = [
        html.Li(
            link(
                d.title,
                f"{d.page(view.slug)}?{view.period.query}",
                **({"aria-current": "page"} if d.key == view.domain.key else {}),
            )
        )
        for d in DOMAINS
    ]
    if view.role in MANAGERS:
        pages.append(html.Li(link("Members", f"/ws/{view.slug}/admin/members")))
    return html.Nav(html.Ul(pages), className="pages", **{"aria-label": f"{view.name}, pages"})


def _breadcrumb(view: WorkspaceView) -> Markup:
    back = (
        [html.Li(link("Executive", f"/ws/{view.slug}/platform/executive?{view.period.query}"))]
        if view.is_platform_admin
        else []
    )
    return html.Nav(
        html.Ol(
            [
                html.Li(link("Your workspaces", "/start?choose=1")),
                *back,
                html.Li(view.name),
                html.Li(html.Span(view.domain.title, **{"aria-current": "page"})),
            ]
        ),
        className="breadcrumb",
        **{"aria-label": "Breadcrumb"},
    )


def _line(view: WorkspaceView) -> Markup:
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
    return dash_html.Section(
        [
            dash_html.H2(f"{figure.measure.title} over time", id="chart-title"),
            dash_html.P(figure.measure.definition, className="muted"),
            over_time(figure),
        ],
        className="card chart-card",
        **{"aria-labelledby": "chart-title"},
    )
