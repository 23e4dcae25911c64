"""Page of the signals: who began to drift, since when, how sure; and what people make of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, cast
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, Field
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from aggregators.signal.rules import LEARNING_DAYS
from exports.spreadsheet import csv_pieces
from reading.signals import open_signals
from reading.signals.promise import learning_until
from reading.signals.signals_json import drift_json
from reading.signals.whole import shown as whole
from storage import audit
from storage.watch import store
from web.forms import PageForm
from web.operation import Operation, Outcome
from web.platform.rights import platform_admin
from web.platform.signal_rows import TOLD, signals_for_page
from web.problem import Problem
from web.services import Services
from web.shell.pages import count_beside

PATH = "/platform/signals"
ACTIONS = ("acknowledge", "snooze-7", "snooze-28", "explain", "dismiss", "reopen")
KEPT = ("workspace", "signal")
"""Parameters of the page that an answer comes back to."""
STATES = {
    "acknowledge": "acknowledged",
    "snooze-7": "snoozed",
    "snooze-28": "snoozed",
    "explain": "explained",
    "dismiss": "dismissed",
    "reopen": "open",
}


class SignalForm(PageForm):
    """Answer of somebody to a signal."""

    workspace = HiddenField("Workspace", [InputRequired(), Length(max=64)])
    series = HiddenField("Series", [InputRequired(), Length(max=200)])
    opened = HiddenField("Night on which it was first told", [InputRequired(), Length(max=10)])
    action = SelectField("What to do", choices=[(a, a) for a in ACTIONS])
    note = StringField("Why, in one sentence", [Length(max=300)])


class SignalsQuery(BaseModel):
    """Signals of one workspace, or of all, and the one that is told whole."""

    workspace: str = Field("", max_length=64, description="Only this workspace, by its slug")
    signal: str = Field(
        "",
        max_length=200,
        description="The signal that is told whole: workspace, measure and the night that told it first",
    )
    part: Literal["", "detail"] = Field(
        "", description="`detail`: that signal alone, without the page"
    )


PAGE = Operation(
    "signalsPage",
    "Page of the signals, for platform admins",
    {200: Outcome("The page", "text/html")},
    query=SignalsQuery,
    problems=(403, 404),
)
FILE = Operation(
    "signalsCsv",
    "Signals of your workspaces as CSV: open ones, and those that ended within 90 days",
    {200: Outcome("A header line, then a signal a line", "text/csv")},
    problems=(403,),
)
COLUMNS = (
    "workspace", "measure", "grade", "since", "give_or_take_days", "opened_on", "ended_on", "usual",
    "now", "sentence", "state", "until", "note",
)  # fmt: skip
CHANGE = Operation(
    "changeSignal",
    "Acknowledge a signal, put it off, explain it, or dismiss it as noise",
    {302: Outcome("Done", headers=("Location",))},
    form=SignalForm,
    problems=(403, 422),
)


def blueprint(services: Services) -> Blueprint:
    """The page and its buttons."""
    made, counts = Blueprint("signals", __name__), services.signal_counts
    made.record_once(lambda state: count_beside(cast(Flask, state.app), PATH, counts.beside))

    @made.post(PATH, endpoint="change")
    @CHANGE
    def change() -> ResponseReturnValue:
        mine = platform_admin(services.engine(), current_user)
        slugs = {m.slug: m.workspace_id for m in mine}
        form = SignalForm()
        if not form.validate() or form.workspace.data not in slugs:
            raise Problem(422, "Choose a signal of one of your workspaces and what to do with it.")
        session["signals_outcome"] = _note_state(
            services, slugs[form.workspace.data], form, current_user.email
        )
        counts.forget(current_user.viewer)
        kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
        return redirect(f"{PATH}?{urlencode(kept)}" if kept else PATH)

    _page(made, services)
    _file(made, services)
    return made


def _page(made: Blueprint, services: Services) -> None:
    """Adds the route of the page."""

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(query: SignalsQuery) -> ResponseReturnValue:
        mine = {m.slug: m for m in platform_admin(services.engine(), current_user)}
        if query.workspace and query.workspace not in mine:
            raise Problem(404)
        signals = signals_for_page(services, current_user.viewer, query.workspace, query.signal)
        if query.part:
            if not signals["is_chosen"]:
                raise Problem(404)
            return render_template("signal_detail.html", **signals)
        only, learning = mine.get(query.workspace), None
        if only:
            learning = learning_until(services.engine(), current_user.viewer, only.workspace_id)
        return render_template(
            "signals.html",
            outcome=session.pop("signals_outcome", None),
            only=only.name if only else None,
            learning=learning,
            learning_days=LEARNING_DAYS,
            **signals,
        )


def _file(made: Blueprint, services: Services) -> None:
    @made.get(f"{PATH}.csv", endpoint="csv")
    @FILE
    def as_csv() -> ResponseReturnValue:
        platform_admin(services.engine(), current_user)
        today = services.settings.now().date()
        viewer = current_user.viewer
        signals = whole.read(services.database, viewer)
        signals += open_signals.read(services.database, viewer, today)
        rows = [[cells[name] for name in COLUMNS] for cells in map(drift_json, signals)]
        headers = {"Content-Disposition": 'attachment; filename="signals.csv"'}
        return Response(csv_pieces(COLUMNS, rows), mimetype="text/csv", headers=headers)


def _note_state(
    services: Services, workspace_id: int, form: SignalForm, email: str
) -> tuple[str, str]:
    """Notes it, in the audit trail too; what to say. Raises Problem 422 for a night that is none."""
    action, note = form.action.data, (form.note.data or "").strip()
    if action == "explain" and not note:
        return "error", "Say in one sentence what happened: it stands beside the signal."
    try:
        opened = date.fromisoformat(form.opened.data)
    except ValueError as error:
        raise Problem(422, "opened is no date as YYYY-MM-DD.") from error
    days = int(action.partition("-")[2] or 0)
    today = services.settings.now().date()
    values = {
        "state": STATES[action],
        "until": today + timedelta(days=days) if days else None,
        "note": note,
        "by": email,
    }
    key = (form.series.data, opened)
    if not store.change(services.database.job, workspace_id, key, values):
        return "error", "That signal is not there any more."
    with services.database.job.begin() as connection:
        details = {"series": key[0], "opened": str(opened), "state": values["state"]}
        audit.record(connection, email, "signal.change", form.workspace.data, details)
    return "ok", f"{TOLD[str(values['state'])]}."
