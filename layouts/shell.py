"""What every page has: the title bar with its controls, the places that callbacks fill, the help."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from aggregators.period import PRESETS
from layouts import ids
from layouts.markup import drawn
from layouts.parts import data
from layouts.states import skeleton

KEYS = (
    ("/", "find a workspace"),
    ("1 to 6", "open a tile"),
    ("p", "period"),
    ("e", "export the PDF"),
    ("t", "cards or table"),
    ("Esc", "close"),
    ("?", "this help"),
)
FORMATS = ("csv", "xlsx", "json")


def shell() -> Component:
    """The layout; assets/vigilo.js fills the stores from the address, callbacks the page."""
    return html.Div(
        [
            html.A("Skip to content", href=f"#{ids.PAGE}", className="skip"),
            dcc.Store(id=ids.VIEW),
            dcc.Store(id=ids.FOCUS),
            dcc.Store(id=ids.PINS),
            dcc.Store(id=ids.MORE),
            html.Header(_controls(), className="topbar"),
            html.Div(id=ids.NOTICE, role="alert", className="notice"),
            html.Main(drawn(skeleton()), id=ids.PAGE, tabIndex="-1"),
            html.Div(id=ids.LIVE, role="status", className="visually-hidden"),
            _help(),
        ],
        className="shell",
    )


def _controls() -> Component:
    return html.Div(
        [
            html.Div([_period(), _custom()], className="period-box"),
            html.Button("Copy link", type="button", className="button quiet", **data(copy="1")),
            _export(),
            html.Button(
                [
                    "Theme",
                    html.Span(": switch between light and dark", className="visually-hidden"),
                ],
                id="theme",
                type="button",
                className="button quiet",
            ),
            _account(),
        ],
        className="controls",
    )


def _export() -> Component:
    """The board pack with one press, its figures in other formats behind the arrow."""
    return html.Div(
        [
            html.Button("Export PDF", id="export", type="button", className="button primary"),
            html.Details(
                [
                    html.Summary(
                        html.Span("Other formats", className="visually-hidden"),
                        className="button primary",
                    ),
                    html.Div(
                        [
                            html.Button(
                                f"Export {name.upper()}",
                                type="button",
                                className="button quiet",
                                **data(format=name),
                            )
                            for name in FORMATS
                        ],
                        className="popover popover-right",
                    ),
                ],
                className="formats menu",
            ),
            html.Div(html.Div(className="progress-run"), className="progress", id="progress"),
        ],
        className="export-box",
    )


def _account() -> Component:
    """Who is signed in, the help, the way out."""
    return html.Details(
        [
            html.Summary("Account"),
            html.Div(
                [
                    html.P(id="account", className="muted"),
                    html.Button(
                        "Keyboard help",
                        type="button",
                        className="button quiet",
                        **data(help="1"),
                    ),
                    html.A("Your exports", href="/exports", className="button quiet"),
                    html.A("Sign out", href="/logout", className="button quiet"),
                ],
                className="popover popover-right",
            ),
        ],
        className="account menu",
    )


def _period() -> Component:
    options = [html.Option(f"Last {days} days", value=str(days)) for days in PRESETS]
    return html.Label(
        [
            html.Span("Period", className="control-label"),
            html.Select(
                [*options, html.Option("Custom range", value="custom")],
                id=ids.PERIOD,
                className="select",
                **data(select="period", value="28"),
            ),
        ],
        className="control",
    )


def _custom() -> Component:
    """Two dates; made by assets/vigilo.js, since Dash has no native date input."""
    return html.Div(id="custom", className="custom")


def _help() -> Component:
    return html.Dialog(
        [
            html.H2("Keyboard", id="help-title"),
            html.Dl([html.Div([html.Dt(html.Kbd(key)), html.Dd(what)]) for key, what in KEYS]),
            html.Button(
                "Turn the keys off", type="button", className="button quiet", id="keys-off"
            ),
            html.Button("Close", type="button", className="button", **data(help_close="1")),
        ],
        id="help",
        className="help",
        **{"aria-labelledby": "help-title"},
    )
