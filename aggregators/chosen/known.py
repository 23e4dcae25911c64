"""Settings that there are: the targets of the measures, and how the organisation counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import counting_settings
from aggregators.catalogue import DOMAINS
from aggregators.chosen import amounts
from aggregators.chosen.changes import Value
from aggregators.chosen.names import (
    ASSET_DAYS,
    ORGANISATION_NAME,
    POSTMORTEM_DAYS,
    REVIEW_DAYS,
    SPRINT_DAYS,
    TIME_ZONE,
)
from aggregators.vocabulary import fields, formats
from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.measure import LOWER, Measure
from counting_settings import LONGEST_NAME, MOST_DAYS, MOST_POSTMORTEM_DAYS, MOST_SPRINT_DAYS


class WrongSettingValue(ValueError):
    """A setting that there is not, or a value that it does not take; ``field`` says which."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field, self.reason = field, reason


class Recount(StrEnum):
    """Days whose snapshots a change has made again: none, those from its day on, or all of them."""

    NONE = "none"
    SINCE = "since"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """Setting of a measure's target or of how the organisation counts. ``of_workspaces``: each of them may
    choose its own. ``check`` reads a value as JSON has it, ``read`` as people type it with what they typed
    for the bound of watching, ``write`` says it, ``type`` writes it as ``read`` takes it."""

    name: str
    title: str
    definition: str
    takes: str
    check: Callable[[Value], Value]
    read: Callable[[str, str], Value]
    write: Callable[[Value], str]
    type: Callable[[Value], tuple[str, str]]
    recounts: Recount = Recount.NONE
    of_workspaces: bool = False
    domain: Domain | None = None
    measure: Measure | None = None
    group: str = ""
    is_dated: bool = True
    """Whether it holds from a day on; else it holds for all days."""


def find_setting(name: str) -> KnownSetting:
    """Setting of a name: ``sprint_days`` and the like, ``DOMAIN.MEASURE``, or ``DOMAIN.MEASURE/GROUP``
    where the domain has groups. Raises WrongSettingValue."""
    if name in COUNTING:
        return COUNTING[name]
    whole, slash, group = name.partition("/")
    domain_key, _, measure_key = whole.partition(".")
    for domain in DOMAINS:
        for measure in domain.measures:
            if (domain.key, measure.key) == (domain_key, measure_key):
                if slash:
                    _require_group(domain, group)
                return _target_setting(domain, measure, group)
    raise WrongSettingValue(
        "name",
        f"takes {', '.join(COUNTING)} or domain.measure such as dora.change_failure_rate;"
        f" got {name[:60]!r}",
    )


def _require_group(domain: Domain, group: str) -> None:
    """Raises WrongSettingValue where the domain has no groups, or the name can be none's."""
    if domain.by is None:
        raise WrongSettingValue("name", f"takes no {group[:60]!r}: {domain.title} has no groups")
    try:
        fields.text(fields.NAME)(group)
    except ValueError as error:
        raise WrongSettingValue("name", str(error)) from error
    if not group.strip():
        raise WrongSettingValue("name", f"takes the name of a {domain.by} after the slash")


def _target_setting(domain: Domain, measure: Measure, group: str) -> KnownSetting:
    """Setting of a measure's target, or of one group's."""
    title = f"{measure.title}, {group}" if group else measure.title
    return KnownSetting(
        f"{domain.key}.{measure.key}" + (f"/{group}" if group else ""),
        title,
        measure.definition,
        amounts.TAKES[measure.unit],
        lambda value: _valid_target(measure, value),
        lambda target, watch: _parse_target(measure, target, watch),
        lambda value: in_words(measure, value),
        lambda value: _as_typed(measure, value),
        of_workspaces=True,
        domain=domain,
        measure=measure,
        group=group,
    )


def _valid_target(measure: Measure, value: Value) -> Value:
    """Target, and where to watch from, which is not beyond it."""
    if not isinstance(value, Mapping) or not {"target"} <= set(value) <= {"target", "watch"}:
        raise WrongSettingValue("value", 'takes {"target": number, "watch": number or null}')
    try:
        target = amounts.checked(value["target"], measure.unit)
    except ValueError as error:
        raise WrongSettingValue("target", str(error)) from error
    if value.get("watch") is None:
        return {"target": target, "watch": None}
    try:
        watch = amounts.checked(value["watch"], measure.unit)
    except ValueError as error:
        raise WrongSettingValue("watch", str(error)) from error
    lower = measure.better is LOWER
    if watch > target if lower else watch < target:
        worse, bound = ("higher", "at most") if lower else ("lower", "at least")
        target_text = formats.value(target, measure.unit)
        raise WrongSettingValue(
            "watch", f"comes before the target: {worse} is worse, so it takes {bound} {target_text}"
        )
    return {"target": target, "watch": watch}


def _parse_target(measure: Measure, target: str, watch: str) -> Value:
    """Target and where to watch from, of two typed texts. Raises WrongSettingValue."""
    value: dict[str, float] = {}
    for field, text in (("target", target), ("watch", watch)):
        if field == "target" or text.strip():
            try:
                value[field] = amounts.read(text, measure.unit)
            except ValueError as error:
                raise WrongSettingValue(field, str(error)) from error
    return _valid_target(measure, value)


def _as_typed(measure: Measure, value: Value) -> tuple[str, str]:
    watch = value.get("watch")
    typed = "" if watch is None else amounts.write(watch, measure.unit)
    return amounts.write(value["target"], measure.unit), typed


def in_words(measure: Measure, value: Value) -> str:
    """Target as it is said: "at most 15.0 %, watched beyond 10.0 %"."""
    bound = "at most" if measure.better is LOWER else "at least"
    sentence = f"{bound} {formats.value(value['target'], measure.unit)}"
    watch = value.get("watch")
    return (
        sentence
        if watch is None
        else f"{sentence}, watched beyond {formats.value(watch, measure.unit)}"
    )


def _days_check(highest: int) -> Callable[[Value], Value]:
    """Check that a value is a whole number of days up to the highest."""

    def check(value: Value) -> Value:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
            raise WrongSettingValue(
                "value", f"takes a whole number of days from 1 to {highest}; got {value!r:.60}"
            )
        return value

    return check


def _cadence(value: Value) -> Value:
    if not isinstance(value, (list, tuple)) or len(value) != len(counting_settings.REVIEW_DAYS):
        raise WrongSettingValue(
            "value", f"takes four numbers of days, for tiers 1 to 4; got {value!r:.60}"
        )
    return [_days_check(MOST_DAYS)(days) for days in value]


def _zone(value: Value) -> Value:
    try:
        return counting_settings.known_zone(value if isinstance(value, str) else "")
    except ValueError as error:
        raise WrongSettingValue("value", f"{error}; got {value!r:.60}") from error


def _name(value: Value) -> Value:
    given = " ".join(value.split()) if isinstance(value, str) else ""
    if not given:
        raise WrongSettingValue("value", f"takes a name; got {value!r:.60}")
    try:
        return fields.text(LONGEST_NAME)(given)
    except ValueError as error:
        raise WrongSettingValue("value", str(error)) from error


def _parse_number(text: str) -> Any:
    """Whole number that was typed; the text itself where it is none, for the check to refuse."""
    given = text.strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else text


def _counting(
    name: str,
    title: str,
    definition: str,
    takes: str,
    check: Callable[[Value], Value],
    read: Callable[[str], Value],
    write: Callable[[Value], str],
    recounts: Recount,
    *,
    is_dated: bool = True,
) -> KnownSetting:
    def typed(value: Value) -> tuple[str, str]:
        return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value), ""

    return KnownSetting(
        name, title, definition, takes, check, lambda text, _: check(read(text)), write, typed, recounts,
        is_dated=is_dated,
    )  # fmt: skip


def _parse_numbers(text: str) -> Value:
    """Whole numbers that were typed with commas between them."""
    return [_parse_number(part) for part in text.strip().strip("[]").split(",")]


COUNTING: Mapping[str, KnownSetting] = {
    setting.name: setting
    for setting in (
        _counting(
            ORGANISATION_NAME,
            "Organisation’s name",
            "Beside the logo, in the head of exports and mails, and in what signs people in.",
            f"a name of at most {LONGEST_NAME} characters",
            _name,
            str.strip,
            str,
            Recount.NONE,
            is_dated=False,
        ),
        _counting(
            SPRINT_DAYS,
            "Sprint length",
            "Days of a sprint, anchored on a Monday; what changed sprint over sprint compares them.",
            f"a whole number of days from 1 to {MOST_SPRINT_DAYS}",
            _days_check(MOST_SPRINT_DAYS),
            _parse_number,
            lambda value: formats.counted(value, "day"),
            Recount.NONE,
        ),
        _counting(
            REVIEW_DAYS,
            "Days between vendor reviews",
            "For tiers 1 to 4, where the review itself does not say when the next one is due.",
            "four numbers of days, for tiers 1 to 4, such as "
            + ", ".join(map(str, counting_settings.REVIEW_DAYS)),
            _cadence,
            _parse_numbers,
            lambda value: " / ".join(map(str, value)) + " days",
            Recount.SINCE,
        ),
        _counting(
            POSTMORTEM_DAYS,
            "Days for a postmortem",
            "From the resolution of an incident until its postmortem is due.",
            f"a whole number of days from 1 to {MOST_POSTMORTEM_DAYS}",
            _days_check(MOST_POSTMORTEM_DAYS),
            _parse_number,
            lambda value: formats.counted(value, "day"),
            Recount.SINCE,
        ),
        _counting(
            ASSET_DAYS,
            "Days until an asset has left",
            "Without any result of it, while no evidence of it holds; counted from each of its results.",
            f"a whole number of days from 1 to {MOST_DAYS}",
            _days_check(MOST_DAYS),
            _parse_number,
            lambda value: formats.counted(value, "day"),
            Recount.SINCE,
        ),
        _counting(
            TIME_ZONE,
            "Time zone",
            "Zone in which days begin and end. It holds for all days: one history has one midnight.",
            "an IANA time zone such as Europe/Berlin",
            _zone,
            str.strip,
            str,
            Recount.ALL,
            is_dated=False,
        ),
    )
}
"""Settings of the organisation alone, its name and how it counts, by name, as the page lists them."""
