"""Settings as they are shown: what holds and whose it is, what else would, and every change there was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from aggregators.catalogue import domains
from aggregators.chosen.changes import SettingChange, Value, in_force
from aggregators.chosen.known import COUNTING, KnownSetting, find_setting
from aggregators.chosen.names import ORGANISATION_NAME
from aggregators.vocabulary import formats
from aggregators.vocabulary.measure import LOWER, Measure, Origin
from counting_settings import POSTMORTEM_DAYS
from settings import Settings

NOTHING = "no target"


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting in a scope: what holds on a day in words, whose it is and since when, what would hold
    without it, what it stands over (of the organisation the declaration's, of a workspace the
    organisation's), and every change of it here, the newest first."""

    setting: KnownSetting
    words: str
    origin: Origin
    change: SettingChange | None
    without: str
    beneath: str
    history: tuple[SettingChange, ...]
    upcoming: tuple[SettingChange, ...]

    @property
    def is_told(self) -> bool:
        """Whether there is anything to tell of it: a value, or changes."""
        return self.words != NOTHING or bool(self.history)

    def in_words(self, change: SettingChange) -> str:
        """Value of a change."""
        return "taken back" if change.value is None else self.setting.write(change.value)


@dataclass(frozen=True, slots=True)
class SettingScope:
    """Changes in a scope: the organisation's, and ``own`` of a workspace where it is one's."""

    organisation: tuple[SettingChange, ...]
    own: tuple[SettingChange, ...] | None
    day: date
    settings: Settings

    def shown_setting(self, setting: KnownSetting) -> ShownSetting:
        """A setting as it stands in this scope."""
        here = self.organisation if self.own is None else self.own
        history = [change for change in here if change.name == setting.name]
        layers = self._layers(setting)
        origin, change = next(
            ((o, c) for o, c in layers if c), (self._default_origin(setting), None)
        )
        others = [each for each in layers[1:] if each[1]]
        default = self.default(setting)
        without = setting.write(others[0][1].value) if others and others[0][1] else default
        return ShownSetting(
            setting,
            setting.write(change.value) if change else default,
            origin,
            change,
            without,
            _declared_value(setting) if self.own is None else without,
            tuple(sorted(history, key=lambda c: (c.at, c.revision), reverse=True)),
            tuple(c for c in history if c.since > self.day),
        )

    def _layers(self, setting: KnownSetting) -> list[tuple[Origin, SettingChange | None]]:
        """Changes that hold, the nearest first: the workspace's, the organisation's; of each that of the
        group before that of all groups."""
        day = self.day if setting.is_dated else date.max
        names = dict.fromkeys((setting.name, setting.name.partition("/")[0]))
        scopes = [(Origin.WORKSPACE, self.own)] if self.own is not None else []
        scopes.append((Origin.ORGANISATION, self.organisation))
        standing = [(origin, in_force(changes, day)) for origin, changes in scopes]
        return [(origin, each.get(name)) for origin, each in standing for name in names]

    def default(self, setting: KnownSetting) -> str:
        """Value of the declaration and the environment, in words."""
        if setting.measure is None:
            return setting.write(default(setting.name, self.settings))
        return declared_target(self._measure(setting))

    def _measure(self, setting: KnownSetting) -> Measure:
        assert setting.domain is not None
        assert setting.measure is not None
        (domain,) = domains((setting.domain.key,), self.settings.thresholds)
        return domain.measure(setting.measure.key)

    def _default_origin(self, setting: KnownSetting) -> Origin:
        if setting.measure is None:
            is_given = setting.name in self.settings.model_fields_set
            return Origin.ENVIRONMENT if is_given else Origin.DECLARATION
        aim = self._measure(setting).aim
        return aim.origin if aim else Origin.DECLARATION

    def names(self) -> list[str]:
        """Names of the targets that are set for a group, in order."""
        every = {c.name for c in (*self.organisation, *(self.own or ())) if "/" in c.name}
        return sorted(every)


def _declared_value(setting: KnownSetting) -> str:
    """Value of a setting in words where neither people nor the environment give one."""
    if setting.measure is not None:
        return declared_target(setting.measure)
    field = Settings.model_fields.get(setting.name)
    return setting.write(field.default if field else POSTMORTEM_DAYS)


def default(name: str, settings: Settings) -> Value:
    """Value of a setting of how the organisation counts, from the environment or the program."""
    return getattr(settings, name, POSTMORTEM_DAYS)


def declared_target(measure: Measure) -> str:
    """Target of a measure as its declaration or the environment gives it: "under 15.0 %, watched from
    10.0 %"."""
    if measure.aim is None:
        return NOTHING
    bound = "under" if measure.better is LOWER else "over"
    words = f"{bound} {formats.value(measure.aim.value, measure.unit)}"
    if measure.watch is None or measure.watch == measure.aim.value:
        return words
    return f"{words}, watched from {formats.value(measure.watch, measure.unit)}"


@dataclass(frozen=True, slots=True)
class SettingSection:
    """Settings under one heading."""

    key: str
    title: str
    rows: Sequence[ShownSetting]

    @property
    def untold(self) -> list[ShownSetting]:
        """Measures without a target."""
        return [shown for shown in self.rows if not shown.is_told]


def sections(scope: SettingScope) -> list[SettingSection]:
    """Every setting of a scope, by domain; first the organisation's name and how it counts, where it is its
    scope."""
    made = []
    if scope.own is None:
        rows = [scope.shown_setting(setting) for setting in COUNTING.values()]
        named = [shown for shown in rows if shown.setting.name == ORGANISATION_NAME]
        counted = [shown for shown in rows if shown not in named]
        made.append(SettingSection("organisation", "The organisation", named))
        made.append(SettingSection("counting", "How the organisation counts", counted))
    groups = scope.names()
    for domain in domains():
        names = [name for m in domain.measures for name in _names(domain.key, m.key, groups)]
        rows = [scope.shown_setting(find_setting(name)) for name in names]
        made.append(SettingSection(domain.key, domain.title, rows))
    return made


def _names(domain: str, measure: str, groups: Sequence[str]) -> list[str]:
    name = f"{domain}.{measure}"
    return [name, *(each for each in groups if each.startswith(f"{name}/"))]
