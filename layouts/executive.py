"""The executive page: header line, answers, six tiles, and the domain that is open."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.figures import Dashboard
from layouts import ids, states
from layouts.answers import answers
from layouts.expansion import expansion
from layouts.focus import Focus
from layouts.markup import drawn, html
from layouts.parts import accent_line, data, heading_part
from layouts.tile import tile

AMBER, RED = timedelta(hours=26), timedelta(hours=48)


class Page(NamedTuple):
    """Everything below the title bar but for what changes with the clock, so that it can be kept."""

    top: Component
    body: list[Component]
    as_of: date | None
    updated: str

    def at(self, now: datetime | None) -> list[Component]:
        """The whole of it, as it is read now."""
        banner = stale(self.as_of, now)
        return [self.top, *([drawn(banner)] if banner else []), *self.body]


def page(dashboard: Dashboard, focus: Focus | None, slug: str = "") -> Page:
    """In the colour of the workspace ``slug`` that one came from."""
    accent = accent_line(dashboard.scope.accents.get(slug))
    top = drawn([accent, heading(dashboard)], className="bare")
    return Page(top, _body(dashboard, focus), dashboard.as_of, words.span(dashboard.period.span))


def _body(dashboard: Dashboard, focus: Focus | None) -> list[Component]:
    if not dashboard.scope.slugs:
        return [drawn(states.no_scope(dashboard))]
    if dashboard.as_of is None:
        return [drawn(states.no_snapshot())]
    opened = [expansion(dashboard, focus)] if focus else []
    tiles = [tile(s, dashboard, focus and focus.domain) for s in dashboard.scorecards]
    return [
        drawn([states.partial(dashboard), answers(dashboard.answers)]),
        dash_html.Div(
            [
                drawn(tiles, className="six bare"),
                dash_html.Div(opened, id=ids.EXPANSION, className="expansion-slot"),
            ],
            className="tiles",
        ),
    ]


def heading(dashboard: Dashboard) -> Markup:
    """The title and one line that says what is counted."""
    return html.Div(
        [
            html.H1("Executive dashboard"),
            html.Div(
                [
                    _scope(dashboard),
                    heading_part(_period(dashboard)),
                    heading_part(_freshness(dashboard)),
                ],
                className="heading-line muted",
            ),
        ],
        className="heading",
        **data(
            start=dashboard.period.start,
            end=dashboard.period.end,
            updated=words.span(dashboard.period.span),
        ),
    )


def _scope(dashboard: Dashboard) -> Markup:
    scope = dashboard.scope
    inside = len(scope.slugs) - len(scope.unavailable)
    if inside == scope.total:
        return html.Span(words.counted(inside, "workspace"), className="heading-part")
    reasons = [
        html.Li(f"{name}: {words.REASONS.get(reason, reason)}")
        for reason, names in scope.left_out.items()
        for name in names
    ]
    reasons += [html.Li(f"{scope.names[slug]}: could not be read") for slug in scope.unavailable]
    return html.Details(
        [
            html.Summary(f"{words.number(inside)} of {words.counted(scope.total, 'workspace')}"),
            html.Div([html.P("Left out:"), html.Ul(reasons)], className="popover"),
        ],
        className="scope heading-part",
    )


def _period(dashboard: Dashboard) -> str:
    period = dashboard.period
    return f"{words.span(period.span)} vs {words.span(period.previous)}"


def _freshness(dashboard: Dashboard) -> str:
    if dashboard.as_of is None:
        return "no data yet"
    return f"data to {words.day(dashboard.as_of, year=False)} 23:59 {dashboard.time_zone}"


def age(as_of: date | None, now: datetime | None) -> timedelta | None:
    """How long ago the last snapshot day ended, in the time zone of ``now``, the reporting one."""
    if as_of is None or now is None:
        return None
    day = as_of + timedelta(days=1)
    return now - datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)


def stale(as_of: date | None, now: datetime | None) -> Markup | None:
    """Amber past 26 hours, red past 48, with what to do."""
    old = age(as_of, now)
    if old is None or old <= AMBER:
        return None
    level = "bad" if old > RED else "watch"
    return html.Div(
        [
            html.Strong(f"The data are {words.duration(old.total_seconds())} old."),
            " The nightly snapshot did not run. An operator runs ",
            html.Code("flask --app app snapshot run"),
            ".",
        ],
        className=f"banner banner-{level}",
        role="status",
    )
