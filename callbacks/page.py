"""Draws the page that the address names, and the domain that is open in it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from dash import Dash, Input, Output
from dash.development.base_component import Component
from markupsafe import Markup
from sqlalchemy.exc import OperationalError

from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary import formats
from aggregators.vocabulary.period import InvalidPeriod
from callbacks.services import CallbackServices
from layouts import ids, states
from layouts.executive.expansion import comparison, expansion, next_pieces
from layouts.executive.page import page
from layouts.focus import Focus, Look, parse
from layouts.paths import EXECUTIVE, WORKSPACE_PAGES
from layouts.pieces.markup import box_of_pieces
from layouts.workspace.page import workspace
from reading.dashboard import NotPlatformAdmin
from reading.workspace_page import NotAMember
from web.errors import problem_of

LOG = logging.getLogger(__name__)


def register(app: Dash, services: CallbackServices) -> None:
    """The whole page, and what changes in the open domain alone. Nothing is drawn before the address
    has been read, and nothing twice because its place was drawn anew."""

    @app.callback(
        Output(ids.PAGE, "children"),
        Output(ids.LIVE, "children"),
        Input(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def draw_page(view: object) -> Shown:
        return _page(view, services)

    for output, store, draw in (
        (ids.EXPANSION, ids.FOCUS, expansion),
        (ids.COMPARISON, ids.PINS, comparison),
        (ids.NEXT, ids.MORE, next_pieces),
    ):
        _add_part_callback(app, services, output, store, draw)


Draw = Callable[[Dashboard, Focus], Component | None]


def _add_part_callback(
    app: Dash, services: CallbackServices, output: str, store: str, draw: Draw
) -> None:
    """Adds the callback that draws a part of the page when its store changes."""

    @app.callback(Output(output, "children"), Input(store, "data"), prevent_initial_call=True)
    def draw_within(view: object) -> Component | list[Component]:
        look = parse(view)
        if look.focus is None:
            return []
        focus = look.focus
        made = services.drawn(look.ask, drawing_name(output, focus), lambda d: draw(d, focus))
        return [] if made is None else made


def drawing_name(output: str, focus: Focus | None, slug: str = "") -> tuple[object, ...] | None:
    """Name that a drawing is kept by; none where somebody types or chooses, which few do alike."""
    if focus is not None and (focus.find or focus.pins):
        return None
    return output, focus, slug


Shown = tuple[list[Component] | Component, str]
REFUSALS: dict[type[Exception], Callable[[Exception], tuple[Markup, str]]] = {
    InvalidPeriod: lambda error: (
        states.invalid(problem_of(error).detail),
        "That period can not be shown.",
    ),
    NotPlatformAdmin: lambda _: (states.forbidden(), "You can not see this page."),
    NotAMember: lambda _: (states.unknown(), "There is no such page."),
    OperationalError: lambda _: (states.unavailable(), "The figures can not be reached."),
}
"""States that the page shows in place of figures, and the words that are announced."""


def _page(view: object, services: CallbackServices) -> Shown:
    try:
        return _draw_page(parse(view), services)
    except tuple(REFUSALS) as error:
        kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
        if kind is OperationalError:
            LOG.warning("the page could not be drawn", exc_info=error)
        state, announced = REFUSALS[kind](error)
        return box_of_pieces(state), announced


def _draw_page(look: Look, services: CallbackServices) -> Shown:
    """The page that a look asks for, and what is announced of it."""
    if executive := EXECUTIVE.fullmatch(look.path):
        slug, focus = executive[1], look.focus
        made = services.drawn(
            look.ask, drawing_name(ids.PAGE, focus, slug), lambda d: page(d, focus, slug)
        )
        return made.at(
            services.settings.now(), services.late(), services.news()
        ), f"Updated: {made.updated}"
    for key, pattern in WORKSPACE_PAGES.items():
        if matched := pattern.fullmatch(look.path):
            view = services.workspace(matched[1], key, look.ask)
            counted = services.counted_as(matched[1], key)
            return workspace(
                view, look.links, counted
            ), f"Updated: {formats.span(view.period.span)}"
    return box_of_pieces(states.unknown()), "There is no such page."
