"""Page of the signals: who began to drift, since when, how sure; and what people make of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, cast

from flask import Blueprint, Flask, Response, redirect, render_template, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, Field
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from aggregators import words as figure_words
from aggregators.companions import WATCHED
from aggregators.pooling.dashboard import Dashboard
from aggregators.signal.rules import LEARNING_DAYS
from aggregators.vocabulary.period import Ask
from exports.spreadsheet import harmless
from reading.signals import beside, facts, open_signals, words
from reading.signals.open_signals import DriftSignal
from reading.signals.promise import learning_until, promise
from reading.signals.signals_json import PERIOD, drift_json, page_of
from reading.signals.whole import shown as whole
from storage import audit
from storage.digests.channels import watched_night
from storage.viewer import Viewer
from storage.watch import store
from web.forms import PageForm
from web.operation import Operation, Outcome
from web.platform.rights import platform_admin
from web.problem import Problem
from web.services import Services
from web.shell.pages import count_beside

PATH = "/platform/signals"
ACTIONS = ("acknowledge", "snooze-7", "snooze-28", "explain", "dismiss", "reopen")
STATES = {
    "acknowledge": "acknowledged",
    "snooze-7": "snoozed",
    "snooze-28": "snoozed",
    "explain": "explained",
    "dismiss": "dismissed",
    "reopen": "open",
}
TOLD = {
    "acknowledged": "Acknowledged",
    "snoozed": "Put off",
    "explained": "Explained",
    "dismissed": "Dismissed as noise",
    "open": "Open again",
}
MOST_FACTS = 40


class SignalForm(PageForm):
    """Answer of somebody to a signal."""

    workspace = HiddenField("Workspace", [InputRequired(), Length(max=64)])
    series = HiddenField("Series", [InputRequired(), Length(max=200)])
    opened = HiddenField("Night on which it was first told", [InputRequired(), Length(max=10)])
    action = SelectField("What to do", choices=[(a, a) for a in ACTIONS])
    note = StringField("Why, in one sentence", [Length(max=300)])


class SignalsQuery(BaseModel):
    """Signals of one workspace, or of all."""

    workspace: str = Field("", max_length=64, description="Only this workspace, by its slug")


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

    @made.get(PATH, endpoint="page")
    @PAGE
    def page(query: SignalsQuery) -> ResponseReturnValue:
        mine = {m.slug: m for m in platform_admin(services.engine(), current_user)}
        if query.workspace and query.workspace not in mine:
            raise Problem(404)
        only, learning = mine.get(query.workspace), None
        if only:
            learning = learning_until(services.engine(), current_user.viewer, only.workspace_id)
        return render_template(
            "signals.html",
            outcome=session.pop("signals_outcome", None),
            only=only.name if only else None,
            learning=learning,
            learning_days=LEARNING_DAYS,
            **shown(services, current_user.viewer, query.workspace),
        )

    @made.post(PATH, endpoint="change")
    @CHANGE
    def change() -> ResponseReturnValue:
        mine = platform_admin(services.engine(), current_user)
        slugs = {m.slug: m.workspace_id for m in mine}
        form = SignalForm()
        if not form.validate() or form.workspace.data not in slugs:
            raise Problem(422, "Choose a signal of one of your workspaces and what to do with it.")
        session["signals_outcome"] = _changed(
            services, slugs[form.workspace.data], form, current_user.email
        )
        counts.forget(current_user.viewer)
        return redirect(PATH)

    _file(made, services)
    return made


def _file(made: Blueprint, services: Services) -> None:
    @made.get(f"{PATH}.csv", endpoint="csv")
    @FILE
    def as_csv() -> ResponseReturnValue:
        platform_admin(services.engine(), current_user)
        today = services.settings.now().date()
        viewer = current_user.viewer
        signals = whole.read(services.database, viewer)
        signals += open_signals.read(services.database, viewer, today)
        headers = {"Content-Disposition": 'attachment; filename="signals.csv"'}
        return Response(_written(signals), mimetype="text/csv", headers=headers)


def _written(signals: Sequence[DriftSignal]) -> str:
    """The file, with the mark by which spreadsheets know UTF-8."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for signal in signals:
        told = drift_json(signal)
        writer.writerow([harmless(told[name]) for name in COLUMNS])
    return buffer.getvalue()


def _changed(
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


def shown(services: Services, viewer: Viewer, slug: str = "") -> Mapping[str, Any]:
    """Everything that the page shows, of one workspace where it is named."""
    today = services.settings.now().date()
    every = open_signals.read(services.database, viewer, today)
    signals = [s for s in every if slug in ("", s.workspace.slug)]
    dashboard = services.read(viewer, Ask(PERIOD))
    newest = dashboard.as_of or today - timedelta(days=1)
    with services.database.reader.connect() as connection:
        watched = watched_night(connection)
    night = watched or newest
    ongoing = [s for s in signals if s.ended_on is None]
    told = [f for f in facts.facts(dashboard) if slug in ("", f.slug)]
    return {
        "night": night,
        "watched": watched is not None,
        "unwatched": newest if watched and watched < newest else None,
        "whole": [] if slug else _ongoing_together(services, viewer),
        "new": [s for s in ongoing if s.is_new(night) and not s.is_hidden(today)],
        "still": [s for s in ongoing if not s.is_new(night) and not s.is_hidden(today)],
        "hidden": [s for s in ongoing if s.is_hidden(today)],
        "ended": [s for s in signals if s.ended_on is not None],
        "facts": told[:MOST_FACTS],
        "more_facts": max(len(told) - MOST_FACTS, 0),
        "workspaces": len(dashboard.scope.slugs),
        "series": len(WATCHED),
        "promise": promise(services.database, len(dashboard.scope.slugs)),
        "dismissed": sum(s.state == "dismissed" for s in signals),
        "total": len(signals),
        "slow": _slow(dashboard, slug) if slug else (),
        "words": words,
        "figure": figure_words.figure,
        "told": TOLD,
        "href": page_of,
        "beside": lambda s: figure_words.moved_with_it(beside.moved_with(s, dashboard)),
        "services": (lambda s: words.services(s, services.services_of(s))) if slug else None,
    }


def _ongoing_together(services: Services, viewer: Viewer) -> list[DriftSignal]:
    """Drifts of all workspaces in scope together."""
    return [s for s in whole.read(services.database, viewer) if s.ended_on is None]


def _slow(dashboard: Dashboard, slug: str) -> list[tuple[str, str]]:
    """Measures of a workspace, and the time that the watch needs to tell a drift of each."""
    cards = [
        (s.domain, card) for s in dashboard.scorecards for card in s.cards if card.slug == slug
    ]
    return [
        (watched.measure.title, figure_words.slow_to_tell(card.figures[watched.measure.key]))
        for watched in WATCHED.values()
        for domain, card in cards
        if domain is watched.domain and card.figures[watched.measure.key].days_to_tell
    ]
