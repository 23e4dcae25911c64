"""The executive page: header line, answers, six tiles, and the domain that is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dash import html as dash_html
from dash.development.base_component import Component
from markupsafe import Markup

from aggregators import words
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary import formats
from layouts import ids, states
from layouts.executive.answers import answers
from layouts.executive.expansion import expansion
from layouts.executive.late import LateSource, late_banner, with_late_marks
from layouts.executive.news import News, news_strip
from layouts.executive.tile import tile
from layouts.focus import Focus
from layouts.pieces.markup import box_of_pieces, html
from layouts.pieces.parts import accent_line, data, freshness, heading_part

AMBER, RED = timedelta(hours=26), timedelta(hours=48)


class ExecutivePage(NamedTuple):
    """Everything below the title bar but for what changes with the clock, so that it can be kept."""

    top: Component
    body: list[Component]
    as_of: date | None
    updated: str

    def at(
        self, now: datetime | None, late: Sequence[LateSource] = (), news: News | None = None
    ) -> list[Component]:
        """The whole of it, as it is read now, with the sources that are late by then and what is new."""
        if self.as_of is None:
            return [self.top, *self.body]
        strips = [stale_notice(self.as_of, now), late_banner(late), news and news_strip(news, now)]
        body = [with_late_marks(part, late) for part in self.body]
        return [self.top, *(box_of_pieces(strip) for strip in strips if strip), *body]


def page(dashboard: Dashboard, focus: Focus | None, slug: str = "") -> ExecutivePage:
    """In the colour of the workspace ``slug`` that one came from."""
    accent = accent_line(dashboard.scope.accents.get(slug))
    top = box_of_pieces([accent, heading(dashboard)])
    return ExecutivePage(
        top, _body(dashboard, focus), dashboard.as_of, formats.span(dashboard.period.span)
    )


def _body(dashboard: Dashboard, focus: Focus | None) -> list[Component]:
    if not dashboard.scope.slugs:
        return [box_of_pieces(states.no_scope(dashboard))]
    if dashboard.as_of is None:
        return [box_of_pieces(states.no_snapshot())]
    opened = [expansion(dashboard, focus)] if focus else []
    tiles = [tile(s, dashboard, focus and focus.domain) for s in dashboard.scorecards]
    return [
        box_of_pieces([states.partial_notice(dashboard), answers(dashboard.answers)]),
        dash_html.Div(
            [
                box_of_pieces(tiles, className="bare"),
                dash_html.Div(opened, id=ids.EXPANSION, className="expansion-slot"),
            ],
            className="tiles",
        ),
    ]


def heading(dashboard: Dashboard) -> Markup:
    """Facts under the title: what is counted, over which days, how new it is."""
    return html.Div(
        [_scope(dashboard), *map(heading_part, _period(dashboard)), _freshness(dashboard)],
        className="heading sub",
        **data(
            start=dashboard.period.start,
            end=dashboard.period.end,
            updated=formats.span(dashboard.period.span),
        ),
    )


def _scope(dashboard: Dashboard) -> Markup:
    """How many workspaces are in scope, and on a click who was left out and why."""
    scope = dashboard.scope
    inside = len(scope.slugs) - len(scope.unavailable)
    if inside == scope.total:
        return html.Span(formats.counted(inside, "workspace"), className="heading-part")
    reasons = [
        html.Li(f"{name}: {words.REASONS.get(reason, reason)}")
        for reason, names in scope.left_out.items()
        for name in names
    ]
    reasons += [html.Li(f"{scope.names[slug]}: could not be read") for slug in scope.unavailable]
    return html.Details(
        [
            html.Summary(
                f"{formats.number(inside)} of {formats.counted(scope.total, 'workspace')}"
            ),
            html.Div([html.H4("Left out"), html.Ul(reasons)], className="pop"),
        ],
        className="scope heading-part",
    )


def _period(dashboard: Dashboard) -> list[str]:
    period = dashboard.period
    return [text for text in (formats.span(period.span), words.compared_with(period)) if text]


def _freshness(dashboard: Dashboard) -> Markup:
    if dashboard.as_of is None:
        return heading_part("no data yet")
    day = formats.day(dashboard.as_of, year=False)
    until = f"data to {day} 23:59 {dashboard.time_zone}"
    return freshness(until, day)


def age(as_of: date | None, now: datetime | None) -> timedelta | None:
    """How long ago the last snapshot day ended, in the time zone of ``now``, the reporting one."""
    if as_of is None or now is None:
        return None
    day = as_of + timedelta(days=1)
    return now - datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)


def stale_notice(as_of: date | None, now: datetime | None) -> Markup | None:
    """Amber past 26 hours, red past 48, with what to do."""
    old = age(as_of, now)
    if old is None or old <= AMBER:
        return None
    level = "bad" if old > RED else "watch"
    return html.Div(
        [
            html.Strong(f"The data are {formats.duration(old.total_seconds())} old."),
            " The nightly snapshot was missed; it is made up as soon as it can be. ",
            html.A("What happened, and take one now", href="/platform/nights"),
            ".",
        ],
        className=f"banner banner-{level}",
        role="status",
    )
