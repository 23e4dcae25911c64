"""The workspace page's own callbacks: rows for the grid, and the live figures."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from dash import Dash, Input, Output, State
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from aggregators.catalogue import DOMAINS
from callbacks.services import CallbackServices
from layouts import ids
from layouts.focus import Look, parse
from layouts.paths import WORKSPACE_PAGES
from layouts.workspace.live import live_figures
from layouts.workspace.records import count_sentence, csv_href, rows
from reading.grid_request import parse as parse_request

LISTINGS = {d.key: d.records for d in DOMAINS if d.records}


def register(app: Dash, services: CallbackServices) -> None:
    """The two callbacks."""

    @app.callback(
        Output(ids.RECORDS, "getRowsResponse"),
        Output(ids.RECORDS_COUNT, "children"),
        Output(ids.RECORDS_CSV, "href"),
        Input(ids.RECORDS, "getRowsRequest"),
        State(ids.RECORDS_VIEW, "data"),
    )
    def draw_rows(request: Any, view: object) -> tuple[dict[str, Any], str, str]:
        if request is None or view is None:
            raise PreventUpdate
        look = parse(view)
        slug, key = _workspace_and_domain(look)
        listing = LISTINGS[key]
        wanted = parse_request(listing, request)
        page = services.records(slug, key, look.ask, look.links, wanted)
        response = {"rowData": rows(page), "rowCount": page.total}
        return response, count_sentence(page), csv_href(slug, key, *_query(look, request))

    @app.callback(Output(ids.LIVE_FIGURES, "children"), Input(ids.RECORDS_VIEW, "data"))
    def draw_live(view: object) -> Component:
        if view is None:
            raise PreventUpdate
        look = parse(view)
        return live_figures(services.live(*_workspace_and_domain(look), look.ask))


def _workspace_and_domain(look: Look) -> tuple[str, str]:
    """Workspace and domain of the page's path."""
    for key, pattern in WORKSPACE_PAGES.items():
        if matched := pattern.fullmatch(look.path):
            return matched[1], key
    raise PreventUpdate


def _query(look: Look, request: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Period, and what the grid is filtered and sorted by, for the CSV's address."""
    more = dict(look.links)
    for name, key in (("filter", "filterModel"), ("sort", "sortModel")):
        if request.get(key):
            more[name] = orjson.dumps(request[key]).decode()
    ask = look.ask
    period = (
        {"period": str(ask.preset)}
        if ask.preset
        else {"start": str(ask.start), "end": str(ask.end)}
    )
    return urlencode(period), more
