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
from layouts.executive import page
from layouts.expansion import comparison, expansion, following
from layouts.focus import Focus, Look, parse
from layouts.markup import drawn
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
        shown, said = _page(view, services)
        return shown, said, viewer.email

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
        focus = look.focus
        made = services.drawn(look.ask, _named(place, focus), lambda d: draw(d, focus))
        return [] if made is None else made


def _named(place: str, focus: Focus | None, slug: str = "") -> tuple[object, ...] | None:
    """What a drawing depends on; without a name where somebody types or chooses, which few do alike."""
    if focus is not None and (focus.find or focus.pins):
        return None
    return place, focus, slug


def _page(view: object, services: Services) -> tuple[list[Component] | Component, str]:
    try:
        return _drawn(parse(view), services)
    except InvalidPeriod as wrong:
        return drawn(states.invalid(f"{wrong.field} {wrong}")), "That period can not be shown."
    except NotPlatformAdmin:
        return drawn(states.forbidden()), "You can not see this page."
    except OperationalError:
        return drawn(states.unavailable()), "The figures can not be reached."


def _drawn(look: Look, services: Services) -> tuple[list[Component] | Component, str]:
    if found := EXECUTIVE.fullmatch(look.path):
        slug, focus = found[1], look.focus
        made = services.drawn(
            look.ask, _named(ids.PAGE, focus, slug), lambda d: page(d, focus, slug)
        )
        return made.at(services.settings.now()), f"Updated: {made.updated}"
    for key, pattern in WORKSPACES.items():
        if matched := pattern.fullmatch(look.path):
            try:
                shown = services.workspace(matched[1], key, look.ask)
            except NoSuchWorkspace:
                break
            return workspace(shown, look.links), f"Updated: {words.span(shown.period.span)}"
    return drawn(states.unknown()), "There is no such page."
