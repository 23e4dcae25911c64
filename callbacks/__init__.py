"""Ids to reads to layouts: each callback a few lines."""

from __future__ import annotations

from dash import Dash

from callbacks import page, records
from callbacks.services import Services


def register(app: Dash, services: Services) -> None:
    """Hangs every callback on the app."""
    page.register(app, services)
    records.register(app, services)
