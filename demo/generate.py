"""A team's raw records over a range of days, from its habits and a seed. Pure and deterministic."""

from __future__ import annotations

import random

from aggregators import catalogue
from aggregators.records.demo import Cause, Rows, Team, Window

GENERATORS = catalogue.parts("demo")
"""Modules with ``rows(team, window, rng, causes)``, by the domain's key, in the domains' order: a domain
may cause something in those after it."""


def records(team: Team, window: Window, seed: int) -> Rows:
    """Every record of a team, by table. What happens in one domain leaves the others as they are, but for
    what it causes there."""
    if team.retired:
        window = Window(window.first, max(window.first, window.ago(team.retired)), window.zone)
    rows: Rows = {}
    causes: list[Cause] = []
    for key, module in GENERATORS.items():
        stream = getattr(module, "STREAM", key)
        rng = random.Random(f"{seed}:{team.slug}:{stream}")  # noqa: S311 - no secret
        rows |= module.rows(team, window, rng, causes)
    return rows
