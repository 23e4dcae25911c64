"""Changes of settings as they are kept: read by whoever may see them, appended to through one function."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import URL, Connection, NullPool, create_engine, text

from aggregators.chosen.changes import ChosenSettings, SettingChange, Value
from aggregators.chosen.counting import CountingRules
from aggregators.chosen.names import ORGANISATION_NAME, TIME_ZONE
from settings import Settings
from storage.context import ROLLUP
from storage.executive.scope import ScopedWorkspace

COLUMNS = "name, revision, value, since, set_by, set_at"
ORGANISATION = text(f"select {COLUMNS} from organisation_setting order by set_at, name, revision")
OWN = text(
    f"select {COLUMNS} from workspace_setting where workspace_id = :w order by set_at, name, revision"
)
IN_SCOPE = text("select workspace_id, settings from vigilo.settings_in_scope(:level)")
SET = text("select vigilo.set_setting(:w, :name, cast(:value as jsonb), :since, :by)")
VERSION = text("select settings_version from installation")


def of_organisation(connection: Connection) -> tuple[SettingChange, ...]:
    """Every change of the organisation's settings."""
    return _changes(connection.execute(ORGANISATION).mappings())


def of_workspace(connection: Connection, workspace_id: int) -> tuple[SettingChange, ...]:
    """Every change of a workspace's settings, in its context."""
    return _changes(connection.execute(OWN, {"w": workspace_id}).mappings())


def for_workspace(connection: Connection, workspace_id: int, slug: str) -> ChosenSettings:
    """The organisation's settings and those of one workspace, in its context."""
    if not connection.execute(VERSION).scalar_one():
        return ChosenSettings()
    own = of_workspace(connection, workspace_id)
    return ChosenSettings(of_organisation(connection), {slug: own} if own else {})


def in_scope(connection: Connection, workspaces: Sequence[ScopedWorkspace]) -> ChosenSettings:
    """The organisation's settings and those of the workspaces in the viewer's scope, each read in its own
    context."""
    slugs = {w.workspace_id: w.slug for w in workspaces if w.left_out is None}
    rows = connection.execute(IN_SCOPE, {"level": ROLLUP}).all()
    own = {slugs[key]: _changes(settings) for key, settings in rows if key in slugs}
    return ChosenSettings(of_organisation(connection), own)


def rules(connection: Connection, settings: Settings) -> CountingRules:
    """Rules by which records are counted now, the environment's where nothing was chosen."""
    chosen = of_organisation(connection) if connection.execute(VERSION).scalar_one() else ()
    return CountingRules.of(chosen, settings.time_zone, settings.review_days, settings.asset_days)


NEWEST_VALUES = text("""
select distinct on (name) name, value #>> '{}' as value from organisation_setting
where name = any(:names) order by name, revision desc
""")
"""The newest value of settings that hold for all days."""


def name_and_zone_at(address: URL) -> dict[str, str | None]:
    """Name of the organisation and time zone that were chosen, by setting, read on a connection that is
    closed again; None for one that was taken back."""
    engine = create_engine(address, poolclass=NullPool, connect_args={"connect_timeout": 3})
    with engine.connect() as connection:
        return _newest_values(connection, ORGANISATION_NAME, TIME_ZONE)


def chosen_zone(connection: Connection) -> str | None:
    """Time zone that was chosen; None where none was."""
    return _newest_values(connection, TIME_ZONE).get(TIME_ZONE)


def _newest_values(connection: Connection, *names: str) -> dict[str, str | None]:
    rows = connection.execute(NEWEST_VALUES, {"names": list(names)})
    return {row.name: row.value for row in rows}


def append(
    connection: Connection,
    workspace_id: int | None,
    name: str,
    value: Value | None,
    since: date,
    by: str,
) -> int:
    """Adds a change as the job role, in the context of the workspace where it is one's; returns its
    revision. A value of None takes the setting back."""
    values = {
        "w": workspace_id,
        "name": name,
        "value": None if value is None else json.dumps(value),
        "since": since,
        "by": by,
    }
    return int(connection.execute(SET, values).scalar_one())


def _changes(rows: Iterable[Mapping[Any, Any]]) -> tuple[SettingChange, ...]:
    return tuple(
        SettingChange(
            row["name"],
            row["revision"],
            row["value"],
            _day(row["since"]),
            row["set_by"],
            _instant(row["set_at"]),
        )
        for row in rows
    )


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
