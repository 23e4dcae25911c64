"""Draws the page that the address names, and the domain that is open in it."""

from __future__ import annotations

from collections.abc import Callable

from dash import Dash, Input, Output
from dash.development.base_component import Component
from sqlalchemy.exc import OperationalError

from aggregators import words
from aggregators.figures import Dashboard
from aggregators.period import InvalidPeriod
from aggregators.read import NoSuchWorkspace, NotPlatformAdmin
from callbacks.pages import EXECUTIVE, WORKSPACES
from callbacks.services import Services
from layouts import ids, states
from layouts.executive import executive
from layouts.expansion import comparison, expansion, following
from layouts.focus import Focus, Look, parse
from layouts.workspace import workspace


def register(app: Dash, services: Services) -> None:
    """The whole page, and what changes in the open domain alone. Nothing is drawn before the address
    has been read, and nothing twice because its place was drawn anew."""

    @app.callback(
        Output(ids.PAGE, "children"),
        Output(ids.LIVE, "children"),
        Output("account", "children"),
        Input(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def draw_page(view: object) -> tuple[list[Component] | Component, str, str]:
        viewer = services.viewer()
        page, said = _page(view, services)
        return page, said, viewer.email

    for place, store, draw in (
        (ids.EXPANSION, ids.FOCUS, expansion),
        (ids.COMPARISON, ids.PINS, comparison),
        (ids.NEXT, ids.MORE, following),
    ):
        _within(app, services, place, store, draw)


Draw = Callable[[Dashboard, Focus], Component | None]


def _within(app: Dash, services: Services, place: str, store: str, draw: Draw) -> None:
    @app.callback(Output(place, "children"), Input(store, "data"), prevent_initial_call=True)
    def draw_within(view: object) -> Component | list[Component]:
        look = parse(view)
        if look.focus is None:
            return []
        drawn = draw(services.dashboard(look.ask), look.focus)
        return [] if drawn is None else drawn


def _page(view: object, services: Services) -> tuple[list[Component] | Component, str]:
    try:
        return _drawn(parse(view), services)
    except InvalidPeriod as wrong:
        return states.invalid(f"{wrong.field} {wrong}"), "That period can not be shown."
    except NotPlatformAdmin:
        return states.forbidden(), "You can not see this page."
    except OperationalError:
        return states.unavailable(), "The figures can not be reached."


def _drawn(look: Look, services: Services) -> tuple[list[Component] | Component, str]:
    if found := EXECUTIVE.fullmatch(look.path):
        dashboard = services.dashboard(look.ask)
        return executive(
            dashboard, look.focus, found[1]
        ), f"Updated: {words.span(dashboard.period.span)}"
    for key, pattern in WORKSPACES.items():
        if matched := pattern.fullmatch(look.path):
            try:
                shown = services.workspace(matched[1], key, look.ask)
            except NoSuchWorkspace:
                break
            return workspace(shown, look.links), f"Updated: {words.span(shown.period.span)}"
    return states.unknown(), "There is no such page."
