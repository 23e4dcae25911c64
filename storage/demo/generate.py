"""A team's raw records over a range of days, from its habits and a seed. Pure and deterministic."""

from __future__ import annotations

import random

from storage.demo import certificates, controls, delivery, incidents, objectives, vendors
from storage.demo.stories import Team
from storage.demo.window import Rows, Window


def records(team: Team, window: Window, seed: int) -> Rows:
    """Every record of a team, by table. What happens in one domain leaves the others as they are."""
    if team.retired:
        window = Window(window.first, max(window.first, window.ago(team.retired)), window.zone)

    def rng(domain: str) -> random.Random:
        return random.Random(f"{seed}:{team.slug}:{domain}")  # noqa: S311 - no secret

    made, causes = delivery.rows(team, window, rng("delivery"))
    return {
        **made,
        **incidents.rows(team, window, causes, rng("incidents")),
        **objectives.rows(team, window, rng("objectives")),
        **controls.rows(team, window, rng("controls")),
        **certificates.rows(team, window, rng("certificates")),
        **vendors.rows(team, window, rng("vendors")),
    }
