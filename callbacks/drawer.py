"""The drawer of the evidence: the answer that is asked about, and the first records behind it."""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, Input, Output
from dash.development.base_component import Component

from aggregators.pooling.dashboard import Dashboard
from callbacks.services import CallbackServices
from layouts import ids
from layouts.executive.drawer import drawer, source_of
from layouts.focus import Look, parse_why
from layouts.workspace.counted import DeploymentsOf

Drawn = list[Component]


def register(app: Dash, services: CallbackServices) -> None:
    """The one callback."""

    @app.callback(Output(ids.DRAWER, "children"), Input(ids.WHY, "data"), prevent_initial_call=True)
    def draw_drawer(view: object) -> Drawn:
        look, key = parse_why(view)
        if not key:
            return []
        return services.drawn(look.ask.plain, None, lambda d: _drawer(d, key, look, services))


def _drawer(dashboard: Dashboard, key: str, look: Look, services: CallbackServices) -> Drawn:
    source = source_of(dashboard, key)
    if source is None:
        return []
    counted: Sequence[DeploymentsOf] = ()
    if source.card and source.scorecard:
        counted = services.counted_as(source.card.slug, source.scorecard.domain.key)
    return drawer(dashboard, source, services.evidence(source, look.ask), counted)
