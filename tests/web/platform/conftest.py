"""Fixtures of the pages for platform admins."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.web.conftest import web as web
from tests.webworld import DAY


@pytest.fixture
def drifting(web):
    """A drift in each of the two workspaces, told last night."""
    for slug in ("alpha", "beta"):
        signal = {"series": "failed_deployments/ended_deployments", "opened_on": DAY,
                  "grade": "drifting", "since": DAY - timedelta(days=9), "give_or_take": 3,
                  "evidence": 14.0, "usual": 0.1, "now": 0.31, "extra": 17.2,
                  "seen_on": DAY}  # fmt: skip
        web.world.add(getattr(web.world, slug), "watch_signal", [signal])
    with web.world.database.job.begin() as connection:
        watched = text("insert into watch_day (series, day, share) values ('x', :day, 1)")
        connection.execute(watched, {"day": DAY})
    return web
