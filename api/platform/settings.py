"""Settings over the API: what holds and whose it is, and changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from aggregators.chosen.known import WrongSettingValue, find_setting
from ingest.desk import choosing
from ingest.desk.choosing import Choice
from settings import Settings
from storage.database import Database
from web.chosen.page import scope_of
from web.chosen.rights import SettingRights
from web.chosen.views import ShownSetting, sections
from web.operation import Operation, Outcome
from web.problem import invalid

PATH = "/api/v1/platform/settings/"


class SettingsQuery(BaseModel):
    """Scope whose settings are listed."""

    model_config = ConfigDict(extra="forbid")
    workspace: str = Field("", max_length=40, description="empty: the organisation's")


class SettingState(BaseModel):
    """A setting as it stands."""

    name: str
    title: str
    value: Any = Field(description="null: not set; what is declared holds")
    words: str
    set_by: str = Field(description="declaration, environment, organisation or workspace")
    since: date | None
    by: str | None
    without: str = Field(description="What would hold without it")


class SettingList(BaseModel):
    """Settings of the organisation, or of a workspace."""

    settings: list[SettingState]


class SettingRequest(BaseModel):
    """A setting to be changed from a day on, or taken back."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=300)
    value: Any = Field(
        None, description='{"target": number, "watch": number or null}; null takes back'
    )
    since: date | None = Field(None, description="null: the newest day with figures")
    workspace: str | None = Field(None, max_length=40, description="null: the organisation's")
    confirmed: bool = Field(False, description="true: days may be counted anew")


class CountedAnew(BaseModel):
    """Days that a change has counted anew."""

    counted_anew: str | None


EACH = Operation(
    "settings",
    "Settings of the organisation or of a workspace, for those who manage one",
    {200: Outcome("They, as they stand", "application/json", SettingList)},
    query=SettingsQuery,
    problems=(403, 404),
)
CHANGE = Operation(
    "changeSetting",
    "Change a setting from a day on, or take it back",
    {200: Outcome("It is changed", "application/json", CountedAnew)},
    body=SettingRequest,
    problems=(403, 404, 422),
)


def blueprint(
    engine: Callable[[], Engine],
    database: Callable[[], Database],
    settings: Settings,
    wake: Callable[[], None],
) -> Blueprint:
    """The routes. ``wake`` has the days made again that a change marks."""
    made = Blueprint("settings_api", __name__)

    def today() -> date:
        return choosing.newest_day(database()) or settings.now().date()

    @made.get(PATH, endpoint="each")
    @EACH
    def list_settings(query: SettingsQuery) -> ResponseReturnValue:
        mine = SettingRights.of(engine(), database(), current_user)
        scope = scope_of(engine(), mine.workspace(query.workspace), today(), settings)
        rows = [shown for section in sections(scope) for shown in section.rows]
        return jsonify(SettingList(settings=[*map(_state, rows)]).model_dump(mode="json"))

    @made.put(PATH, endpoint="change")
    @CHANGE
    def change(body: SettingRequest) -> ResponseReturnValue:
        mine = SettingRights.of(engine(), database(), current_user)
        workspace = mine.workspace_to_change(body.workspace or "")
        try:
            setting = find_setting(body.name)
            value = None if body.value is None else setting.check(body.value)
            choice = Choice(setting, value, body.since or today(), current_user.email, workspace)
            days = choosing.days_to_recount(database(), choice)
            if days is not None and not body.confirmed:
                raise invalid("confirmed", f"must be true: {days.sentence}")
            choosing.choose(database(), choice, settings.time_zone)
        except WrongSettingValue as error:
            raise invalid(error.field, error.reason) from error
        wake()
        return jsonify({"counted_anew": days.sentence if days else None})

    return made


def _state(shown: ShownSetting) -> SettingState:
    change = shown.change
    return SettingState(
        name=shown.setting.name,
        title=shown.setting.title,
        value=change.value if change else None,
        words=shown.words,
        set_by=shown.origin.value,
        since=change.since if change and shown.setting.is_dated else None,
        by=change.by if change else None,
        without=shown.without,
    )
