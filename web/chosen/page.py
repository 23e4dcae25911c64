"""Admin, Settings: targets of the organisation and of each workspace, and how the organisation counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Engine

from aggregators.chosen import amounts
from aggregators.chosen.known import KnownSetting, WrongSettingValue, find_setting
from ingest.desk import choosing
from ingest.desk.choosing import Choice, RecountedDays
from settings import Settings
from storage import context
from storage.chosen import store
from storage.database import Database
from storage.executive.memberships import Membership
from web.chosen.forms import SettingForm
from web.chosen.rights import WHOLE, SettingRights
from web.chosen.views import SettingScope, ShownSetting, default, sections
from web.operation import Operation, Outcome
from web.problem import Problem
from web.server.installed import look_again

PATH = "/admin/settings"
PAGE = Operation(
    "settingsPage",
    "Page of the settings, for those who manage a workspace",
    {200: Outcome("The page", "text/html")},
    problems=(403, 404),
)
CHANGE = Operation(
    "settingsAction",
    "Change a setting of the organisation or of a workspace, or take it back",
    {
        302: Outcome(
            "Done; 422 shows on the page what is wrong, or what is to be counted anew",
            headers=("Location",),
        ),
    },
    form=SettingForm,
    problems=(403, 404),
)


@dataclass(frozen=True, slots=True)
class OpenForm:
    """Form of one setting on the page: what stands in it, the field that is wrong and why, and the days
    that it would have counted anew."""

    name: str
    values: Mapping[str, str]
    wrong: str = ""
    reason: str = ""
    days: RecountedDays | None = None


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[], None],
) -> Blueprint:
    """The page and its form. ``wake`` has the days made again that a change marks."""
    made = Blueprint("settings", __name__)

    @made.get(PATH, endpoint="page")
    @PAGE
    def page() -> ResponseReturnValue:
        mine = SettingRights.of(engine(), database(), current_user)
        slug = request.args.get("workspace", "")
        day = choosing.newest_day(database()) or settings.now().date()
        scope = scope_of(engine(), mine.workspace(slug), day, settings)
        return _page(scope, mine, slug, _open_form(scope, request.args.get("edit", "")))

    @made.post(PATH, endpoint="change")
    @CHANGE
    def change() -> ResponseReturnValue:
        form, mine = SettingForm(), SettingRights.of(engine(), database(), current_user)
        slug = form.workspace.data or ""
        opened = _carry_out(database(), form, mine.workspace_to_change(slug), settings)
        if opened is None:
            wake()
            return redirect(PATH + (f"?workspace={slug}" if slug else ""))
        day = choosing.newest_day(database()) or settings.now().date()
        scope = scope_of(engine(), mine.workspace(slug), day, settings)
        return make_response(_page(scope, mine, slug, opened), 422)

    return made


def _carry_out(
    database: Database, form: SettingForm, workspace: choosing.Workspace | None, settings: Settings
) -> OpenForm | None:
    """Carries the change out that the form asks for; what is to be shown instead where a value is wrong, or
    days would be counted anew and nobody has confirmed it."""
    try:
        choice = _choice(form, workspace)
        days = choosing.days_to_recount(database, choice)
        if days is not None and not form.confirmed.data:
            return OpenForm(choice.setting.name, _typed_values(form), days=days)
        choosing.choose(database, choice, settings.time_zone)
        look_again(settings)
    except WrongSettingValue as error:
        return OpenForm(form.name.data or "", _typed_values(form), _field(error), _sentence(error))
    session["settings_outcome"] = ("ok", _done_sentence(choice, days))
    return None


def scope_of(
    engine: Engine, workspace: Membership | None, day: date, settings: Settings
) -> SettingScope:
    """Settings of the organisation, or of a workspace, as the signed-in person sees them."""
    viewer = current_user.viewer
    if workspace is None:
        with context.as_viewer(engine, viewer) as connection:
            return SettingScope(store.of_organisation(connection), None, day, settings)
    with context.in_workspace(engine, viewer, workspace.workspace_id) as connection:
        own = store.of_workspace(connection, workspace.workspace_id)
        return SettingScope(store.of_organisation(connection), own, day, settings)


def _page(scope: SettingScope, mine: SettingRights, slug: str, opened: OpenForm | None) -> str:
    return render_template(
        "settings.html",
        sections=sections(scope),
        workspace=mine.workspace(slug),
        managed=mine.managed,
        may_change=bool(slug) or mine.is_everywhere,
        whole=WHOLE,
        opened=opened,
        day=scope.day,
        zone=scope.settings.zone,
        outcome=session.pop("settings_outcome", None),
    )


def _open_form(scope: SettingScope, name: str) -> OpenForm | None:
    """Form of a setting that somebody is about to change, with what holds now. Raises Problem 404."""
    if not name:
        return None
    try:
        setting = find_setting(name)
    except WrongSettingValue:
        raise Problem(404) from None
    shown: ShownSetting = scope.shown_setting(setting)
    kept = shown.change.value if shown.change else None
    if kept is None and setting.measure is None:
        kept = default(name, scope.settings)
    value, watch = setting.type(kept) if kept is not None else ("", "")
    return OpenForm(
        name, {"value": value, "watch": watch, "since": scope.day.isoformat(), "group": ""}
    )


def _typed_values(form: SettingForm) -> Mapping[str, str]:
    """Fields of the form as they were typed."""
    names = ("value", "watch", "since", "group", "action")
    return {name: form[name].data or "" for name in names}


def _choice(form: SettingForm, workspace: choosing.Workspace | None) -> Choice:
    """Change that the form asks for. Raises WrongSettingValue naming the field."""
    if not form.validate():
        field, reasons = next(iter(form.errors.items()))
        raise WrongSettingValue(str(field), str(reasons[0]))
    name, group = form.name.data or "", (form.group.data or "").strip()
    setting: KnownSetting = find_setting(f"{name}/{group}" if group else name)
    if form.action.data not in ("set", "unset"):
        raise WrongSettingValue("action", "takes set or unset")
    value = None
    if form.action.data == "set":
        value = setting.read(form.value.data or "", form.watch.data or "")
    try:
        since = amounts.read_day(form.since.data or "")
    except ValueError as error:
        raise WrongSettingValue("since", str(error)) from error
    return Choice(setting, value, since, current_user.email, workspace)


FIELDS = {"target": "value"}
"""Fields of the form by what is wrong with a value, where they differ."""


def _field(error: WrongSettingValue) -> str:
    return FIELDS.get(error.field, error.field)


LABELS = {"value": "The value", "target": "The target", "watch": "The bound for watching"}


def _sentence(error: WrongSettingValue) -> str:
    return f"{LABELS.get(error.field, error.field.capitalize())} {error.reason}."


def _done_sentence(choice: Choice, days: RecountedDays | None) -> str:
    """Sentence about the change, and whether days are counted anew for it."""
    sentence = f"{choice.setting.title} was {'set' if choice.value is not None else 'taken back'}."
    return (
        f"{sentence} The days are counted anew; figures follow in a moment." if days else sentence
    )
