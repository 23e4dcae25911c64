"""Settings that people choose, for the organisation or a workspace: changed in one transaction with the
marks of the days that are to be made again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, text

from aggregators.chosen.changes import SettingChange, Value, in_force
from aggregators.chosen.known import KnownSetting, Recount, WrongSettingValue
from aggregators.chosen.names import TIME_ZONE
from ingest.due.marks import mark
from ingest.due.remake import EVER
from storage import audit
from storage.chosen import store
from storage.context import JOB, active_workspaces, enter
from storage.database import Database

Workspace = tuple[int, str]
"""Id and slug."""


@dataclass(frozen=True, slots=True)
class RecountedDays:
    """Days that a change has made again: from ``first`` (None: from the first there is) to ``last``, in so
    many workspaces."""

    first: date | None
    last: date
    workspaces: int

    @property
    def sentence(self) -> str:
        """Words for whoever is about to change the setting."""
        number = self.workspaces
        since = f"from {self.first} to {self.last}" if self.first else f"up to {self.last}"
        where = f"{number} workspace{'s' if number != 1 else ''}"
        return f"Every day {since} is counted anew in {where}; figures of those days may change."


@dataclass(frozen=True, slots=True)
class Choice:
    """Change that somebody asks for: of the organisation's setting, or of a workspace's; a value of None
    takes it back."""

    setting: KnownSetting
    value: Value | None
    since: date
    by: str
    workspace: Workspace | None = None

    @property
    def first_day(self) -> date:
        """Day from which it holds; the first there is for a setting of all days."""
        return self.since if self.setting.is_dated else EVER.date()

    def __post_init__(self) -> None:
        if self.workspace is not None and not self.setting.of_workspaces:
            raise WrongSettingValue(
                "workspace", f"takes none: {self.setting.name} is the whole organisation's"
            )


NEWEST = text("select max(snapshot_day) from workspace where is_active")
SINCE = text("""
select max(snapshot_day), count(*) from workspace
where is_active and snapshot_day is not null and (cast(:first as date) is null or snapshot_day >= :first)
""")
ZONE = text("update installation set time_zone = :zone")


def newest_day(database: Database) -> date | None:
    """The newest day that has figures; None before the first snapshot. A change is proposed from it on:
    what people look at that day is judged by it."""
    with database.job.connect() as connection:
        day: date | None = connection.execute(NEWEST).scalar()
    return day


def days_to_recount(database: Database, choice: Choice) -> RecountedDays | None:
    """Days that a change would have made again; None where it touches none."""
    with database.job.connect() as connection:
        return _recounted_days(connection, choice)


def _recounted_days(connection: Connection, choice: Choice) -> RecountedDays | None:
    """Days that a choice would have counted anew; None where it touches none."""
    if choice.setting.recounts is Recount.NONE:
        return None
    first = choice.since if choice.setting.is_dated else None
    last, workspaces = connection.execute(SINCE, {"first": first}).one()
    return RecountedDays(first, last, workspaces) if workspaces else None


def choose(database: Database, choice: Choice, default_zone: str) -> RecountedDays | None:
    """Changes a setting; the days that are counted anew. Raises WrongSettingValue where it is so already.
    ``default_zone`` is the environment's, for whoever takes the zone back."""
    workspace_id, slug = choice.workspace or (None, None)
    with database.job.begin() as connection:
        if workspace_id is None:
            before = _former_change(store.of_organisation(connection), choice)
            _append(connection, choice, None)
        else:
            with enter(connection, JOB, workspace_id):
                before = _former_change(store.of_workspace(connection, workspace_id), choice)
                _append(connection, choice, workspace_id)
        days = _recounted_days(connection, choice)
        if days:
            _mark(connection, days.first)
        if choice.setting.name == TIME_ZONE:
            connection.execute(ZONE, {"zone": choice.value or default_zone})
        details = {
            "from": before and choice.setting.write(before.value),
            "to": "taken back" if choice.value is None else choice.setting.write(choice.value),
            "since": choice.since.isoformat() if choice.setting.is_dated else None,
            "workspace": slug,
            "counted_anew": days and days.workspaces,
        }
        filled_details = {name: value for name, value in details.items() if value is not None}
        audit.record(connection, choice.by, "setting.change", choice.setting.name, filled_details)
    return days


def _former_change(changes: tuple[SettingChange, ...], choice: Choice) -> SettingChange | None:
    """The change that held until now. Raises WrongSettingValue where nothing would be other than it is."""
    name = choice.setting.name
    before = in_force(changes, choice.first_day).get(name)
    later = any(change.name == name and change.since > choice.first_day for change in changes)
    if not later and (before.value if before else None) == choice.value:
        known = "is not set here" if choice.value is None else "is so already"
        raise WrongSettingValue("value", known)
    return before


def _append(connection: Connection, choice: Choice, workspace_id: int | None) -> None:
    name, value = choice.setting.name, choice.value
    store.append(connection, workspace_id, name, value, choice.first_day, choice.by)


def _mark(connection: Connection, first: date | None) -> None:
    """Marks the days of all workspaces that have any, each in its own context."""
    instant = EVER
    if first is not None:
        instant = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(days=1)
    for workspace_id, _ in active_workspaces(connection, with_figures=True):
        with enter(connection, JOB, workspace_id):
            mark(connection, workspace_id, instant)
