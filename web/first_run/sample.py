"""Sample data for a first look, made like any other figures."""

from __future__ import annotations

from datetime import timedelta

import demo
from reading.signals import night
from settings import Settings
from storage import audit
from storage.database import Database
from storage.viewer import Viewer
from web.first_run.steps import WrongStep


def load(database: Database, settings: Settings, viewer: Viewer) -> int:
    """Loads it, with the person as platform admin of it; how many workspaces. Raises WrongStep."""
    try:
        count = demo.load_sample(database, settings, viewer.user_id)
    except (demo.NotEmpty, demo.Interrupted) as error:
        raise WrongStep(str(error)) from error
    night.run(database, settings.now().date() - timedelta(days=1))
    with database.job.begin() as connection:
        audit.record(connection, viewer.email, "sample.load", "", {"workspaces": count})
    return count
