"""Worlds after a night of the watch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from reading.signals import night
from tests.conftest import TODAY
from tests.world import World


def after_the_night(database, settings, build: Callable[[World], World]) -> World:
    """World that ``build`` fills, after the watch of its last night."""
    made = build(World(database, settings))
    night.run(database, TODAY - timedelta(days=1))
    return made
