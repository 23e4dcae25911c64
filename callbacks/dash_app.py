"""Dash on the application: its page, layout and scripts, and every callback."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dash import Dash
from dash.development.base_component import Component
from flask import Flask

import callbacks
from callbacks.first_paint import figures_that_are_ready
from callbacks.guard import strict_callbacks
from callbacks.services import CallbackServices
from layouts.pieces.static import without_behaviour
from layouts.rules import PageRules
from layouts.shell import shell
from settings import Settings
from web.document import INDEX, made_daily, parts_of, serve_assets
from web.people import csrf_cookie
from web.server.application import ROOT
from web.shell import dash_page

DRAWN = "/<path:path>"
CONSTANT = ("/_dash-layout", "/_dash-dependencies")
"""Dash makes these anew for each request, though the layout is the same for everyone for a day: it says
which day it is."""


def create_dash(app: Flask, services: CallbackServices) -> Dash:
    """Dash, mounted on the application."""
    dash_app = Dash(
        "app",
        server=app,  # type: ignore[arg-type] # Dash annotates its own default only
        assets_folder=str(ROOT / "assets"),
        assets_ignore="follow.js|theme.js|base.css",
        assets_path_ignore=["^page$"],
        title="Vigilo Executive",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,
        serve_locally=True,
        csrf_token_name=csrf_cookie.name(secure=services.settings.is_secure),
    )
    assets = Path(dash_app.config.assets_folder)
    dash_app.index_string = INDEX
    serve_assets(app, assets)
    dash_app.layout = _layout(services.settings)
    callbacks.register(dash_app, services)
    strict_callbacks(app, dash_app)
    # Dash sets itself up within the first request, and says that it is done before it is: of several first
    # requests at once, which a browser sends for the scripts, all but one would meet a server error.
    with app.test_request_context():
        dash_app._setup_server()  # type: ignore[no-untyped-call]
        first = without_behaviour(_layout(services.settings)())
        parts = parts_of(dash_app.index(), assets, first)  # type: ignore[no-untyped-call]
    app.view_functions[DRAWN] = dash_page.view(
        services.engine, lambda: parts, partial(figures_that_are_ready, services)
    )
    for endpoint in CONSTANT:
        app.view_functions[endpoint] = made_daily(
            app.view_functions[endpoint], lambda: services.settings.now().date()
        )
    return dash_app


def _layout(settings: Settings) -> Callable[[], Component]:
    def layout() -> Component:
        return shell(PageRules.at(settings.now(), is_frozen=settings.today is not None))

    return layout
