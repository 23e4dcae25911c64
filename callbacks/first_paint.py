"""Figures in the first answer: the executive page as the callback will draw it, where that is kept ready.

Nobody waits for them: where they would have to be computed, the answer has the skeleton, and the page's own
request computes them while the browser fetches the scripts.
"""

from __future__ import annotations

from flask import request

from aggregators.vocabulary.period import DEFAULT_PRESET, InvalidPeriod
from callbacks.page import drawing_name
from callbacks.services import CallbackServices
from layouts import ids
from layouts.executive.page import ExecutivePage
from layouts.focus import MalformedView, parse
from layouts.paths import EXECUTIVE
from layouts.pieces.static import without_behaviour
from reading.dashboard import NotPlatformAdmin
from web.shell.dash_page import FirstFigures

PERIOD = ("period", "start", "end")
OPENED = {
    "compare": "compare",
    "domain": "domain",
    "measure": "measure",
    "rank": "rank",
    "mode": "view",
}
"""Parts of the view, and the parameters of the address that say them."""


def figures_that_are_ready(services: CallbackServices) -> FirstFigures | None:
    """Figures of the request's address; None for another page, and where they are not ready or can not be
    shown: the page's own request will say why."""
    matched = EXECUTIVE.fullmatch(request.path)
    if matched is None:
        return None
    given = {name: request.args[name] for name in PERIOD if name in request.args}
    opened = {part: request.args.get(name, "") for part, name in OPENED.items()}
    try:
        look = parse({"path": request.path, **(given or {"period": str(DEFAULT_PRESET)}), **opened})
        name = drawing_name(ids.PAGE, look.focus, matched[1])
        made = services.ready(look.ask, name) if name else None
    except (MalformedView, InvalidPeriod, NotPlatformAdmin):
        return None
    if not isinstance(made, ExecutivePage):
        return None
    return FirstFigures(
        without_behaviour(made.at(services.settings.now(), services.late(), services.news()))
    )
