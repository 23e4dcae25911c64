"""Page of the nightly snapshot: how the last ones went, what is missing, and one to be taken now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine

from scheduling.context import ScheduleContext
from settings import Settings
from storage import audit
from storage.database import Database
from storage.scheduled import nights, runs
from storage.scheduled.runs import SNAPSHOT
from web.forms import PageForm
from web.operation import Operation, Outcome
from web.platform.rights import platform_admin

PATH = "/platform/nights"
SHOWN = 14
"""Nights that the page lists."""


class SnapshotForm(PageForm):
    """A snapshot asked for by hand; nothing is to be chosen."""


PAGE = Operation(
    "nightsPage",
    "Page of the nightly snapshot, for platform admins",
    {200: Outcome("The page", "text/html")},
    problems=(403,),
)
TAKE = Operation(
    "takeSnapshot",
    "Take a snapshot now: every day that is due, and the last one again",
    {302: Outcome("Asked for; the page shows how far it is", headers=("Location",))},
    form=SnapshotForm,
    problems=(403,),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[str], None],
) -> Blueprint:
    """The page and its button. ``wake`` has a task of the clock begun at once."""
    made = Blueprint("nights", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page() -> ResponseReturnValue:
        platform_admin(engine(), current_user)
        return render_template(
            "nights.html",
            outcome=session.pop("nights_outcome", None),
            **_page_values(database().job, settings),
        )

    @made.post(PATH, endpoint="take")
    @TAKE
    def take() -> ResponseReturnValue:
        platform_admin(engine(), current_user)
        context = ScheduleContext(database(), settings)
        run = runs.request(context.database.job, SNAPSHOT, current_user.email)
        with context.database.job.begin() as connection:
            audit.record(connection, current_user.email, "snapshot.request", str(run), {})
        wake("requests")
        session["nights_outcome"] = ("ok", "Asked for; it begins at once.")
        return redirect(PATH)

    return made


def _page_values(engine: Engine, settings: Settings) -> Mapping[str, Any]:
    """Everything that the page shows."""
    with engine.connect() as connection:
        state = nights.state(connection, settings.now())
        listed = runs.newest(connection, SNAPSHOT, SHOWN)
    return {
        "state": state,
        "runs": listed,
        "waits": any(run.is_open for run in listed),
        "zone": settings.zone,
        "time_zone": settings.zone.key,
        "scheduled": settings.scheduler,
        "begins": f"{datetime.min + nights.AFTER:%H:%M}",
    }
