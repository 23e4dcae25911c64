"""Admin, Frameworks: compliance frameworks of a workspace, to be set up by those who manage it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine
from wtforms import SelectField

from ingest.frameworks.seed import FRAMEWORKS, controls, frameworks, seed
from settings import Settings
from storage.database import Database
from web.forms import PageForm
from web.members import WORKSPACE, managed_membership
from web.operation import Operation, Outcome

PATH = "/ws/<slug>/admin/frameworks"
ABOUT = {
    "SOC2": "Trust services criteria of the AICPA, 2017",
    "ISO27001": "Annex A of ISO/IEC 27001:2022",
    "HIPAA": "Security Rule, 45 CFR 164.308 to 316",
}


class FrameworkForm(PageForm):
    """The framework to be set up."""

    framework = SelectField("Framework", choices=[(name, name) for name in FRAMEWORKS])


PAGE = Operation(
    "frameworksPage",
    "Page of a workspace's compliance frameworks, for its managers",
    {200: Outcome("The page", "text/html")},
    path=WORKSPACE,
    problems=(403, 404),
)
SEED = Operation(
    "seedFramework",
    "Set a framework's controls up as not assessed; results stay as they are",
    {302: Outcome("Done, or what is wrong is said on the page", headers=("Location",))},
    form=FrameworkForm,
    path=WORKSPACE,
    problems=(404,),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[], None],
) -> Blueprint:
    """The page and its button. ``wake`` has the snapshots made again that a set-up touches."""
    made = Blueprint("frameworks", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(slug: str) -> ResponseReturnValue:
        mine = managed_membership(engine(), current_user, slug)
        return render_template(
            "frameworks.html",
            workspace=mine,
            present={each.framework: each for each in frameworks(database(), mine.workspace_id)},
            offered=[(name, ABOUT[name], len(controls(name))) for name in FRAMEWORKS],
            outcome=session.pop("frameworks_outcome", None),
        )

    @made.post(PATH, endpoint="seed")
    @SEED
    def set_up(slug: str) -> ResponseReturnValue:
        mine, form = managed_membership(engine(), current_user, slug), FrameworkForm()
        if not form.validate():
            outcome = ("error", "Choose one of the frameworks.")
        else:
            outcome = ("ok", _seed_framework(database(), (mine.workspace_id, slug), form, settings))
            wake()
        session["frameworks_outcome"] = outcome
        return redirect(f"/ws/{slug}/admin/frameworks")

    return made


def _seed_framework(
    database: Database, workspace: tuple[int, str], form: FrameworkForm, settings: Settings
) -> str:
    """Sets a framework's controls up; what came of it."""
    name = form.framework.data
    added = seed(database, workspace, name, settings.now(), current_user.email)
    if not added:
        return f"{name} is set up already; nothing was changed."
    return f"{name} is set up: {added} controls, not assessed yet. The figures follow in a moment."
