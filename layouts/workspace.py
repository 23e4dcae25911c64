"""One domain of one workspace, for its members: the same figures as on its card."""

from __future__ import annotations

from collections.abc import Mapping

from dash import dcc, html
from dash.development.base_component import Component

from aggregators import words
from aggregators.domains import DOMAINS
from aggregators.figures import Figure, LiveView, WorkspaceView
from auth.membership import MANAGERS
from layouts import ids, states
from layouts.chart import over_time
from layouts.grid import grid
from layouts.parts import accent_line, data, evidence_line, heading_part, link, named, pill, value


def workspace(view: WorkspaceView, links: Mapping[str, str] | None = None) -> list[Component]:
    """Breadcrumb, figures, chart, the live figures and the records behind them."""
    head = view.figures[view.domain.headline]
    listing = view.domain.records
    asked = listing.asked(links or {}) if listing else {}
    return [
        dcc.Store(id=ids.RECORDS_VIEW, data=_asks(view, asked)),
        accent_line(view.accent),
        html.Div(
            [
                _breadcrumb(view),
                html.H1(f"{view.name}: {view.domain.title}"),
                _line(view),
                _pages(view),
            ],
            className="heading",
            **data(
                start=view.period.start, end=view.period.end, updated=words.span(view.period.span)
            ),
        ),
        states.no_snapshot() if view.as_of is None else _figures(view),
        _chart(head) if head.has_data else html.P(_nothing(view), className="state card"),
        html.Div(id=ids.LIVE_FIGURES),
        *([grid(view, listing, asked)] if listing else []),
    ]


def _nothing(view: WorkspaceView) -> str:
    return view.domain.empty.replace("No workspace in scope has", f"{view.name} has not")


def _asks(view: WorkspaceView, asked: dict[str, str]) -> dict[str, object]:
    """What the page's own callbacks need to know; checked again when it comes back."""
    period = view.period
    absolute = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    given = {"period": str(period.preset)} if period.preset else absolute
    return {"path": view.domain.page(view.slug), "links": asked, **given}


def _pages(view: WorkspaceView) -> Component:
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


def live_figures(view: LiveView) -> Component:
    """The figures of the snapshot and those of this moment side by side, and why they differ."""
    before, now = view.snapshot, f"{view.at:%H:%M}"
    snapshot = words.day(before.as_of, year=False) if before.as_of else "no"
    rows = [
        row
        for key, figure in before.figures.items()
        for row in _live_rows(figure, view.figures[key])
    ]
    table = html.Table(
        [
            html.Caption("Figures of the snapshot and live", className="visually-hidden"),
            html.Thead(
                html.Tr(
                    [
                        html.Th("Measure", scope="col"),
                        html.Th(f"{snapshot} snapshot", scope="col", className="num"),
                        html.Th(f"Live, {now}", scope="col", className="num"),
                        html.Th("Difference", scope="col"),
                    ]
                )
            ),
            html.Tbody(rows),
        ],
        className="matrix",
    )
    return html.Details(
        [
            html.Summary("Numbers do not match? Snapshot and live side by side"),
            html.P(
                f"The executive page shows {words.span(before.period.span)} as the {snapshot} snapshot"
                f" counted it{_lag(view)}. Live is {words.span(view.span)}, from the records as they"
                f" stand at {view.at:%d %b %H:%M} {before.time_zone}.",
                className="muted",
            ),
            html.Div(
                table,
                className="matrix-scroll",
                tabIndex="0",
                role="group",
                **{"aria-label": "Snapshot and live"},
            ),
        ],
        className="card live",
    )


def _lag(view: LiveView) -> str:
    """How long ago the snapshot was computed; nothing where the clock is frozen before it."""
    computed = view.snapshot.snapshot_at
    seconds = (view.at - computed).total_seconds() if computed else -1.0
    return f", {words.duration(seconds)} ago" if seconds >= 0 else ""


def _live_rows(figure: Figure, live: Figure) -> list[Component]:
    if figure.by is None and live.by is None:
        return [_live_row(figure.measure.title, figure, live)]
    groups = sorted({*(figure.by or {}), *(live.by or {})})
    none = Figure(figure.measure)
    return [
        _live_row(
            f"{figure.measure.title}, {group}",
            (figure.by or {}).get(group, none),
            (live.by or {}).get(group, none),
        )
        for group in groups
    ]


def _live_row(title: str, figure: Figure, live: Figure) -> Component:
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


def _breadcrumb(view: WorkspaceView) -> Component:
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
