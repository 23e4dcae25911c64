"""Ids to reads to layouts: each callback a few lines."""

from __future__ import annotations

from dash import Dash

from callbacks import drawer, page, records
from callbacks.services import CallbackServices


def register(app: Dash, services: CallbackServices) -> None:
    """Hangs every callback on the app."""
    page.register(app, services)
    records.register(app, services)
    drawer.register(app, services)
