"""Changes of settings, and the one that holds on a day. A change holds from its day on: figures of a period
that ended before are judged as they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Value = Any
"""Value of a setting, as JSON has it."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """Setting as somebody set it: its value (None: taken back), the day from which it holds, who set it and
    when. ``revision`` counts the changes of that name by the organisation, or by the workspace."""

    name: str
    revision: int
    value: Value
    since: date
    by: str
    at: datetime


InForce = Mapping[str, SettingChange]
"""Changes that hold on a day, by name; without those that were taken back."""


def in_force(changes: Iterable[SettingChange], day: date) -> InForce:
    """Changes that hold on a day: of each name the last to have begun, the later one of equal days."""
    latest: dict[str, SettingChange] = {}
    for change in sorted(changes, key=lambda change: (change.since, change.revision)):
        if change.since <= day:
            latest[change.name] = change
    return {name: change for name, change in latest.items() if change.value is not None}


@dataclass(frozen=True, slots=True)
class Steps:
    """Value that changes with the days: ``values`` is one longer than ``since``, the first holds before the
    first of those days."""

    since: tuple[date, ...]
    values: tuple[Value, ...]

    def on(self, day: date) -> Value:
        """Value that holds on a day."""
        return self.values[sum(first <= day for first in self.since)]


def steps(changes: Sequence[SettingChange], name: str, default: Value) -> Steps:
    """Values of a setting over all days, ``default`` where it is not set."""
    own = [change for change in changes if change.name == name]
    days = sorted({change.since for change in own})
    changes_by_day = (in_force(own, day).get(name) for day in days)
    return Steps(
        tuple(days), (default, *(each.value if each else default for each in changes_by_day))
    )


@dataclass(frozen=True, slots=True)
class ChosenSettings:
    """All changes of the settings: the organisation's, and those of workspaces by slug."""

    organisation: tuple[SettingChange, ...] = ()
    workspaces: Mapping[str, tuple[SettingChange, ...]] = field(default_factory=dict)

    def value(self, name: str, day: date, default: Value) -> Value:
        """Value of an organisation's setting on a day."""
        return steps(self.organisation, name, default).on(day)
